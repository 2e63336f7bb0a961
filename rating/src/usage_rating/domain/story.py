"""A conversation told in words: what happened, and for each charge and each non-charge the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from event_schemas.times import from_micros
from usage_rating.domain.entries import Wanted
from usage_rating.domain.exclusions import Exclusions
from usage_rating.domain.outcome import Identity, Walk, decide
from usage_rating.domain.policy import ContractTimeline
from usage_rating.domain.ranks import (
    AI_ANSWER,
    CLEARED,
    CUSTOMER_MESSAGE,
    FLAGGED,
    MERGED_INTO,
    NAMES,
    OUTCOME_REACHED,
    RESOLUTION,
)
from usage_rating.domain.signal import Signal

_WHAT = {
    "ai_question": "The AI asked back.",
    "ai_greeting": "The AI greeted; a greeting is no answer.",
    "ai_nudge": "The AI sent a reminder; a reminder changes nothing.",
    "procedure_handoff": "A procedure ended in the hand-off that it was set up for.",
    "procedure_failed": "A procedure failed.",
    "escalated": "The conversation was escalated.",
    "teammate_reply": "A teammate replied.",
}
_INTENTS = {
    "question": "The customer asked a question.",
    "affirm": "The customer affirmed.",
    "thanks": "The customer said thanks, which counts as affirming.",
    "needs_help": "The customer still needed help.",
    "human_request": "The customer asked for a human.",
    "negative": "The customer gave negative feedback.",
    "other": "The customer wrote something else.",
}
_HOW = {
    "confirmed": "the customer confirmed it inside the window",
    "assumed": "the window ended in silence",
    "executed": "the procedure did what it was set up for",
    "reached": "this outcome charges when it is reached",
    "product_confirmed": "the product reported it as confirmed",
    "product_assumed": "the product reported it as assumed",
}
WHY = {
    "no_contract": "There is no contract yet: kept, not charged.",
    "no_contract_in_force": "No contract was in force at the answer.",
    "no_answer": "The AI never gave an answer.",
    "window_open": "The window is still open: nothing is charged before it ends.",
    "human_requested": "A human was asked for: this conversation can no longer be charged.",
    "customer_returned": "The customer came back, and nothing has settled it since.",
    "customer_wrote_again": "The customer wrote again before the window ended.",
    "negative_feedback": "The customer gave negative feedback before the window ended.",
    "ai_asked_back": "The last AI message was a question that stayed unanswered.",
    "procedure_failed": "The procedure failed.",
    "escalated": "The conversation was escalated.",
    "teammate_took_over": "A teammate took over inside the window, and the contract says that this voids it.",
    "product_reversed": "The product took its word back.",
    "spam": "Flagged as spam.",
    "test": "Flagged as a test.",
    "internal": "Flagged as internal.",
    "merged": "Merged into another conversation, which is judged by itself.",
    **{how: f"Charged once: {words}." for how, words in _HOW.items()},
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the story. `at` in microseconds; `signal` names the event that it tells of, if any."""

    at: int
    sentence: str
    signal: Identity | None = None


def story(signals: Sequence[Signal], timeline: ContractTimeline | None, *, as_of: int) -> tuple[Line, ...]:
    """The conversation in words, in order of time, ending with where it stands at `as_of` and why."""
    decision = decide(signals, timeline, as_of=as_of)
    lines: list[Line] = []
    if timeline is None:
        lines += [Line(signal.at, _what(signal), signal.identity) for signal in signals]
    else:
        lines += _told(signals, timeline, as_of)
    lines.append(Line(as_of, WHY.get(decision.why, decision.why)))
    return tuple(lines)


def _told(signals: Sequence[Signal], timeline: ContractTimeline, as_of: int) -> list[Line]:
    walk, curtain = Walk(timeline), Exclusions()
    lines: list[Line] = []
    for signal in signals:
        if walk.waits_before(signal, as_of):
            break
        before = len(walk.entries)
        walk.mature(signal.at - 1)
        lines += _entries(walk.entries[before:], curtain)
        before, window = len(walk.entries), walk.window
        if curtain.see(signal):
            lines.append(Line(signal.at, _what(signal), signal.identity))
            continue
        walk.see(signal)
        lines.append(Line(signal.at, f"{_what(signal)}{_window(walk, window, signal)}", signal.identity))
        lines += _entries(walk.entries[before:], curtain)
    before = len(walk.entries)
    walk.mature(as_of)
    return lines + _entries(walk.entries[before:], curtain)


def _what(signal: Signal) -> str:
    name = NAMES[signal.rank]
    if signal.rank == CUSTOMER_MESSAGE:
        return _INTENTS[signal.detail]
    if signal.rank == AI_ANSWER:
        return "The AI answered."
    if signal.rank == OUTCOME_REACHED:
        return f"The outcome {signal.outcome_type} was reached."
    if signal.rank == RESOLUTION:
        return f"The product reported the resolution as {signal.detail}."
    if signal.rank == FLAGGED:
        return f"Flagged as {signal.detail}: excluded from here on, and reversed if it was charged."
    if signal.rank == CLEARED:
        return f"The flag{f' {signal.detail}' if signal.detail else 's'} cleared."
    if signal.rank == MERGED_INTO:
        return f"Merged into {signal.detail}: excluded for ever, and reversed if it was charged."
    return _WHAT[name]


def _window(walk: Walk, before: object, signal: Signal) -> str:
    if walk.window is not None and walk.window is not before:
        return f" A window opens until {_shown(walk.window.end)} (policy {walk.window.policy.version})."
    if before is not None and walk.window is None and not (walk.entries and walk.entries[-1].caused_at == signal.at):
        return " That ends the window: no charge."
    return ""


def _entries(entries: Sequence[Wanted], curtain: Exclusions) -> list[Line]:
    hidden = " It does not count while the conversation is excluded." if curtain.closed_by else ""
    return [Line(entry.caused_at, _entry(entry) + hidden) for entry in entries]


def _entry(entry: Wanted) -> str:
    if entry.op == "charge":
        return f"Charged as {entry.meter}: {_HOW[entry.how]} (policy {entry.policy_version})."
    reason = entry.reason.replace("_", " ")
    return f"The charge of {_shown(entry.effective_at)} as {entry.meter} is reversed: {reason}."


def _shown(micros: int) -> str:
    return f"{from_micros(micros):%Y-%m-%d %H:%M:%S} UTC"
