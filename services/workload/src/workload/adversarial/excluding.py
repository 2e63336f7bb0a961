"""Flags, clearings and merging: before, while and after a charge."""

from __future__ import annotations

from workload.adversarial.shaper import RETURNS, Shaper
from workload.month import MINUTE
from workload.script import HOUR


def excluding(shaper: Shaper) -> None:
    """What is never charged, what is taken back, and what comes back when a flag is cleared."""
    for link in range(3):
        c, answer = shaper.answered(f"merge-chain-{link}", place=RETURNS)
        c.customer_says(answer + MINUTE, "affirm")
        c.add(answer + (link + 2) * HOUR, "merged_into", into=f"shaped-merge-chain-{link + 1}")
    c, answer = shaper.answered("merged-at-window-end")
    c.add(answer + 24 * HOUR, "merged_into", into="shaped-elsewhere")
    c, answer = shaper.answered("merged-then-cleared")
    c.add(answer + HOUR, "merged_into", into="shaped-elsewhere")
    c.add(answer + 2 * HOUR, "cleared")
    c, answer = shaper.answered("flagged-then-merged")
    c.add(answer + HOUR, "flagged", flag="spam")
    c.add(answer + 40 * HOUR, "merged_into", into="shaped-elsewhere")
    c, answer = shaper.answered("merged-into-itself-after-charge")
    c.customer_says(answer + MINUTE, "affirm")
    c.add(answer + HOUR, "merged_into", into=c.id)
    _flags(shaper)


def _flags(shaper: Shaper) -> None:
    c, answer = shaper.answered("flagged-cleared-flagged", place=RETURNS)
    c.customer_says(answer + MINUTE, "affirm")
    for hour, signal in enumerate(("flagged", "cleared", "flagged", "cleared")):
        c.add(answer + (hour + 1) * HOUR, signal, flag="spam")
    c, answer = shaper.answered("charged-then-flagged-and-cleared-at-one-instant")
    c.customer_says(answer + MINUTE, "affirm")
    c.add(c.add(answer + HOUR, "flagged", flag="spam"), "cleared")
    c, answer = shaper.answered("two-flags-one-cleared", place=RETURNS)
    c.add(answer + HOUR, "flagged", flag="spam")
    c.add(answer + 2 * HOUR, "flagged", flag="internal")
    c.add(answer + 3 * HOUR, "cleared", flag="spam")
    c, answer = shaper.answered("cleared-within-window")
    c.add(answer + HOUR, "flagged", flag="spam")
    c.add(answer + 2 * HOUR, "cleared")
    c, answer = shaper.answered("cleared-after-window")
    c.add(answer + HOUR, "flagged", flag="spam")
    c.add(answer + 40 * HOUR, "cleared")
    c, answer = shaper.answered("cleared-at-window-end")
    c.add(answer + HOUR, "flagged", flag="spam")
    c.add(answer + 24 * HOUR, "cleared")
    c, answer = shaper.answered("returned-while-flagged")
    c.customer_says(answer + MINUTE, "affirm")
    c.add(answer + HOUR, "flagged", flag="internal")
    c.customer_says(answer + 2 * HOUR, "needs_help")
    c.add(answer + 3 * HOUR, "cleared", flag="internal")
    c, answer = shaper.answered("cleared-without-flag")
    c.add(answer + HOUR, "cleared", flag="test")
    c, answer = shaper.answered("another-flag-cleared")
    c.add(answer + HOUR, "flagged", flag="spam")
    c.add(answer + 2 * HOUR, "cleared", flag="test")
    c = shaper.talk("handoff-flagged-and-cleared")
    c.add(c.customer_says(shaper.at, "question") + MINUTE, "procedure_handoff")
    c.add(shaper.at + HOUR, "flagged", flag="test")
    c.add(shaper.at + 2 * HOUR, "cleared")
