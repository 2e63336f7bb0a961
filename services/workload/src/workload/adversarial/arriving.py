"""The same facts in awkward company: backwards, in storms, ahead of the clock, again under new names."""

from __future__ import annotations

from workload.adversarial.shaper import PLAIN, STANDARD, Shaper
from workload.month import MINUTE
from workload.script import DAY, HOUR, SECOND


def arriving(shaper: Shaper) -> None:
    """Nothing of how they arrive may change what they are worth."""
    at = shaper.at
    c = shaper.talk("arrives-backwards", PLAIN)
    c.customer_says(at, "question", arrives=at + 3 * DAY)
    c.add(at + 8 * SECOND, "ai_answer", arrives=at + 2 * DAY)
    c.customer_says(at + MINUTE, "affirm", arrives=at + DAY)
    c = shaper.talk("return-arrives-before-its-charge", PLAIN)
    c.customer_says(at, "question")
    c.add(at + 8 * SECOND, "ai_answer", arrives=at + 4 * DAY)
    c.customer_says(at + 2 * DAY, "needs_help")
    c, answer = shaper.answered("stopped-late-then-charged-again", place=PLAIN)
    c.customer_says(answer + HOUR, "other", arrives=at + 3 * DAY)  # the assumed charge was held for a day
    c.add(answer + 2 * HOUR, "ai_answer", arrives=at + 5 * DAY)
    c, answer = shaper.answered("flag-arrives-late", place=PLAIN)
    c.customer_says(answer + MINUTE, "affirm")
    c.add(answer + SECOND, "flagged", flag="test", arrives=at + 4 * DAY)
    c = shaper.talk("retold-four-times", STANDARD)  # the same facts under new ids
    for copy in range(4):
        c.customer_says(at, "question", arrives=at + copy * DAY)
        c.add(at + 8 * SECOND, "ai_answer", arrives=at + copy * DAY)
        c.customer_says(at + MINUTE, "affirm", arrives=at + copy * DAY)
    c, answer = shaper.answered("affirmed-four-minutes-ahead-of-the-clock", shaper.step - HOUR)
    c.customer_says(shaper.step + 4 * MINUTE, "affirm", arrives=shaper.step)
    c = shaper.talk("answered-fourteen-minutes-ahead-of-the-clock")
    c.customer_says(shaper.step + 14 * MINUTE, "question", arrives=shaper.step)
    c.add(shaper.step + 15 * MINUTE, "ai_answer", arrives=shaper.step)
    c, answer = shaper.answered("return-arrives-a-month-late", shaper.month.start + HOUR)
    c.customer_says(answer + HOUR, "needs_help", arrives=shaper.month.end + 3 * DAY)
