"""The contract as the rules need it: policies by the instant from which they are in force."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

HOUR = 3_600_000_000  # microseconds
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the outcome policy. Durations in microseconds; `window` by channel, `default` for the others."""

    version: str = "default"
    window: Mapping[str, int] = field(default_factory=lambda: {"default": 24 * HOUR})
    teammate_takeover_voids: bool = False
    return_horizon: int | None = None  # None: for ever
    decided_by_product: bool = False
    precedence: Mapping[str, int] = field(default_factory=dict)  # outcome type to rank, higher replaces lower

    def window_of(self, channel: str) -> int:
        """Length of the window of an answer on this channel."""
        return self.window.get(channel, self.window["default"])


@dataclass(frozen=True, slots=True)
class ContractTimeline:
    """The policies of one customer, sorted by the instant (microseconds) from which each is in force."""

    starts: tuple[int, ...]
    policies: tuple[Policy, ...]

    def at(self, instant: int) -> Policy | None:
        """The policy in force at an instant; None before the first."""
        index = bisect_right(self.starts, instant)
        return self.policies[index - 1] if index else None

    def decided_by(self, *, product: bool) -> ContractTimeline:
        """The same timeline as if all its policies were decided by the product, or by the signals."""
        return ContractTimeline(self.starts, tuple(replace(p, decided_by_product=product) for p in self.policies))
