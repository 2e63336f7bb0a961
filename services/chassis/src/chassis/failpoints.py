"""
Dying on purpose: named places between two writes at which a process kills itself, set by environment only.

`SETTLED_FAILPOINT=rating.before-publish` dies at the first pass, `rating.before-publish:3` at the third.
A service declares its gaps once; a name that was not declared is refused, so the list and the places stay one set.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping

VARIABLE = "SETTLED_FAILPOINT"


class Failpoints:
    """The gaps of one service: name to the sentence that says what repeats after dying there."""

    def __init__(self, service: str, gaps: Mapping[str, str]) -> None:
        self.service = service
        self.gaps = dict(gaps)
        wanted, _, passes = os.environ.get(VARIABLE, "").partition(":")
        owner, _, name = wanted.partition(".")
        self._armed = name if owner == service else ""
        self._passes_left = int(passes or 1)
        if owner == service and (self._armed not in self.gaps or self._passes_left < 1):
            raise ValueError(f"{service} has no failpoint {self._armed!r}, or no pass {passes!r} of it")

    def reach(self, name: str) -> None:
        """Kill this process with SIGKILL if this place is armed; otherwise cost next to nothing."""
        if name not in self.gaps:
            raise ValueError(f"{self.service} has not declared the failpoint {name!r}")
        if name != self._armed:
            return
        self._passes_left -= 1
        if self._passes_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
