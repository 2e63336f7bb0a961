"""Whose turn it is in a lane, which is one record at one destination: one call at a time, parents first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.deliveries.domain.answers import Act
from chassis.deliveries.domain.states import IN_DOUBT, State


@dataclass(frozen=True, slots=True)
class Place:
    """A delivery as its lane sees it."""

    delivery_id: int
    version: int
    state: State
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """The call to make now. Neither a call nor a parent to wait for: the lane has nothing to do."""

    act: Act | None = None
    delivery_id: int = 0
    waits_for: str | None = None


NOTHING = Turn()


def turn(lane: Sequence[Place], parents: Mapping[str, State]) -> Turn:
    """
    Whose turn it is.

    What is in doubt goes first, by a look-up: nothing overtakes it. What waits for a person holds the lane, since what
    a person changed over there is not written over by the next version either. Then the newest version alone is sent,
    once all its parents are there.

    Args:
        lane: its deliveries that have not ended.
        parents: the state in which each parent stands; one that is missing is not known yet.
    """
    in_order = sorted(lane, key=lambda place: place.version)
    for place in in_order:
        if place.state in IN_DOUBT:
            return Turn(Act.LOOK_UP, place.delivery_id)
    if any(place.state is State.WAITING_FOR_PERSON for place in in_order):
        return NOTHING
    pending = [place for place in in_order if place.state is State.PENDING]
    if not pending:
        return NOTHING
    for parent in pending[-1].parents:
        if parents.get(parent) is not State.DONE:
            return Turn(waits_for=parent)
    return Turn(Act.SEND, pending[-1].delivery_id)


def superseded(versions: Mapping[int, State]) -> set[int]:
    """The versions of one record that are not sent any more, since a newer one is or was wanted."""
    newest = max(versions, default=0)
    return {
        version for version, state in versions.items() if version < newest and state in (State.PENDING, State.REFUSED)
    }


def standing(versions: Mapping[int, State]) -> State | None:
    """The state in which a record stands as a parent: that of its newest version that was not given up."""
    kept = {v: state for v, state in versions.items() if state not in (State.SUPERSEDED, State.CANCELLED)}
    return kept[max(kept)] if kept else None
