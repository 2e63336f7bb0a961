"""The HTTP API: usage, conversations, entries, equations, cases, what-if. Reads only; no rules."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from aiokafka.errors import KafkaError
from fastapi import APIRouter, FastAPI, Path, Query, Request, Response

from chassis.access_rules import asks
from chassis.keyring import KeyScope
from chassis.problems import Problem, responses
from chassis.store import AWAY
from event_schemas.times import Instant, Period, from_micros, iso, parse_instant, to_micros
from usage_rating.answers import (
    CUSTOMER,
    IDENTIFIER,
    SLUG,
    CaseKind,
    CasesAnswer,
    ConversationAnswer,
    EntriesAnswer,
    EquationsAnswer,
    PendingAnswer,
    PendingConversation,
    PeriodUsage,
    StoryLine,
    UsageAnswer,
    WhatIfAnswer,
    WhatIfOrder,
    equations_of,
    from_row_case,
    from_row_entry,
    from_signal,
    from_sums,
    meters_of,
)
from usage_rating.contract_book import ContractBook
from usage_rating.contracts import changed
from usage_rating.domain.outcome import decide
from usage_rating.domain.policy import ContractTimeline
from usage_rating.domain.story import WHY, story
from usage_rating.domain.what_if import Span
from usage_rating.entries import held_ids
from usage_rating.log_ends import LogEnds
from usage_rating.state import ConversationState, decode_conversation
from usage_rating.store.reading import Reading
from usage_rating.what_if import WhatIf

log = logging.getLogger(__name__)

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
MOST_PERIODS = 120

CustomerPath = Annotated[str, Path(pattern=CUSTOMER, description="The customer's id in Settled.")]
From = Annotated[Instant, Query(alias="from", description="First instant of effective_at, inclusive.")]
To = Annotated[Instant, Query(alias="to", description="Last instant of effective_at, exclusive.")]
Meter = Annotated[str | None, Query(pattern=SLUG, description="One meter; all where it is left out.")]
Limit = Annotated[int, Query(ge=1, le=1000)]


class Api:
    """The routes under /v1, over these sources."""

    def __init__(self, reading: Reading, book: ContractBook, ends: LogEnds) -> None:
        self._reading, self._book, self._ends = reading, book, ends
        self._what_if = WhatIf(reading)
        self.router = APIRouter(prefix="/v1")
        add = self.router.add_api_route
        add("/customers/{customer}/usage", self.usage, methods=["GET"], tags=["usage"], responses=responses(422, 503))
        add(
            "/customers/{customer}/pending",
            self.pending,
            methods=["GET"],
            tags=["usage"],
            responses=responses(422, 503),
        )
        add(
            "/conversations/{customer}/{conversation:path}",
            self.conversation,
            methods=["GET"],
            tags=["usage"],
            responses=responses(404, 422, 503),
        )
        add("/entries", self.entries, methods=["GET"], tags=["ledger"], responses=responses(422, 503))
        add("/equations", self.equations, methods=["GET"], tags=["operations"], responses=responses(503))
        add("/what-if", self.what_if, methods=["POST"], tags=["usage"], responses=responses(400, 404, 422, 503))
        add("/cases", self.cases, methods=["GET"], tags=["operations"], responses=responses(422, 503))

    async def usage(self, customer: CustomerPath, start: From, end: To, meter: Meter = None) -> UsageAnswer:
        """Charged, reversed and net per meter, in all and by billing period of the customer's contract."""
        _check_range(start, end)
        periods = _periods(self._book, customer, start, end)
        rows = await self._reading.usage(customer, [(p.start, p.end) for p in periods] or [(start, end)], meter)
        return UsageAnswer(
            customer=customer,
            start=start,
            end=end,
            meters=meters_of(rows),
            periods=[
                PeriodUsage(
                    start=period.start, end=period.end, meters=meters_of(row for row in rows if row["period"] == number)
                )
                for number, period in enumerate(periods, 1)
            ],
        )

    async def pending(
        self,
        customer: CustomerPath,
        after: Annotated[str | None, Query(pattern=IDENTIFIER, description="`next` of the page before.")] = None,
        limit: Limit = 100,
    ) -> PendingAnswer:
        """Conversations that are not decided for good: their windows are open, or no contract is there yet."""
        rows, further = await self._reading.pending(customer, after=after or "", limit=limit)
        timeline = self._book.timeline(customer)
        return PendingAnswer(conversations=[_pending(row, timeline) for row in rows], next=further)

    async def conversation(
        self, customer: CustomerPath, conversation: Annotated[str, Path(pattern=IDENTIFIER)]
    ) -> ConversationAnswer:
        """A conversation's status and why, its signals and entries, and its story in words."""
        row = await self._reading.conversation(customer, conversation)
        if row is None:
            raise Problem(404, "unknown_conversation", f"customer {customer} has no such conversation")
        state = decode_conversation(row["state"])
        ids = held_ids(await self._reading.ledger_id(), customer, conversation, state.held)
        return _told(row, state, self._book.timeline(customer), await self._reading.entries_by_id(ids))

    async def entries(
        self,
        customer: Annotated[str, Query(pattern=CUSTOMER)],
        start: From,
        end: To,
        meter: Meter = None,
        after: Annotated[str | None, Query(max_length=100, description="`next` of the page before.")] = None,
        limit: Limit = 100,
    ) -> EntriesAnswer:
        """The ledger's lines of a customer by `effective_at`, then by id; a page at a time."""
        _check_range(start, end)
        found = await self._reading.entries(customer, start, end, meter=meter, after=_cursor(after), limit=limit + 1)
        page = [from_row_entry(row) for row in found[:limit]]
        more = len(found) > limit
        return EntriesAnswer(
            entries=page, next=f"{iso(page[-1].effective_at)}~{page[-1].entry_id}" if more and page else None
        )

    async def equations(self) -> EquationsAnswer:
        """Where every event and every conversation went, and whether both sums hold."""
        rows = await self._reading.partitions()
        return equations_of(rows, (await self._ends.ask()).accepted)

    @asks(KeyScope.READ)  # it only carries its question in a body
    async def what_if(self, order: WhatIfOrder) -> WhatIfAnswer:
        """What another policy would have charged, beside the contract's own: counts, and what changed why."""
        _check_range(order.start, order.end)
        until = order.received_before or LATEST
        if not EARLIEST <= until <= LATEST:
            sentence = "received_before lies between the years 2000 and 2200"
            raise Problem(422, "invalid_range", sentence, field="received_before")
        timeline = self._book.timeline(order.customer)
        if timeline is None:
            sentence = f"customer {order.customer} has no contract here, so no policy either"
            raise Problem(404, "unknown_contract", sentence, field="customer")
        draft = timeline if order.policy is None else changed(timeline, order.policy)
        span = Span(to_micros(order.start), to_micros(order.end), to_micros(until))
        sums, further = await self._what_if.page(order.customer, timeline, draft, span=span, after=order.after or "")
        return from_sums(order.customer, sums, further)

    async def cases(
        self,
        customer: Annotated[str | None, Query(pattern=CUSTOMER)] = None,
        kind: CaseKind | None = None,
        closed: Annotated[bool, Query(description="Closed cases too.")] = False,
        after: Annotated[int, Query(ge=0, le=2**62)] = 0,
        limit: Limit = 100,
    ) -> CasesAnswer:
        """What a person has to look at: conflicting events and contracts, products that disagree with the signals."""
        found = await self._reading.cases(customer=customer, kind=kind, closed_too=closed, after=after, limit=limit + 1)
        page = [from_row_case(row) for row in found[:limit]]
        return CasesAnswer(cases=page, next=page[-1].case_id if len(found) > limit else None)


def _told(
    row: Mapping[str, Any], state: ConversationState, timeline: ContractTimeline | None, entries: Iterable[Any]
) -> ConversationAnswer:
    """A conversation as its row, the contract's policies and its entries in the ledger tell it."""
    decision = decide(state.signals, timeline, as_of=row["read_up_to"])
    return ConversationAnswer(
        customer=row["customer"],
        conversation=row["conversation"],
        partition=row["partition"],
        status=decision.status,
        why=decision.why,
        why_in_words=WHY.get(decision.why, decision.why),
        decided_up_to=from_micros(row["read_up_to"]),
        next_decision_at=None if decision.due_at is None else from_micros(decision.due_at),
        signals=[
            *(from_signal(signal, counts=True) for signal in state.signals),
            *(from_signal(signal, counts=False) for signal in state.others),
        ],
        signals_not_kept=state.left_out,
        entries=[from_row_entry(entry) for entry in entries],
        story=[
            StoryLine(at=from_micros(line.at), sentence=line.sentence, signal=line.signal)
            for line in story(state.signals, timeline, as_of=row["read_up_to"])
        ],
    )


def _pending(row: Mapping[str, Any], timeline: ContractTimeline | None) -> PendingConversation:
    decision = decide(decode_conversation(row["state"]).signals, timeline, as_of=row["read_up_to"])
    return PendingConversation(
        conversation=row["conversation"],
        why=decision.why,
        why_in_words=WHY.get(decision.why, decision.why),
        next_decision_at=None if decision.due_at is None else from_micros(decision.due_at),
    )


def answer_when_away(app: FastAPI) -> None:
    """Answer 503, not 500, while the database or the broker is away."""

    async def away(_: Request, error: Exception) -> Response:
        log.warning("a request found something away", extra={"error": type(error).__name__})
        sentence = "the database or the broker is away; ask again"
        return Problem(503, "away", sentence, headers={"Retry-After": "1"}).response()

    for kind in (*AWAY, KafkaError):
        app.add_exception_handler(kind, away)


def _check_range(start: datetime, end: datetime) -> None:
    if not EARLIEST <= start < end <= LATEST:
        raise Problem(422, "invalid_range", "from lies before to, both between the years 2000 and 2200", field="from")


def _periods(book: ContractBook, customer: str, start: datetime, end: datetime) -> list[Period]:
    """The contract's billing periods that overlap [start, end), cut to it; none where there is no contract."""
    contract = book.contract(customer)
    if contract is None:
        return []
    periods = []
    at = start
    while at < end:
        whole = contract.period_of(at)
        periods.append(Period(max(whole.start, start), min(whole.end, end)))
        at = whole.end
        if len(periods) > MOST_PERIODS:
            raise Problem(422, "range_too_long", f"at most {MOST_PERIODS} billing periods at once", field="to")
    return periods


def _cursor(after: str | None) -> tuple[datetime, str]:
    if after is None:
        return (EARLIEST, "")
    at, _, entry_id = after.partition("~")
    try:
        instant = parse_instant(at)
    except ValueError:
        instant = EARLIEST
        entry_id = ""
    if not entry_id.isalnum() or not entry_id.isascii() or not EARLIEST <= instant <= LATEST:
        raise Problem(422, "invalid_cursor", "after takes what `next` of the page before says", field="after")
    return (instant, entry_id)
