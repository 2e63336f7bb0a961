"""What the HTTP API answers: its documents, and how rows become them. Quantities are decimal strings, times UTC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from event_schemas.contracts import OutcomePolicy
from event_schemas.times import Instant, from_micros
from event_schemas.values import EXACT, decimal_text
from usage_rating.domain.ranks import NAMES
from usage_rating.domain.signal import Signal
from usage_rating.domain.story import WHY
from usage_rating.domain.what_if import ANOTHER_METER, ANOTHER_PERIOD
from usage_rating.what_if import Sums

CUSTOMER = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$"
SLUG = r"^[a-z][a-z0-9_]{0,49}$"
IDENTIFIER = r"^[\x21-\x7e]{1,200}$"

CaseKind = Literal["conflict", "disagreement", "contract_conflict"]


class MeterUsage(BaseModel):
    """Usage of one meter: what was charged, what was reversed, and the difference."""

    meter: str
    charged: str
    reversed: str
    net: str
    entries: int


class PeriodUsage(BaseModel):
    """Usage within one billing period, or within the part of it that was asked for: [start, end)."""

    start: datetime
    end: datetime
    meters: list[MeterUsage]


class UsageAnswer(BaseModel):
    """Usage of a customer within [start, end), by `effective_at`. `periods` is empty where there is no contract."""

    customer: str
    start: datetime
    end: datetime
    meters: list[MeterUsage]
    periods: list[PeriodUsage]


class Entry(BaseModel):
    """One line of the ledger with its cause; `signals` are (source, id) of the events that it rests on."""

    entry_id: str
    customer: str
    subject: str
    subject_kind: Literal["conversation", "record"]
    meter: str
    op: Literal["charge", "reverse"]
    ordinal: int
    quantity: str
    effective_at: datetime
    caused_at: datetime
    recorded_at: datetime
    policy_version: str
    how: str | None
    reason: str | None
    signals: list[tuple[str, str]]
    reverses: str | None
    partition: int
    seq: int


class EntriesAnswer(BaseModel):
    """A page of entries; `next` is to be sent as `after` for the next one, null at the end."""

    entries: list[Entry]
    next: str | None


class SignalAnswer(BaseModel):
    """One signal of a conversation. `counts` is false for a content that lost a conflict of identity."""

    at: datetime
    signal: str
    source: str
    id: str
    detail: str
    outcome_type: str
    channel: str
    evidence: str
    received_at: datetime
    counts: bool


class StoryLine(BaseModel):
    """One sentence of the story, and the signal (source, id) that it tells of, where it is one's."""

    at: datetime
    sentence: str
    signal: tuple[str, str] | None


class ConversationAnswer(BaseModel):
    """A conversation as it is decided now: status, why, its signals, its entries and its story."""

    customer: str
    conversation: str
    partition: int
    status: str
    why: str
    why_in_words: str
    decided_up_to: datetime
    next_decision_at: datetime | None
    signals: list[SignalAnswer]
    signals_not_kept: int
    entries: list[Entry]
    story: list[StoryLine]


class PendingConversation(BaseModel):
    """A conversation that is neither charged nor done: why, and when it is decided if nothing comes before."""

    conversation: str
    why: str
    why_in_words: str
    next_decision_at: datetime | None


class PendingAnswer(BaseModel):
    """
    A page of pending conversations; `next` is to be sent as `after` for the next one, null at the end.

    A page looks at a bounded number of conversations, so that one with few or none may be followed by others.
    """

    conversations: list[PendingConversation]
    next: str | None


class WhatIfOrder(BaseModel):
    """
    Which conversations to decide again: charges with `effective_at` in [from, to), as if `policy` had always held.

    What the policy leaves out stays as the contract's own policies have it; without one both sides are by these.
    `received_before` leaves out what came then or later, such as after the freeze; null: all that is known.
    """

    model_config = ConfigDict(extra="forbid")

    customer: str = Field(pattern=CUSTOMER)
    start: Instant = Field(alias="from")
    end: Instant = Field(alias="to")
    received_before: Instant | None = None
    policy: OutcomePolicy | None = None
    after: str | None = Field(None, pattern=IDENTIFIER, description="`next` of the page before.")


class Charged(BaseModel):
    """Conversations whose charge stands, of one meter, by the contract's policies and by the draft."""

    meter: str
    before: int
    after: int


class Turned(BaseModel):
    """So many conversations that the draft decides otherwise in the same way; `units` is signed, each is 1 or -1."""

    meter: str
    units: int
    before: str
    before_in_words: str
    after: str
    after_in_words: str
    example: str


class WhatIfAnswer(BaseModel):
    """
    A page's sums, to be added up; `next` is to be sent as `after` for the next page, null at the end.

    A page is bounded by time: it may count few conversations or none, and not be the last. Records of products are in
    none: a policy does not change them.
    """

    customer: str
    conversations: int
    meters: list[Charged]
    turned: list[Turned]
    next: str | None


class EventsEquation(BaseModel):
    """received = applied + duplicate + conflicting + quarantined + unread."""

    received: int
    applied: int
    duplicate: int
    conflicting: int
    quarantined: int
    unread: int
    holds: bool


class ConversationsEquation(BaseModel):
    """seen = charged + not_chargeable + pending + excluded."""

    seen: int
    charged: int
    not_chargeable: int
    pending: int
    excluded: int
    holds: bool


class PartitionAnswer(BaseModel):
    """How far one partition is."""

    partition: int
    epoch: int
    next_offset: int
    unread: int
    read_up_to: datetime
    last_seq: int
    published_seq: int


class EquationsAnswer(BaseModel):
    """Both equations, summed over the partitions, and the partitions."""

    events: EventsEquation
    conversations: ConversationsEquation
    records_seen: int
    partitions: list[PartitionAnswer]


class CaseAnswer(BaseModel):
    """What a person has to look at, what to do, and what closes it by itself."""

    case_id: int
    kind: CaseKind
    customer: str
    subject: str
    about: str
    sentence: str
    opened_at: datetime
    closed_at: datetime | None
    do: str
    closes: str | None


class CasesAnswer(BaseModel):
    """A page of cases; `next` is to be sent as `after` for the next one, null at the end."""

    cases: list[CaseAnswer]
    next: int | None


WHAT_TO_DO = {  # by kind: what a person does, and what closes the case without one
    "conflict": ("find the product that uses an event's id twice: what counts stays what it is", None),
    "disagreement": (
        "compare the product's word with the conversation's story; the contract says which of them is charged",
        "the product and the signals agree again",
    ),
    "contract_conflict": (
        "publish the wanted terms under a higher revision: what came first under this one is in force",
        "a later revision comes in",
    ),
}


def from_row_case(row: Mapping[str, Any]) -> CaseAnswer:
    """A row of the cases."""
    do, closes = WHAT_TO_DO[row["kind"]]
    return CaseAnswer(**dict(row), do=do, closes=closes)


def meters_of(rows: Iterable[Mapping[str, Any]]) -> list[MeterUsage]:
    """Rows of (meter, charged, reversed, entries), several per meter, as one line per meter."""
    sums: dict[str, tuple[Decimal, Decimal, int]] = {}
    for row in rows:
        charged, reversed_, entries = sums.get(row["meter"], (Decimal(0), Decimal(0), 0))
        sums[row["meter"]] = (
            EXACT.add(charged, row["charged"] or Decimal(0)),
            EXACT.add(reversed_, row["reversed"] or Decimal(0)),
            entries + row["entries"],
        )
    return [
        MeterUsage(
            meter=meter,
            charged=decimal_text(charged),
            reversed=decimal_text(reversed_),
            net=decimal_text(EXACT.subtract(charged, reversed_)),
            entries=entries,
        )
        for meter, (charged, reversed_, entries) in sorted(sums.items())
    ]


def from_row_entry(row: Mapping[str, Any]) -> Entry:
    """A row of the ledger."""
    return Entry(
        **{
            **dict(row),
            "quantity": decimal_text(row["quantity"]),
            "signals": msgspec.json.decode(row["signals"], type=list[tuple[str, str]]),
        }
    )


WORDS = {**WHY, ANOTHER_PERIOD: "Charged once, in another period.", ANOTHER_METER: "Charged once, as another outcome."}


def from_sums(customer: str, sums: Sums, further: str | None) -> WhatIfAnswer:
    """A page of a what-if; what turned most often first."""
    turned = sorted(sums.turned.items(), key=lambda item: (-item[1][0], item[0].meter, item[0].before, item[0].after))
    return WhatIfAnswer(
        customer=customer,
        conversations=sums.looked_at,
        meters=[
            Charged(meter=meter, before=sums.before[meter], after=sums.after[meter])
            for meter in sorted({*sums.before, *sums.after})
        ],
        turned=[
            Turned(
                meter=turn.meter,
                units=turn.units * count,
                before=turn.before,
                before_in_words=WORDS.get(turn.before, turn.before),
                after=turn.after,
                after_in_words=WORDS.get(turn.after, turn.after),
                example=example,
            )
            for turn, (count, example) in turned
        ],
        next=further,
    )


def from_signal(signal: Signal, *, counts: bool) -> SignalAnswer:
    """A signal as the conversation keeps it."""
    return SignalAnswer(
        at=from_micros(signal.at),
        signal=NAMES[signal.rank],
        source=signal.source,
        id=signal.id,
        detail=signal.detail,
        outcome_type=signal.outcome_type,
        channel=signal.channel,
        evidence=signal.evidence,
        received_at=from_micros(signal.received_at),
        counts=counts,
    )


def equations_of(rows: Iterable[Mapping[str, Any]], ends: Mapping[int, int]) -> EquationsAnswer:
    """Both equations from the partitions' rows and the ends of the log, which were asked after the rows."""
    found = {row["partition"]: row for row in rows}
    sums = {name: sum(row[name] for row in found.values()) for name in _SUMMED}
    unread = {n: end - (found[n]["next_offset"] if n in found else 0) for n, end in ends.items()}
    received = sum(ends.values())
    events = {name: sums[name] for name in ("applied", "duplicate", "conflicting", "quarantined")}
    statuses = {name: sums[name] for name in ("charged", "not_chargeable", "pending", "excluded")}
    return EquationsAnswer(
        events=EventsEquation(
            received=received,
            unread=sum(unread.values()),
            holds=received == sum(events.values()) + sum(unread.values()),
            **events,
        ),
        conversations=ConversationsEquation(
            seen=sums["seen"], holds=sums["seen"] == sum(statuses.values()), **statuses
        ),
        records_seen=sums["records"],
        partitions=[
            PartitionAnswer(
                partition=n,
                epoch=row["epoch"],
                next_offset=row["next_offset"],
                unread=unread.get(n, 0),
                read_up_to=from_micros(row["read_up_to"]),
                last_seq=row["next_seq"] - 1,
                published_seq=row["published_seq"],
            )
            for n, row in sorted(found.items())
        ],
    )


_SUMMED = (
    "applied",
    "duplicate",
    "conflicting",
    "quarantined",
    "seen",
    "charged",
    "not_chargeable",
    "pending",
    "excluded",
    "records",
)
