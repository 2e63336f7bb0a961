"""From what the rules want to what the ledger and the bus hold: ids, rows, records."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Literal

import msgspec

from event_schemas.times import from_micros
from event_schemas.wire import Cause, RatedEntry, UsageRated
from usage_rating.domain.entries import Held, Wanted

SubjectKind = Literal["conversation", "record"]
SOURCE = "urn:settled:rating"

_encode = msgspec.json.Encoder().encode


def entry_id(ledger_id: str, customer: str, about: str, meter: str, op: str, ordinal: int) -> str:
    """
    The entry's id and its identifier at Stripe: the same however often and wherever it is computed.

    `about` is the conversation, or meter/subject for a record. Neither partition nor sequence number goes in.

    Source: design rule 5.
    """
    text = f"{ledger_id}\x00{customer}\x00{about}\x00{meter}\x00{op}\x00{ordinal}"
    return blake2b(text.encode(), digest_size=16).hexdigest()


def held_ids(ledger_id: str, customer: str, about: str, held: Sequence[Held]) -> list[str]:
    """The ids of all entries that a row holds, by ordinal."""
    return [
        entry_id(ledger_id, customer, about, entry.meter, entry.op, ordinal) for ordinal, entry in enumerate(held, 1)
    ]


def append_entries(
    wanted: Sequence[Wanted],
    held: Sequence[Held],
    *,
    ledger_id: str,
    customer: str,
    subject: str,
    kind: SubjectKind,
    partition: int,
    first_seq: int,
    recorded_at: int,
) -> tuple[list[RatedEntry], tuple[Held, ...]]:
    """
    The ledger entries for what is wanted beyond `held`, and what is held afterwards.

    Raises:
        ValueError: a reversal of a charge that is not held, which would be a bug of the rules.
    """
    holding = list(held)
    entries = []
    for seq, want in enumerate(wanted, first_seq):
        about = subject if kind == "conversation" else f"{want.meter}/{subject}"
        reverses = _charge_id(want, holding, ledger_id, customer, about) if want.op == "reverse" else None
        holding.append(Held(want.op, want.meter, want.effective_at, want.quantity))
        ordinal = len(holding)
        entries.append(
            RatedEntry(
                entry_id=entry_id(ledger_id, customer, about, want.meter, want.op, ordinal),
                partition=partition,
                seq=seq,
                customer=customer,
                subject=subject,
                subject_kind=kind,
                meter=want.meter,
                op=want.op,
                ordinal=ordinal,
                quantity=want.quantity,
                effective_at=from_micros(want.effective_at),
                caused_at=from_micros(want.caused_at),
                recorded_at=from_micros(recorded_at),
                cause=Cause(want.policy_version, want.how or None, want.reason or None, want.signals, reverses),
            )
        )
    return entries, tuple(holding)


def _charge_id(want: Wanted, holding: Sequence[Held], ledger_id: str, customer: str, about: str) -> str:
    """The id of the charge that a reversal takes back: the last held one of its meter and `effective_at`."""
    for ordinal in range(len(holding), 0, -1):
        held = holding[ordinal - 1]
        if held.op == "charge" and held.meter == want.meter and held.effective_at == want.effective_at:
            return entry_id(ledger_id, customer, about, held.meter, "charge", ordinal)
    raise ValueError(f"a reversal of {want.meter} at {want.effective_at} without its charge")


def to_wire(entry: RatedEntry) -> bytes:
    """The record on `usage.rated`: the same bytes for the same entry, published first or again."""
    return _encode(
        UsageRated(id=entry.entry_id, source=SOURCE, subject=entry.customer, time=entry.recorded_at, data=entry)
    )
