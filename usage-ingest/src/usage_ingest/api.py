"""The routes for operators: quarantine, replay, customers, counts. Decode, call, encode; no rules."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from sqlalchemy import RowMapping

from chassis.access import Who
from chassis.access_rules import asks, audited
from chassis.errors import TryLater
from chassis.keyring import KeyScope
from chassis.problems import Problem, responses
from event_schemas.vocabulary import QuarantineReason
from usage_ingest.contents import open_content
from usage_ingest.counting import Counts, count
from usage_ingest.domain.amend import Amendment
from usage_ingest.parts import Parts
from usage_ingest.replay import ReplayOutcome, replay
from usage_ingest.store.errors import STORE_AWAY
from usage_ingest.store.quarantine import Selection, list_rows

CustomerText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$")]
IdentifierText = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
RowId = Annotated[int, Field(ge=1, le=2**63 - 1)]


class QuarantinedRow(BaseModel):
    """One event that waits, or waited. Identifiers are null where the event had no valid ones."""

    id: int
    source: str | None
    event_id: str | None
    subject: str | None
    customer: str | None
    type: str | None
    reason: str
    field: str | None
    detail: str = Field(description="a sentence for people; it quotes nothing that the sender wrote")
    received_at: datetime = Field(description="business time of the first delivery")
    last_received_at: datetime
    deliveries: int
    origin: Literal["door", "reader"] = Field(description="refused at the door, or handed back by a reader of the bus")
    record: str | None = Field(description="topic/partition/offset, for origin `reader`")
    key: str | None = Field(description="name of the API key that delivered it first")
    state: Literal["waiting", "replayed"]
    replayed_at: datetime | None
    replayed_by: str | None = Field(description="name of the operator's key")
    changes: dict[str, Any] | None = Field(
        description="what the replay changed: paths in `drop` and `set`, with `*` for names not ours; `accept_time`"
    )
    event: dict[str, Any] | None = Field(description="the event, where it fits its schema")
    content_kept_until: datetime | None = Field(
        description="where it does not fit: until when what was sent is kept under seal, and can be replayed"
    )


class QuarantinePage(BaseModel):
    """Rows in order of their ids; `next_after` continues, null at the end."""

    items: list[QuarantinedRow]
    next_after: int | None


class SealedContent(BaseModel):
    """What was sent, as it was sent; bytes that are no UTF-8 are shown as U+FFFD."""

    id: int
    content: str


class ReplayRequest(BaseModel):
    """
    Which waiting rows: by id, by reason, by customer, or several of these; `everything` in place of them. And what is
    changed in each event before it is checked: paths such as `data.text` dropped, others set, an odd time accepted.
    """

    model_config = ConfigDict(extra="forbid")

    ids: list[RowId] | None = Field(None, min_length=1, max_length=1000)
    reason: QuarantineReason | None = None
    customer: CustomerText | None = None
    everything: bool = False
    drop: list[str] = Field([], max_length=20, description="fields to take away; an event that lacks one stays")
    set: dict[str, Any] = Field({}, max_length=20, description="fields to set, by path; drops come first")
    accept_time: bool = Field(False, description="you answer for times that are too old, or were ahead of the clock")
    after: int = Field(0, ge=0, le=2**63 - 1)
    limit: int = Field(500, ge=1, le=1000)

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.everything and self.ids is None and self.reason is None and self.customer is None:
            raise ValueError("name ids, a reason or a customer, or say everything: true")
        return self


class ReplayResult(BaseModel):
    """What became of one row."""

    id: int
    status: Literal["replayed", "still_quarantined", "not_stored"]
    reason: str | None
    detail: str | None


class ReplayAnswer(BaseModel):
    """Send the same request with `after` = `next_after` until it is null."""

    results: list[ReplayResult]
    replayed: int
    still_quarantined: int
    not_stored: int
    next_after: int | None


class CustomersRequest(BaseModel):
    """Customers whose events are to be taken although they have no contract yet."""

    model_config = ConfigDict(extra="forbid")

    customers: list[CustomerText] = Field(min_length=1, max_length=1000)


class CustomersAnswer(BaseModel):
    """`registered` are those that were new."""

    registered: list[str]
    known: int


class Api:
    """The routes for operators, over these parts. Who may ask what is the guard's business."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.router = APIRouter(prefix="/v1", dependencies=[Depends(self._is_ready)])
        add = self.router.add_api_route
        operators: dict[str, Any] = {"tags": ["operators"]}
        add("/quarantine", self.list_quarantine, methods=["GET"], responses=responses(422, 503), **operators)
        add(
            "/quarantine/{row_id}/content",
            self.read_content,
            methods=["GET"],
            responses=responses(404, 409, 422, 503),
            **operators,
        )
        add(
            "/quarantine/replay",
            self.replay_quarantine,
            methods=["POST"],
            responses=responses(400, 422, 503),
            **operators,
        )
        add("/customers", self.register_customers, methods=["POST"], responses=responses(400, 422, 503), **operators)
        add("/counts", self.counts, methods=["GET"], responses=responses(503), tags=["operations"])

    def _is_ready(self) -> None:
        self._parts.require_ready()

    async def list_quarantine(
        self,
        reason: QuarantineReason | None = None,
        customer: CustomerText | None = None,
        source: IdentifierText | None = None,
        event_id: IdentifierText | None = None,
        state: Literal["waiting", "replayed"] = "waiting",
        after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> QuarantinePage:
        """The events that wait in the quarantine, oldest first."""
        selection = Selection(
            reason=reason, customer=customer, source=source, event_id=event_id, state=state, after=after, limit=limit
        )
        async with _StoreOrProblem():
            rows, more = await list_rows(self._parts.engine, selection)
        keep = timedelta(days=self._parts.settings.quarantine_content_days)
        items = [to_wire_row(row, keep=keep) for row in rows]
        return QuarantinePage(items=items, next_after=items[-1].id if more else None)

    @asks(KeyScope.OPERATE)
    @audited
    async def read_content(self, row_id: RowId, response: Response, who: Who) -> SealedContent:
        """What a quarantined event said that did not fit its schema, unsealed. Who reads it stands in the log."""
        async with _StoreOrProblem():
            content = await open_content(row_id, by=who.name, parts=self._parts)
        response.headers["Cache-Control"] = "no-store"
        return SealedContent(id=row_id, content=content)

    async def replay_quarantine(self, wanted: ReplayRequest, who: Who) -> ReplayAnswer:
        """Drive waiting events again: same id, first `received_at`, checks applied anew. Safe to repeat."""
        amendment = Amendment(tuple(wanted.drop), tuple(wanted.set.items()), wanted.accept_time)
        if flaw := amendment.flaw():
            raise Problem(422, "invalid_request", flaw, field="drop, set")
        selection = Selection(
            ids=tuple(wanted.ids) if wanted.ids is not None else None,
            reason=wanted.reason,
            customer=wanted.customer,
            after=wanted.after,
            limit=wanted.limit,
        )
        async with _StoreOrProblem():
            outcome = await replay(selection, amendment, by=who.name, parts=self._parts)
        return _answer(outcome)

    async def register_customers(self, wanted: CustomersRequest) -> CustomersAnswer:
        """Register customers by an operator's word; those with a contract are known without it. Safe to repeat."""
        async with _StoreOrProblem():
            new = await self._parts.register.register(wanted.customers)
        return CustomersAnswer(registered=new, known=len(self._parts.register.known))

    async def counts(self) -> Counts:
        """How many events were received and how many wait."""
        async with _StoreOrProblem():
            return await count(self._parts)


def _answer(outcome: ReplayOutcome) -> ReplayAnswer:
    """What became of the rows. Raises Problem 503 where some could not be put on the bus."""
    statuses = [driven.status for driven in outcome.driven]
    answer = ReplayAnswer(
        results=[ReplayResult.model_validate(driven, from_attributes=True) for driven in outcome.driven],
        replayed=statuses.count("replayed"),
        still_quarantined=statuses.count("still_quarantined"),
        not_stored=statuses.count("not_stored"),
        next_after=outcome.next_after,
    )
    if answer.not_stored:
        raise Problem(
            503,
            "not_all_stored",
            "some events could not be put on the bus and still wait; replay again",
            headers={"Retry-After": "1"},
            **answer.model_dump(mode="json"),
        )
    return answer


class _StoreOrProblem:
    """Turns an absent database or broker into a 503."""

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (*STORE_AWAY, TryLater)):
            raise Problem(
                503, "away", "the database or the broker is away; ask again", headers={"Retry-After": "1"}
            ) from error


def to_wire_row(row: RowMapping, *, keep: timedelta) -> QuarantinedRow:
    """A row of the table, with the `kept_at` of its content, as the API shows it."""
    record = f"{row['record_topic']}/{row['record_partition']}/{row['record_offset']}"
    return QuarantinedRow(
        id=row["quarantine_id"],
        **{name: row[name] or None for name in ("source", "event_id", "subject", "customer", "type")},
        **{name: row[name] for name in ("reason", "field", "received_at", "last_received_at")},
        **{name: row[name] for name in ("deliveries", "origin", "state", "replayed_at", "replayed_by", "changes")},
        event=row["event"],
        content_kept_until=row["kept_at"] + keep if row["kept_at"] is not None else None,
        detail=row["sentence"],
        record=record if row["origin"] == "reader" else None,
        key=row["key_name"],
    )
