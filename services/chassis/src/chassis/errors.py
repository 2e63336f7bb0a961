"""
Errors by what the caller should do.

    Unprocessable   this record can never be used: to the quarantine, and on with the next
    TryLater        not now: retry after a while, or pause
    WrongSetting    waiting mends nothing, a person does: stop the start with its sentence
    anything else   a bug: stop, with the offset unmoved
"""

from __future__ import annotations


class Unprocessable(Exception):
    """A record that can never be used. `reason` is of a closed list; `detail` names fields, never their content."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class TryLater(Exception):
    """The other side cannot do it now. `after_s` is a lower bound in seconds where it named one."""

    def __init__(self, why: str, *, after_s: float | None = None) -> None:
        super().__init__(why)
        self.after_s = after_s


class WrongSetting(Exception):
    """A setting is missing or wrong, or the other side refuses what it says: a sentence that names it, no secret."""


class StaleEpoch(Exception):
    """Another owner has taken over the partition or lane: this worker must stop and write nothing more."""
