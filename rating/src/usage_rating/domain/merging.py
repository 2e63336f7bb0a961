"""The union of what a row has kept and what has arrived: sets by identity, whatever the order and however often."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Generic, TypeVar

import msgspec

from usage_rating.domain.signal import Report, Signal

T = TypeVar("T", Signal, Report)


@dataclass(frozen=True, slots=True)
class Merged(Generic[T]):
    """The set after the union. `kept` counts and is sorted; `others` are contents that lost to the one that counts."""

    kept: tuple[T, ...]
    others: tuple[T, ...]
    applied: int
    duplicate: int
    conflicting: int


def merge(kept: Iterable[T], others: Iterable[T], arrived: Iterable[T]) -> Merged[T]:
    """
    Add what has arrived to what is kept.

    The same identity with the same content is a duplicate; with other content it is conflicting: both are kept, and the
    one with the smaller fingerprint counts, so that the order of arrival decides nothing. Repeating a merge changes
    nothing but the counts.

    Source: design rule 4.
    """
    by_identity = {event.identity: event for event in kept}
    losers = {(event.identity, event.content): event for event in others}
    applied = duplicate = conflicting = 0
    for event in arrived:
        present = by_identity.get(event.identity)
        if present is None:
            by_identity[event.identity] = event
            applied += 1
        elif present.content == event.content or (event.identity, event.content) in losers:
            duplicate += 1
        else:
            conflicting += 1
            winner, loser = (event, present) if fingerprint(event) < fingerprint(present) else (present, event)
            by_identity[event.identity] = winner
            losers[(loser.identity, loser.content)] = loser
    return Merged(tuple(sorted(by_identity.values())), tuple(sorted(losers.values())), applied, duplicate, conflicting)


def fingerprint(event: Signal | Report) -> bytes:
    """Eight bytes of the content's hash: an order between contents that nobody can aim at."""
    return blake2b(msgspec.msgpack.encode(event.content), digest_size=8).digest()
