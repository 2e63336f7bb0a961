"""The month's freeze, from both sides and with both signs: on the invoice, or a correction."""

from __future__ import annotations

from workload.adversarial.shaper import FREEZE, LATE, PLAIN, Shaper
from workload.month import MINUTE
from workload.script import DAY, HOUR, SECOND


def freezing(shaper: Shaper) -> None:
    """Charges of the month that are undone, made or made again around the instant at which it freezes."""
    month = shaper.month
    early = month.end - 3 * DAY
    c, _ = shaper.answered("reversed-before-freeze", early, FREEZE)
    c.customer_says(month.end + 10 * MINUTE, "human_request")
    c, _ = shaper.answered("reversed-after-freeze", early, FREEZE)
    c.customer_says(month.end + 5 * HOUR, "human_request")
    c, _ = shaper.answered("reversed-and-settled-again-after-freeze", early, FREEZE)
    back = c.customer_says(month.end + 5 * HOUR, "needs_help")
    c.customer_says(c.add(back + 9 * SECOND, "ai_answer") + MINUTE, "affirm")
    c, _ = shaper.answered("spam-after-freeze", early, FREEZE)
    c.add(month.end + 6 * HOUR, "flagged", flag="spam")
    c, _ = shaper.answered("merged-after-freeze", early, FREEZE)
    c.add(month.end + 7 * HOUR, "merged_into", into="shaped-elsewhere")
    c, _ = shaper.answered("cleared-after-freeze", early, FREEZE)
    c.add(month.end - 2 * DAY, "flagged", flag="spam")
    c.add(month.end + 8 * HOUR, "cleared")
    _late(shaper)


def _late(shaper: Shaper) -> None:
    """What happened in the month and arrives around its freeze, days after it happened."""
    month = shaper.month
    early = month.end - 5 * DAY
    c, answer = shaper.answered("arrives-after-freeze", early, LATE)
    c.customer_says(answer + MINUTE, "affirm")
    c.held_until = month.end + 6 * HOUR
    c, answer = shaper.answered("arrives-at-the-last-open-step", early, LATE)
    c.customer_says(answer + MINUTE, "affirm")
    c.held_until = month.last_open_step
    for when, arrives in (
        ("just-before", month.last_open_step),
        ("at", month.frozen_at),
        ("a-day-after", month.end + DAY),
    ):
        c = shaper.talk(f"settlement-arrives-{when}-freeze", PLAIN)
        c.customer_says(early, "question")
        c.add(early + 8 * SECOND, "ai_answer", arrives=arrives)
        c.customer_says(early + MINUTE, "affirm", arrives=arrives)
        c, answer = shaper.answered(f"return-arrives-{when}-freeze", early, PLAIN)
        c.customer_says(answer + HOUR, "needs_help", arrives=arrives)
    c = shaper.talk("silence-arrives-a-day-after-freeze", PLAIN)
    c.customer_says(early, "question")
    c.add(early + 8 * SECOND, "ai_answer", arrives=month.end + DAY)
    # moved within the month: its net does not change
    c, answer = shaper.answered("affirmation-moves-a-charge-after-freeze", early, PLAIN)
    c.customer_says(answer + HOUR, "affirm", arrives=month.end + DAY)
    c, answer = shaper.answered("answer-moves-a-charge-out-of-the-frozen-month", month.end - 30 * HOUR, PLAIN)
    c.add(month.end - 20 * HOUR, "ai_answer", arrives=month.end + DAY)
