"""A small file that others replace while we run, such as a mounted secret: looked at once a second."""

from __future__ import annotations

import time
from pathlib import Path

FRESH_S = 1.0


class WatchedFile:
    """Tells its text when it is another one than before. A file is another one by inode, size or time of change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._looked_at = float("-inf")
        self._stamp: tuple[int, int, int] | None = None

    def news(self, *, now: bool = False) -> str | None:
        """
        The text where it has changed since the last call, else None. `now`: looked at whenever that was.

        Raises:
            OSError, UnicodeDecodeError: it cannot be read.
        """
        if not now and time.monotonic() - self._looked_at < FRESH_S:
            return None
        self._looked_at = time.monotonic()
        found = self.path.stat()
        stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
        if stamp == self._stamp:
            return None
        text = self.path.read_text()
        self._stamp = stamp
        return text
