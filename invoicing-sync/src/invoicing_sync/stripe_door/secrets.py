"""
Secrets that are replaced while the door runs: several at a time, from a setting or from a file that is read again.

A file holds one secret a line. It is looked at once a second; while it is missing or empty the last ones stay good.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

from chassis.errors import WrongSetting

log = logging.getLogger(__name__)
FRESH_S = 1.0


class Secrets:
    """The secrets of one setting, in their order."""

    def __init__(self, setting: str, given: str | None, file: str | None) -> None:
        """Raises WrongSetting where both are set, or the file cannot be read or is empty."""
        if given and file:
            raise WrongSetting(f"{setting} and {setting}_FILE are both set: set one")
        self._setting = setting
        self._file = Path(file) if file else None
        self._known = tuple(part.strip() for part in (given or "").split(",") if part.strip())
        self._looked_at = time.monotonic()
        self._stamp: tuple[int, int] | None = None
        if self._file is not None:
            try:
                self._read(self._file)
            except OSError:
                raise WrongSetting(f"{setting}_FILE: {file} is not a file that this process can read") from None
            if not self._known:
                raise WrongSetting(f"{setting}_FILE: {file} is empty: it holds one secret a line")

    def known(self, *, now: bool = False) -> tuple[str, ...]:
        """The secrets as they are, at most a second old; `now`: as they are at this moment."""
        if self._file is not None and (now or time.monotonic() - self._looked_at > FRESH_S):
            self._looked_at = time.monotonic()
            try:
                self._read(self._file)
            except OSError:
                log.warning("a file of secrets cannot be read; the last ones stay", extra={"setting": self._setting})
        return self._known

    def _read(self, file: Path) -> None:
        found = file.stat()
        stamp = (found.st_ino, found.st_mtime_ns)
        if stamp == self._stamp:
            return
        lines = tuple(line.strip() for line in file.read_text().splitlines() if line.strip())
        if not lines:  # half written
            return
        if self._stamp is not None:
            log.info("secrets were read again", extra={"setting": self._setting, "count": len(lines)})
        self._known, self._stamp = lines, stamp


class ApiKeys:
    """
    The account's keys: the first is used until Stripe refuses it, then the next, without the caller's noticing.

    A request refused by 401 was not carried out, and its Idempotency-Key is the account's: sent again, it counts once.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._refused: set[str] = set()

    def current(self) -> str:
        """The key to use now: the first that was not refused; the first of all where all were, to ask once more."""
        return self._first(self._secrets.known())

    def after(self, tried: set[str]) -> str | None:
        """Another key than those that Stripe has just refused; the file is read at once. None: there is none."""
        known = self._secrets.known(now=True)
        fresh = tried - self._refused
        self._refused = (self._refused | tried) & set(known)
        left = [key for key in known if key not in tried]
        if fresh:
            log.warning("Stripe refuses a key", extra={"others": len(left)})
        if not left:
            self._refused.clear()  # none is known to be better than another
            return None
        return self._first(tuple(left))

    def _first(self, keys: tuple[str, ...]) -> str:
        return next((key for key in keys if key not in self._refused), keys[0])
