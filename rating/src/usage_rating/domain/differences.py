"""From which instant on two timelines of a customer decide otherwise: what lies before it need not be decided again."""

from __future__ import annotations

from usage_rating.domain.policy import ContractTimeline, Policy

EVER = -(2**62)  # before every signal: all can come out otherwise


def first_difference(old: ContractTimeline | None, new: ContractTimeline | None) -> int | None:
    """
    The first instant (microseconds) whose signals the two timelines can judge differently; None: there is none.

    A conversation whose signals all lie before it is decided alike by both, at every `as_of`: a signal alone asks for
    the policy, and for the one at its own instant. A window is judged by the policy at the answer that opened it, a
    return by the horizon of the charge's policy, so both lie where their signal lies. Without any contract a
    conversation is pending, so the first contract and the lost one touch all (EVER).

    The name of a version decides nothing, and neither do prices, which no timeline holds.
    """
    if old is None or new is None:
        return None if old is new else EVER
    for instant in sorted({*old.starts, *new.starts}):
        if not _judge_alike(old.at(instant), new.at(instant)):
            return instant
    return None


def first_difference_in_force(old: ContractTimeline | None, new: ContractTimeline | None) -> int | None:
    """
    The same for records of products, of which a timeline decides only whether a contract is in force.

    A record is judged at its original, so what matters is where the first policies begin.
    """
    if old is None or new is None:
        return None if old is new else EVER
    before, after = old.starts[0], new.starts[0]
    return None if before == after else min(before, after)


def earliest(instants: list[int | None]) -> int | None:
    """The first of several differences; None where there is none."""
    return min((instant for instant in instants if instant is not None), default=None)


def _judge_alike(old: Policy | None, new: Policy | None) -> bool:
    if old is None or new is None:
        return old is new
    return (
        all(old.window_of(channel) == new.window_of(channel) for channel in {*old.window, *new.window})
        and old.teammate_takeover_voids == new.teammate_takeover_voids
        and old.return_horizon == new.return_horizon
        and old.decided_by_product == new.decided_by_product
        and old.precedence == new.precedence
    )
