"""What the ledger should hold, what it holds, and the difference between the two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar

import msgspec

from usage_rating.domain.policy import ContractTimeline

OpName = Literal["charge", "reverse"]
Key = tuple[str, int]  # meter, effective_at: under one key charges and reversals take turns


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """An entry that the rules ask for. Instants in microseconds; `quantity` a positive decimal string."""

    op: OpName
    meter: str
    effective_at: int
    caused_at: int
    policy_version: str
    how: str = ""  # of a charge
    reason: str = ""  # of a reversal
    quantity: str = "1"
    signals: tuple[tuple[str, str], ...] = ()


class Held(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An entry that the ledger holds, as the conversation's row remembers it, in the order of their ordinals."""

    op: OpName
    meter: str
    effective_at: int
    quantity: str = "1"


T = TypeVar("T", Wanted, Held)


class Because(msgspec.Struct, frozen=True, gc=False):
    """What has led to deciding again: the events that came, none for a new contract; the policies now in force."""

    signals: tuple[tuple[str, str], ...] = ()
    timeline: ContractTimeline | None = None

    def version(self, instant: int) -> str:
        """The version of the policy now in force at an instant; empty where there is none."""
        policy = self.timeline.at(instant) if self.timeline is not None else None
        return policy.version if policy is not None else ""


NOTHING_NEW = Because()


def difference(
    wanted: Sequence[Wanted], held: Sequence[Held], *, decided_at: int, because: Because = NOTHING_NEW
) -> tuple[Wanted, ...]:
    """
    The entries to append so that the ledger nets to what is wanted; reversals make room before charges.

    Both are read per (meter, effective_at), where charges and reversals take turns. Where what is held is how the
    wanted begins, the rest is appended. Otherwise history went another way than the set now tells, and only the net is
    mended: a reversal (reason `redecided`, caused at `decided_at` by `because`) of the charge that stands and is no
    longer wanted, and the charge that is wanted and does not stand.

    Source: design rule 3, wanted and held entries match when op, meter and effective_at match.
    """
    if not held:
        return tuple(wanted)
    wanted_by_key = _by_key(wanted)
    held_by_key = _by_key(held)
    missing: list[Wanted] = []
    for key in dict.fromkeys([*held_by_key, *wanted_by_key]):
        missing += _missing(key, wanted_by_key.get(key, []), held_by_key.get(key, []), decided_at, because)
    order = {id(entry): place for place, entry in enumerate(wanted)}
    missing.sort(key=lambda entry: order.get(id(entry), -1))  # redecided reversals come first; the sort is stable
    return tuple(missing)


def _by_key(entries: Sequence[T]) -> dict[Key, list[T]]:
    found: dict[Key, list[T]] = {}
    for entry in entries:
        found.setdefault((entry.meter, entry.effective_at), []).append(entry)
    return found


def _missing(key: Key, wanted: list[Wanted], held: list[Held], decided_at: int, because: Because) -> list[Wanted]:
    begins_alike = len(held) <= len(wanted) and all(
        (w.op, w.quantity) == (h.op, h.quantity) for w, h in zip(wanted, held, strict=False)
    )
    if begins_alike:
        return wanted[len(held) :]
    standing = _standing(held)
    asked = _standing(wanted)
    if (standing and standing.quantity) == (asked and asked.quantity):
        return []
    mended: list[Wanted] = []
    if standing is not None:
        version = wanted[-1].policy_version if wanted else because.version(key[1])
        mended.append(
            Wanted(
                "reverse",
                key[0],
                key[1],
                decided_at,
                version,
                reason="redecided",
                quantity=standing.quantity,
                signals=because.signals,
            )
        )
    if asked is not None:
        mended.append(asked)
    return mended


def _standing(entries: list[T]) -> T | None:
    """The charge that no reversal follows."""
    return entries[-1] if entries and entries[-1].op == "charge" else None
