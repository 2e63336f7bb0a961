"""A line of a true invoice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """`amount` in minor units; `at` is the instant of a proration."""

    kind: str
    item: str
    amount: int
    at: int | None = None
