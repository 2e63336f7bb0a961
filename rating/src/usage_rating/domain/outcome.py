"""
Which entries a conversation's signals ask for: the definition of what is charged, as one walk over the ordered set.

Two layers, each simple because of the other. The walk judges the conversation as if nothing excluded it: windows,
affirmations, returns, requests for a human. The exclusions (flags, merging) then lie over its result as a curtain:
while it is closed nothing is charged, and what was charged before is reversed; opened again, what stands counts.

Source: golden file, outcome_policy; design rule 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from usage_rating.domain.entries import Wanted
from usage_rating.domain.exclusions import Exclusions, exclude
from usage_rating.domain.policy import ContractTimeline, Policy
from usage_rating.domain.ranks import (
    AI_ANSWER,
    AI_QUESTION,
    CUSTOMER_MESSAGE,
    ESCALATED,
    OUTCOME_REACHED,
    PROCEDURE_FAILED,
    PROCEDURE_HANDOFF,
    RESOLUTION,
    TEAMMATE_REPLY,
)
from usage_rating.domain.signal import Signal

Status = Literal["charged", "not_chargeable", "pending", "excluded"]
Identity = tuple[str, str]

RESOLVED = frozenset({"confirmed", "assumed"})  # ways of charging that a returning customer undoes
DECIDED_BY_PRODUCT = frozenset({"product_confirmed", "product_assumed"})
AFFIRMING = frozenset({"affirm", "thanks"})
RETURNING = frozenset({"question", "needs_help", "negative"})


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What a conversation asks for at one instant.

    `why` is the code of the reason for `status`. Deciding again before `due_at` (microseconds) with the same set
    changes nothing; None: time alone changes nothing any more.
    """

    wanted: tuple[Wanted, ...]
    status: Status
    why: str
    due_at: int | None


@dataclass(slots=True)
class _Window:
    """The silence after an answer: up to and including `end` a customer's message stops it."""

    end: int
    answer: Signal
    policy: Policy
    meter: str


class Walk:
    """The walk's state after the signals seen so far. `why` names what last kept a charge from standing."""

    def __init__(self, timeline: ContractTimeline) -> None:
        self.timeline = timeline
        self.entries: list[Wanted] = []
        self.charged: Wanted | None = None
        self.horizon: int | None = None  # of the standing charge's policy
        self.window: _Window | None = None
        self.barred = False
        self.why = "no_answer"

    def see(self, signal: Signal) -> None:
        """Take the next signal in order: what has matured before it first, then what it does itself."""
        self.mature(signal.at - 1)
        step = _STEPS.get(signal.rank)
        if step is not None:
            step(self, signal)

    def waits_before(self, signal: Signal, as_of: int) -> bool:
        """
        Whether the open window ends after `as_of` and before this signal, which a clock ahead of ours has stamped.

        What it was worth is not known yet, so nothing behind it can be judged.
        """
        return self.window is not None and as_of < self.window.end < signal.at

    def mature(self, until: int) -> None:
        """Charge the open window whose end lies at or before `until`."""
        window = self.window
        if window is not None and window.end <= until:
            self.window = None
            self._charge(window.meter, window.end, "assumed", window.policy, (window.answer.identity,))

    def customer_message(self, signal: Signal) -> None:
        """A message stops the window, whatever it says; what it says decides about the rest."""
        window, self.window = self.window, None
        intent = signal.detail
        if intent in AFFIRMING:
            if window is not None:
                signals = (window.answer.identity, signal.identity)
                self._charge(window.meter, signal.at, "confirmed", window.policy, signals)
        elif intent == "human_request":
            self._reverse_within_horizon(signal, "human_requested", RESOLVED | DECIDED_BY_PRODUCT)
            self.barred = True
            if self.charged is None:
                self.why = "human_requested"
        elif intent in RETURNING:
            self._reverse_within_horizon(signal, "customer_returned", RESOLVED)
            if window is not None and self.charged is None:
                self.why = "negative_feedback" if intent == "negative" else "customer_returned"
        elif window is not None:
            self.why = "customer_wrote_again"

    def ai_answer(self, signal: Signal) -> None:
        """An answer opens the window, or opens it anew, where a charge could still follow."""
        policy = self.timeline.at(signal.at)
        meter = signal.outcome_type or "resolution"
        if policy is None:
            self.window = None
            self.why = "no_contract_in_force"
        elif not policy.decided_by_product:
            self.window = None  # the silence that counts is the one after the last answer
            if self._may_charge(meter, policy):
                self.window = _Window(signal.at + policy.window_of(signal.channel), signal, policy, meter)

    def ai_question(self, signal: Signal) -> None:
        """The AI asks back: the last AI message is no answer any more."""
        if self.window is not None:
            self.window = None
            self.why = "ai_asked_back"

    def handoff(self, signal: Signal) -> None:
        """The procedure ended in the hand-off that it was set up for: an outcome of its own."""
        self._outcome(signal, "procedure_handoff", "executed")

    def outcome_reached(self, signal: Signal) -> None:
        """Any other outcome type charges at once."""
        self._outcome(signal, signal.outcome_type, "reached")

    def given_up(self, signal: Signal) -> None:
        """A failed procedure or an escalation ends the window; a later answer opens a new one."""
        self.window = None
        if self.charged is None and not self.barred:
            self.why = "procedure_failed" if signal.rank == PROCEDURE_FAILED else "escalated"

    def teammate_reply(self, signal: Signal) -> None:
        """A teammate steps in: it stops the window only where the contract says so."""
        if self.window is not None and self.window.policy.teammate_takeover_voids:
            self.window = None
            self.why = "teammate_took_over"

    def resolution(self, signal: Signal) -> None:
        """The product's own word: it decides under `decided_by: product` and is evidence elsewhere."""
        policy = self.timeline.at(signal.at)
        if policy is None or not policy.decided_by_product:
            return
        if signal.detail == "reversed":
            if self.charged is not None and self.charged.how in DECIDED_BY_PRODUCT:
                self._reverse(signal.at, "product_reversed", (signal.identity,), policy)
                self.why = "product_reversed"
        else:
            how = "product_confirmed" if signal.detail == "confirmed" else "product_assumed"
            self._charge(signal.outcome_type or "resolution", signal.at, how, policy, (signal.identity,))

    def _outcome(self, signal: Signal, meter: str, how: str) -> None:
        policy = self.timeline.at(signal.at)
        if policy is None:
            self.window = None
            self.why = "no_contract_in_force"
        elif not policy.decided_by_product:
            self.window = None
            self._charge(meter, signal.at, how, policy, (signal.identity,))

    def _may_charge(self, meter: str, policy: Policy) -> bool:
        if self.barred:
            return False
        if self.charged is None:
            return True
        rank = policy.precedence.get
        return rank(meter, -1) > rank(self.charged.meter, len(policy.precedence))

    def _charge(self, meter: str, at: int, how: str, policy: Policy, signals: tuple[Identity, ...]) -> None:
        if not self._may_charge(meter, policy):
            return
        if self.charged is not None:
            self._reverse(at, "replaced", signals, policy)
        self.charged = Wanted("charge", meter, at, at, policy.version, how=how, signals=signals)
        self.horizon = policy.return_horizon
        self.entries.append(self.charged)

    def _reverse_within_horizon(self, signal: Signal, reason: str, ways: frozenset[str]) -> None:
        charged = self.charged
        if charged is None or charged.how not in ways:
            return
        if self.horizon is not None and signal.at - charged.effective_at > self.horizon:
            return
        self._reverse(signal.at, reason, (signal.identity,), None)
        self.why = reason

    def _reverse(self, at: int, reason: str, signals: tuple[Identity, ...], policy: Policy | None) -> None:
        charged = self.charged
        assert charged is not None
        version = policy.version if policy is not None else charged.policy_version
        self.entries.append(
            Wanted("reverse", charged.meter, charged.effective_at, at, version, reason=reason, signals=signals)
        )
        self.charged = None


_STEPS = {
    CUSTOMER_MESSAGE: Walk.customer_message,
    AI_ANSWER: Walk.ai_answer,
    AI_QUESTION: Walk.ai_question,
    PROCEDURE_HANDOFF: Walk.handoff,
    PROCEDURE_FAILED: Walk.given_up,
    ESCALATED: Walk.given_up,
    OUTCOME_REACHED: Walk.outcome_reached,
    TEAMMATE_REPLY: Walk.teammate_reply,
    RESOLUTION: Walk.resolution,
}  # greetings and nudges are not answers and change nothing


def decide(signals: Sequence[Signal], timeline: ContractTimeline | None, *, as_of: int) -> Decision:
    """
    The entries that a conversation's signals ask for when all signals received up to `as_of` are known.

    A function of the set: the same signals give the same answer whatever the order and batches of their arrival.

    Args:
        signals: sorted and unique by identity (`merge` sees to both).
        timeline: None where the customer has no contract yet.
        as_of: microseconds; a window is charged once its end is not after it.
    """
    if timeline is None:
        return Decision((), "pending", "no_contract", None)
    walk = Walk(timeline)
    curtain = Exclusions()
    for signal in signals:
        if walk.waits_before(signal, as_of):
            break
        if not curtain.see(signal):
            walk.see(signal)
    walk.mature(as_of)
    wanted = exclude(walk.entries, curtain) if curtain.turns else tuple(walk.entries)
    due_at = walk.window.end if walk.window is not None else None
    if curtain.closed_by is not None:
        return Decision(wanted, "excluded", curtain.closed_by, None if curtain.for_ever else due_at)
    if walk.charged is not None:
        return Decision(wanted, "charged", walk.charged.how, due_at)
    if walk.window is not None:
        return Decision(wanted, "pending", "window_open", due_at)
    return Decision(wanted, "not_chargeable", walk.why, None)


def disagreement(signals: Sequence[Signal], timeline: ContractTimeline | None, *, as_of: int) -> str | None:
    """
    A sentence where the product's own word and the signals come to another net, else None.

    Asked only where a product reports resolutions; the contract's `decided_by` says which of the two charges.
    """
    if timeline is None or not any(signal.rank == RESOLUTION for signal in signals):
        return None
    by_signals = decide(signals, timeline.decided_by(product=False), as_of=as_of)
    by_product = decide(signals, timeline.decided_by(product=True), as_of=as_of)
    if "pending" in (by_signals.status, by_product.status) or by_signals.status == by_product.status:
        return None
    return (
        f"by its signals {by_signals.status} ({by_signals.why}), by the product {by_product.status} ({by_product.why})"
    )
