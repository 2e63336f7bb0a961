"""
What becomes of a lane's open deliveries: sent, netted, cancelled, sent as a negative, or made a correction.

A lane is one customer's one meter; Stripe takes one call at a time of it. Source: design rules 6 and 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from invoicing_sync.usage.domain.states import MAYBE_SENT, Correction, State


class Do(StrEnum):
    """One step for one delivery."""

    SEND = "send"  # a meter event with the delivery's value: a charge, or a reversal as a negative
    CANCEL = "cancel"  # an adjustment that takes the charge's event out again
    NET = "net"  # the delivery needs no call
    CORRECT = "correct"  # no meter event: a correction
    ASK = "ask"  # too long unclear to be sent again: the summaries decide


@dataclass(frozen=True, slots=True)
class Limits:
    """Stripe's limits, each less a margin for the time that a call waits in its lane."""

    resend_within: timedelta  # Stripe remembers an identifier for at least 24 h
    cancel_within: timedelta  # an event can be cancelled for 24 h after Stripe received it
    oldest: timedelta  # a meter event's timestamp may lie 35 days back


@dataclass(frozen=True, slots=True)
class Effect:
    """A delivery as the rules see it. `reverses` is the identifier of the charge, None for a charge."""

    identifier: str
    state: State
    effective_at: datetime
    reverses: str | None = None
    sent_at: datetime | None = None  # business time of the first call that Stripe may have received
    cancels: bool = False  # a call was made, and it was an adjustment
    cancel_refused: bool = False  # Stripe has refused to cancel the charge's event: it is outweighed instead


@dataclass(frozen=True, slots=True)
class Step:
    """What to do with one delivery; `correction` says why for CORRECT."""

    identifier: str
    do: Do
    correction: Correction | None = None


def plan_lane(
    opened: Sequence[Effect], charges: Mapping[str, Effect], *, now: datetime, limits: Limits
) -> tuple[Step, ...]:
    """
    The next steps of one lane, in order.

    Where a call is unclear, only that is done: nothing overtakes it. Otherwise pending charges whose reversal is
    pending too are netted, and the rest is routed by what became of the charge.

    Args:
        opened: the lane's open deliveries in the order in which they came.
        charges: the charges of the reversals among them, by identifier, whatever their state.
    """
    unclear = [effect for effect in opened if effect.state in MAYBE_SENT]
    if unclear:
        return tuple(_again(effect, charges.get(effect.reverses or ""), now, limits) for effect in unclear)
    pending = {effect.identifier: effect for effect in opened}
    reversed_now = {effect.reverses for effect in opened if effect.reverses is not None}
    steps: list[Step] = []
    for effect in opened:
        if effect.reverses is None:
            steps.append(_charge(effect, effect.identifier in reversed_now, now, limits))
            continue
        charge = pending.get(effect.reverses) or charges[effect.reverses]
        step = route_reversal(effect, charge, now=now, limits=limits)
        if step is not None:
            steps.append(step)
    return tuple(steps)


def route_reversal(reversal: Effect, charge: Effect, *, now: datetime, limits: Limits) -> Step | None:
    """
    The way of a reversal that may still reach Stripe: its period is not frozen for it.

    Returns None while the charge is on its way: first its answer, then the reversal. A charge that was refused or never
    sent needs no call; one that Stripe holds is cancelled while it can be, and outweighed by a negative event after, or
    where Stripe has refused to cancel it.

    Source: design rule 7.
    """
    match charge.state:
        case State.PENDING | State.WAITING_FOR_CONTRACT:
            if too_old(charge.effective_at, now, limits):
                return Step(reversal.identifier, Do.CORRECT, Correction.CHARGE_IS_CORRECTION)
            return Step(reversal.identifier, Do.NET)
        case State.IN_FLIGHT | State.UNCLEAR:
            return None
        case State.REFUSED | State.NETTED:  # netted alone: its meter was free then, and Stripe never heard of it
            return Step(reversal.identifier, Do.NET)
        case State.CORRECTION:
            return Step(reversal.identifier, Do.CORRECT, Correction.CHARGE_IS_CORRECTION)
        case State.DELIVERED:
            return _take_back(reversal, charge, now, limits)
        case _:
            raise ValueError(f"{reversal.identifier} reverses {charge.identifier}, which is {charge.state} already")


def too_old(effective_at: datetime, now: datetime, limits: Limits) -> bool:
    """Whether Stripe would refuse a meter event with this timestamp."""
    return now - effective_at > limits.oldest


def _again(effect: Effect, charge: Effect | None, now: datetime, limits: Limits) -> Step:
    """
    Ask once more, while Stripe's answer would tell. An adjustment of an event that Stripe finds too old by now is
    refused for that, whether it was carried out before or not: then, as after RESEND_HOURS, the summaries decide.
    """
    asked_too_late = effect.sent_at is not None and now - effect.sent_at > limits.resend_within
    if effect.cancels and charge is not None and charge.sent_at is not None:
        asked_too_late = asked_too_late or now - charge.sent_at >= limits.cancel_within
    if asked_too_late:
        return Step(effect.identifier, Do.ASK)
    return Step(effect.identifier, Do.CANCEL if effect.cancels else Do.SEND)


def _charge(charge: Effect, reversed_now: bool, now: datetime, limits: Limits) -> Step:
    if too_old(charge.effective_at, now, limits):
        return Step(charge.identifier, Do.CORRECT, Correction.TOO_OLD)
    return Step(charge.identifier, Do.NET if reversed_now else Do.SEND)


def _take_back(reversal: Effect, charge: Effect, now: datetime, limits: Limits) -> Step:
    is_young = charge.sent_at is not None and now - charge.sent_at < limits.cancel_within
    if is_young and not reversal.cancel_refused:
        return Step(reversal.identifier, Do.CANCEL)
    if too_old(charge.effective_at, now, limits):
        return Step(reversal.identifier, Do.CORRECT, Correction.TOO_OLD)
    return Step(reversal.identifier, Do.SEND)
