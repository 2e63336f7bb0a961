"""Flags and merging: a curtain over what the walk has charged, closed by a flag, open again when all are cleared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from usage_rating.domain.entries import Wanted
from usage_rating.domain.ranks import CLEARED, FLAGGED, MERGED_INTO
from usage_rating.domain.signal import Signal


@dataclass(frozen=True, slots=True)
class Turn:
    """The curtain closes (`reason` says why) or opens (None) at an instant, by a signal."""

    at: int
    reason: str | None
    signal: Signal


class Exclusions:
    """Reads flags, clearings and merging in order, and remembers when the curtain turned."""

    def __init__(self) -> None:
        self.flags: dict[str, None] = {}  # in order of their raising: the first one names the reason
        self.for_ever = False
        self.turns: list[Turn] = []

    @property
    def closed_by(self) -> str | None:
        """The reason for which the conversation is excluded now; None where it is not."""
        return self.turns[-1].reason if self.turns else None

    def see(self, signal: Signal) -> bool:
        """Take a signal in order; False where it is none of the curtain's."""
        if signal.rank > MERGED_INTO:
            return False
        if signal.rank == FLAGGED:
            self.flags[signal.detail] = None
            self._close(signal, signal.detail)
        elif signal.rank == CLEARED:
            self._clear(signal)
        else:
            self._close(signal, "merged")
            self.for_ever = True
        return True

    def _clear(self, signal: Signal) -> None:
        if signal.detail:
            self.flags.pop(signal.detail, None)
        else:
            self.flags.clear()
        if not self.flags and not self.for_ever and self.closed_by is not None:
            self.turns.append(Turn(signal.at, None, signal))

    def _close(self, signal: Signal, reason: str) -> None:
        if self.closed_by is None or reason == "merged":
            self.turns.append(Turn(signal.at, reason, signal))


def exclude(entries: Sequence[Wanted], curtain: Exclusions) -> tuple[Wanted, ...]:
    """
    The walk's entries as they show through the curtain.

    Closing reverses what stands, for the curtain's reason; while it is closed nothing is charged; opening charges what
    then stands in the walk, with that charge's own `effective_at` and way, caused by the clearing.
    At equal instants the curtain turns first.
    """
    shown: list[Wanted] = []
    standing: Wanted | None = None  # the walk's charge, shown or not
    closed = False
    pending = list(curtain.turns)

    def turn_until(instant: int) -> None:
        nonlocal closed
        while pending and pending[0].at <= instant:
            turn = pending.pop(0)
            if turn.reason is not None:
                if standing is not None and not closed:
                    shown.append(_hidden(standing, turn))
                closed = True
            else:
                if standing is not None and closed:
                    shown.append(_shown_again(standing, turn))
                closed = False

    for entry in entries:
        turn_until(entry.caused_at)
        standing = entry if entry.op == "charge" else None
        if not closed:
            shown.append(entry)
    turn_until(2**63)
    return tuple(shown)


def _hidden(standing: Wanted, turn: Turn) -> Wanted:
    return Wanted(
        "reverse",
        standing.meter,
        standing.effective_at,
        turn.at,
        standing.policy_version,
        reason=turn.reason or "",
        signals=(turn.signal.identity,),
    )


def _shown_again(standing: Wanted, turn: Turn) -> Wanted:
    return Wanted(
        "charge",
        standing.meter,
        standing.effective_at,
        turn.at,
        standing.policy_version,
        how=standing.how,
        signals=(*standing.signals, turn.signal.identity),
    )
