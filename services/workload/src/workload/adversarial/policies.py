"""Contracts that depart from the standard: who voids, how long, whose word, which type, and a change on the way."""

from __future__ import annotations

from workload.adversarial.shaper import CHANGED, EMAIL_72, HORIZON_14, PLAIN, PRECEDENCE, PRODUCT, VOIDS, Shaper
from workload.month import MINUTE
from workload.script import DAY, HOUR, SECOND


def policies(shaper: Shaper) -> None:
    """Each parameter of the policy at the place where it matters."""
    middle = shaper.month.start + 14 * DAY
    shaper.answered("policy-changes-inside-window", middle - HOUR, CHANGED)
    c, answer = shaper.answered("policy-just-changed", middle - 8 * SECOND, CHANGED)
    c.customer_says(answer + 30 * HOUR, "needs_help")
    c, answer = shaper.answered("policy-about-to-change", middle - 8 * SECOND - 1, CHANGED)
    c.customer_says(answer + 30 * HOUR, "affirm")
    c, answer = shaper.answered("teammate-voids", place=VOIDS)
    c.add(answer + HOUR, "teammate_reply")
    c, answer = shaper.answered("teammate-after-charge-voids-nothing", place=VOIDS)
    c.add(answer + 25 * HOUR, "teammate_reply")
    c, answer = shaper.answered("teammate-does-not-void", place=PLAIN)
    c.add(answer + HOUR, "teammate_reply")
    for tag, after, intent in (
        ("returned-at-horizon", 0, "needs_help"),
        ("returned-beyond-horizon", 1, "needs_help"),
        ("human-beyond-horizon", 1, "human_request"),
    ):
        c, answer = shaper.answered(tag, place=HORIZON_14)
        c.customer_says(answer + 15 * DAY + after, intent)
        c.customer_says(c.add(answer + 15 * DAY + MINUTE, "ai_answer") + MINUTE, "affirm")
    c, answer = shaper.answered("email-72-hours", place=EMAIL_72, channel="email")
    c.customer_says(answer + 71 * HOUR, "needs_help")
    c, answer = shaper.answered("chat-of-an-email-contract", place=EMAIL_72)
    c.customer_says(answer + 71 * HOUR, "affirm")
    _types(shaper)
    _products(shaper)


def _types(shaper: Shaper) -> None:
    def qualifies(tag: str, place: int, after: int) -> int:
        c, answer = shaper.answered(tag, place=place)
        c.add(answer + after, "outcome_reached", outcome_type="qualification")
        return answer

    qualifies("resolution-replaced-by-qualification", PRECEDENCE, 30 * HOUR)
    qualifies("qualified-within-the-window", PRECEDENCE, HOUR)
    qualifies("first-type-stays", PLAIN, 30 * HOUR)
    c, answer = shaper.answered("qualification-not-replaced", place=PRECEDENCE)
    c.add(answer + MINUTE, "outcome_reached", outcome_type="qualification")
    c.add(answer + HOUR, "outcome_reached", outcome_type="disqualification")
    c, answer = shaper.answered("replaced-and-flagged", place=PRECEDENCE)
    c.add(answer + 30 * HOUR, "outcome_reached", outcome_type="qualification")
    c.add(answer + 31 * HOUR, "flagged", flag="spam")
    c, answer = shaper.answered("human-after-qualification", place=PRECEDENCE)
    c.add(answer + 30 * HOUR, "outcome_reached", outcome_type="qualification")
    c.customer_says(answer + 31 * HOUR, "human_request")


def _products(shaper: Shaper) -> None:
    month, at = shaper.month, shaper.at
    c = shaper.talk("product-confirms", PRODUCT)
    c.resolution(c.customer_says(at, "question") + MINUTE, "confirmed")
    c = shaper.talk("product-reverses-after-freeze", PRODUCT)
    c.resolution(at, "assumed")
    c.resolution(month.end + 9 * HOUR, "reversed")
    c = shaper.talk("product-changes-its-mind-twice", PRODUCT)
    for hour, state in enumerate(("assumed", "reversed", "confirmed", "confirmed")):
        c.resolution(at + hour * HOUR, state)
    c = shaper.talk("product-barred-by-human", PRODUCT)
    c.customer_says(at, "human_request")
    c.resolution(at + MINUTE, "confirmed")
    c = shaper.talk("product-reversed-by-human", PRODUCT)
    c.resolution(at, "confirmed")
    c.customer_says(at + HOUR, "human_request")
    c = shaper.talk("product-not-reversed-by-question", PRODUCT)
    c.resolution(at, "confirmed")
    c.customer_says(at + HOUR, "question")
    c = shaper.talk("product-flagged-and-cleared", PRODUCT)
    c.resolution(at, "confirmed")
    c.add(at + HOUR, "flagged", flag="internal")
    c.add(at + 2 * HOUR, "cleared")
    c, answer = shaper.answered("signals-are-evidence-under-product", place=PRODUCT)
    c.customer_says(answer + MINUTE, "affirm")
    c.add(answer + HOUR, "procedure_handoff")
    c = shaper.talk("product-word-is-evidence", PLAIN)
    c.resolution(c.customer_says(at, "question") + MINUTE, "confirmed")
    c = shaper.talk("product-reverses-what-is-not-its-own", PLAIN)
    c.customer_says(c.add(at, "ai_answer") + MINUTE, "affirm")
    c.resolution(at + HOUR, "reversed")
