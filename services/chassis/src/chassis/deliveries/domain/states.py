"""
The states of a delivery, and which one follows.

    pending ──▶ in flight ──▶ done
       ▲            │  ├────▶ refused, waiting for a person ──(drive again, cancel)──▶ pending, cancelled
       │            ▼  └────▶ pending again, after a wait
       └─absent── unclear ──found──▶ done
    pending, refused ──(a newer version of the same record is wanted)──▶ superseded
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from chassis.deliveries.domain.answers import Act, Answer, Kind, checked
from chassis.deliveries.domain.policy import Policy
from chassis.pacing import backoff_s


class State(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    IN_FLIGHT = "in_flight"  # the intent is stored: a call may have been made
    UNCLEAR = "unclear"  # a call was made, and whether it was done is not known
    DONE = "done"
    REFUSED = "refused"  # a dead letter, with the vendor's sentence
    WAITING_FOR_PERSON = "waiting_for_person"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


OPEN = frozenset({State.PENDING, State.IN_FLIGHT, State.UNCLEAR})
IN_DOUBT = frozenset({State.IN_FLIGHT, State.UNCLEAR})
DEAD_LETTERS = frozenset({State.REFUSED, State.WAITING_FOR_PERSON})


class NotAllowed(Exception):
    """A person asks for what this delivery's state does not allow: a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Next:
    """
    What becomes of a delivery after an answer.

    `wait_s`: so long its lane rests where it is still open, and its destination where the far side wants fewer calls.
    """

    state: State
    failures: int
    wait_s: float = 0.0


def after(
    act: Act, answer: Answer, *, failures: int, newest: bool, sent_ago_s: float, policy: Policy, rng: random.Random
) -> Next:
    """
    What follows from an answer.

    Args:
        failures: calls for this delivery that failed in a row until now.
        newest: whether no newer version of its record is wanted; an older one is never sent over it.
        sent_ago_s: seconds since the intent of the call; a look-up before `settle_s` could miss what is under way.

    Raises:
        ValueError: this call cannot give such an answer.
    """
    kind = checked(act, answer).kind
    failed = failures + 1
    wait_s = backoff_s(failed, base_s=policy.retry_base_s, cap_s=policy.retry_cap_s, rng=rng)
    wait_s = max(wait_s, answer.after_s or 0.0)
    match kind:
        case Kind.DONE | Kind.FOUND:
            return Next(State.DONE, 0)
        case Kind.DIFFERS:
            return Next(State.WAITING_FOR_PERSON, 0)
        case Kind.UNCLEAR:
            return Next(State.UNCLEAR, failed, max(wait_s, policy.settle_s - sent_ago_s))
        case Kind.RATE_LIMITED | Kind.UNAVAILABLE if act is Act.LOOK_UP:
            return Next(State.UNCLEAR, failed, wait_s)
    # from here on it is surely not there
    if not newest:
        return Next(State.SUPERSEDED, 0, wait_s if kind is Kind.RATE_LIMITED else 0.0)
    match kind:
        case Kind.ABSENT:
            return Next(State.PENDING, failures)
        case Kind.REFUSED:
            return Next(State.REFUSED, 0)
        case Kind.NEEDS_PERSON:
            return Next(State.WAITING_FOR_PERSON, 0)
        case Kind.UNAVAILABLE if failed >= policy.max_failures:
            return Next(State.WAITING_FOR_PERSON, 0)
    return Next(State.PENDING, failed, wait_s)


def driven_again(state: State, *, newest: bool) -> State:
    """
    The state after a person said "again".

    A person who drives again what differs over there decides that ours is put there.

    Raises:
        NotAllowed: it is done, or in doubt, or something newer is wanted.
    """
    if state is State.DONE:
        raise NotAllowed("It is done: there is nothing to drive again.")
    if state in IN_DOUBT:
        raise NotAllowed("It may be there: it is looked up by itself, and sent again where it is not.")
    if state is State.SUPERSEDED or (not newest and state is not State.WAITING_FOR_PERSON):
        raise NotAllowed("A newer version of its record is wanted: an older one is never sent over it.")
    return State.PENDING if newest else State.SUPERSEDED


def cancelled(state: State) -> State:
    """
    The state after a person said "not this one".

    Raises:
        NotAllowed: it is done or may be, or has ended otherwise.
    """
    if state in IN_DOUBT:
        raise NotAllowed("It may be there: it is looked up first; cancel it once that is known.")
    if state not in (State.PENDING, State.REFUSED, State.WAITING_FOR_PERSON, State.CANCELLED):
        raise NotAllowed(f"It is {state}: there is nothing to cancel.")
    return State.CANCELLED
