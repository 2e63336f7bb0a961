"""Health is progress: liveness fails when work stands still while there is some, readiness when a need is away."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

Check = Callable[[], Awaitable[str | None]]  # None is well; otherwise a sentence


class Progress:
    """
    Watches one kind of work: `note(position, behind)` tells how far it is and how much is left.

    `stalled()` answers a sentence when there was work and the position has not moved for `limit_s` of process time.
    """

    def __init__(self, name: str, *, limit_s: float = 60.0) -> None:
        self.name = name
        self.limit_s = limit_s
        self._position: object = None
        self._moved_at = time.monotonic()

    def note(self, position: object, *, behind: int) -> None:
        """Record the position reached and how much work is left."""
        if behind == 0 or position != self._position:
            self._moved_at = time.monotonic()
        self._position = position

    def stalled(self) -> str | None:
        """A sentence when work stands still, else None."""
        idle = time.monotonic() - self._moved_at
        return f"{self.name} has work and has not moved for {idle:.0f} s" if idle > self.limit_s else None


class Health:
    """What `/healthz`, `/readyz` and `/quiet` answer from."""

    def __init__(self) -> None:
        self.progress: list[Progress] = []
        self.ready: dict[str, Check] = {}

    def watch(self, name: str, *, limit_s: float = 60.0) -> Progress:
        """A new kind of work to watch."""
        progress = Progress(name, limit_s=limit_s)
        self.progress.append(progress)
        return progress

    def stalled(self) -> list[str]:
        """Sentences about all work that stands still."""
        return [sentence for progress in self.progress if (sentence := progress.stalled())]

    async def unready(self) -> list[str]:
        """Sentences about all needs that are away."""
        found = []
        for name, check in self.ready.items():
            try:
                sentence = await check()
            except Exception as error:  # a check that fails is an answer: this need is away
                log.warning("a need is away", extra={"need": name, "error": type(error).__name__})
                sentence = "does not answer"
            if sentence:
                found.append(f"{name}: {sentence}")
        return found
