"""Where a window ends, what confirms, what stops, what brings a charge back: under the standard policy."""

from __future__ import annotations

from workload.adversarial.shaper import BORDER, PLAIN, RETURNS, Shaper
from workload.month import MINUTE
from workload.script import DAY, HOUR, SECOND


def settling(shaper: Shaper) -> None:
    """Windows to the microsecond, ties, affirmations, returns, requests for a human."""
    _window_ends(shaper)
    _borders_of_the_month(shaper)
    _affirmations(shaper)
    _ties(shaper)
    _returns(shaper)
    _given_up(shaper)


def _window_ends(shaper: Shaper) -> None:
    for tag, after, intent in (
        ("message-at-window-end", 0, "needs_help"),
        ("message-a-second-after-window", SECOND, "needs_help"),
        ("message-a-microsecond-after-window", 1, "needs_help"),
        ("affirmed-at-window-end", 0, "affirm"),
        ("affirmed-a-microsecond-after-window", 1, "affirm"),
        ("human-at-window-end", 0, "human_request"),
        ("thanks-after-charge", 6 * HOUR, "thanks"),
        ("other-stops-window", -23 * HOUR, "other"),
        ("other-after-charge", 6 * HOUR, "other"),
    ):
        c, answer = shaper.answered(tag)
        c.customer_says(answer + 24 * HOUR + after, intent)
    c, answer = shaper.answered("asked-back-at-window-end")
    c.add(answer + 24 * HOUR, "ai_question")


def _borders_of_the_month(shaper: Shaper) -> None:
    month = shaper.month
    shaper.answered("window-crosses-month-end", month.end - 5 * HOUR, BORDER)
    shaper.answered("window-ends-at-month-end", month.end - DAY - 8 * SECOND, BORDER)
    shaper.answered("window-ends-a-microsecond-before-month-end", month.end - DAY - 8 * SECOND - 1, BORDER)
    shaper.answered("answer-before-contract", month.start - HOUR, BORDER)
    shaper.answered("answer-at-contract-start", month.start - 8 * SECOND, BORDER)
    c, _ = shaper.answered("answer-before-contract-affirmed-in-it", month.start - 2 * HOUR, BORDER)
    c.customer_says(month.start + HOUR, "affirm")
    c, _ = shaper.answered("answer-before-contract-and-again-in-it", month.start - 2 * HOUR, BORDER)
    c.add(c.customer_says(month.start + HOUR, "question") + 8 * SECOND, "ai_answer")
    shaper.answered("summer-time-ends", month.start + 24 * DAY + 30 * MINUTE, RETURNS)


def _affirmations(shaper: Shaper) -> None:
    c, answer = shaper.answered("affirmed-after-nudge")
    c.add(answer + 4 * MINUTE, "ai_nudge")
    c.customer_says(answer + 5 * MINUTE, "affirm")
    c, answer = shaper.answered("affirmed-after-other")
    c.customer_says(answer + MINUTE, "other")
    c.customer_says(answer + 2 * MINUTE, "affirm")
    c, answer = shaper.answered("affirmed-after-escalation")
    c.add(answer + MINUTE, "escalated")
    c.customer_says(answer + 2 * MINUTE, "affirm")
    c = shaper.talk("affirmed-before-any-answer")
    c.customer_says(shaper.at, "affirm")
    c, answer = shaper.answered("greeting-is-no-answer", place=RETURNS)
    c.add(answer + MINUTE, "ai_greeting")
    c.customer_says(answer + 2 * MINUTE, "affirm")
    c, answer = shaper.answered("asked-back", place=RETURNS)
    c.add(answer + MINUTE, "ai_question")
    c.customer_says(answer + 2 * MINUTE, "affirm")
    c = shaper.talk("only-a-teammate")
    c.add(c.customer_says(shaper.at, "question") + HOUR, "teammate_reply")


def _ties(shaper: Shaper) -> None:
    """Equal instants: exclusions first, then the customer, then the others."""
    c = shaper.talk("question-and-answer-at-one-instant", PLAIN)
    c.customer_says(c.add(shaper.at, "ai_answer"), "question")
    c = shaper.talk("affirmed-at-the-answers-instant", PLAIN)
    c.customer_says(c.add(shaper.at, "ai_answer"), "affirm")
    c, answer = shaper.answered("flagged-at-the-affirmations-instant", place=PLAIN)
    c.customer_says(c.add(answer + MINUTE, "flagged", flag="spam"), "affirm")
    c, answer = shaper.answered("flagged-and-cleared-at-one-instant", place=PLAIN)
    c.add(c.add(answer + MINUTE, "cleared"), "flagged", flag="test")
    c, answer = shaper.answered("asked-back-at-the-answers-instant", place=PLAIN)
    c.add(answer, "ai_question")


def _returns(shaper: Shaper) -> None:
    c = shaper.talk("ten-reversals", RETURNS)
    when = c.customer_says(shaper.at, "question")
    for _ in range(11):
        when = c.customer_says(c.add(when + 9 * SECOND, "ai_answer") + MINUTE, "affirm")
        when = c.customer_says(when + HOUR, "needs_help")
    for intent in ("question", "negative", "human_request"):
        c, answer = shaper.answered(f"charged-then-{intent}", place=RETURNS)
        c.customer_says(c.customer_says(answer + MINUTE, "affirm") + DAY, intent)
    c, answer = shaper.answered("human-bars-for-ever", place=RETURNS)
    c.customer_says(answer + MINUTE, "human_request")
    c.customer_says(c.add(answer + HOUR, "ai_answer") + MINUTE, "affirm")
    c = shaper.talk("human-asked-for-before-any-answer", RETURNS)
    c.customer_says(shaper.at, "human_request")
    c.customer_says(c.add(shaper.at + MINUTE, "ai_answer") + MINUTE, "affirm")
    c = shaper.talk("a-hundred-turns", RETURNS)
    when = shaper.at
    for _ in range(100):
        when = c.add(c.customer_says(when + MINUTE, "question") + 8 * SECOND, "ai_answer")


def _given_up(shaper: Shaper) -> None:
    for signal in ("escalated", "procedure_failed"):
        c, answer = shaper.answered(f"{signal}-then-answered-again", place=RETURNS)
        c.customer_says(c.add(c.add(answer + MINUTE, signal) + HOUR, "ai_answer") + MINUTE, "affirm")
    c, answer = shaper.answered("handoff-is-never-undone", place=RETURNS)
    c.add(answer + MINUTE, "procedure_handoff")
    c.customer_says(answer + HOUR, "human_request")
    c, answer = shaper.answered("handoff-then-answered-and-affirmed", place=RETURNS)
    c.customer_says(c.add(c.add(answer + MINUTE, "procedure_handoff") + HOUR, "ai_answer") + MINUTE, "affirm")
    c, answer = shaper.answered("human-bars-a-handoff", place=RETURNS)
    c.add(c.customer_says(answer + MINUTE, "human_request") + MINUTE, "procedure_handoff")
    c, answer = shaper.answered("voice-outcome", place=PLAIN, channel="voice")
    c.events[-1]["data"]["outcome_type"] = "voice_outcome"
    c.customer_says(answer + MINUTE, "thanks")
    c = shaper.talk("disqualified", PLAIN)
    c.add(c.customer_says(shaper.at, "question") + MINUTE, "outcome_reached", outcome_type="disqualification")
