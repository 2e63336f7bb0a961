"""The key by which a service asks another one: SERVICE_KEY, or SERVICE_KEY_FILE, which is read again while we run."""

from __future__ import annotations

import logging
from pathlib import Path

from chassis.errors import WrongSetting
from chassis.watched import WatchedFile

log = logging.getLogger(__name__)


class ServiceKey:
    """Makes the header of a request; none where no key is set."""

    def __init__(self, given: str | None = None, file: str | None = None) -> None:
        """Raises WrongSetting where both are set, or the file cannot be read or is empty."""
        if given and file:
            raise WrongSetting("SERVICE_KEY and SERVICE_KEY_FILE are both set: set one")
        self._secret = given or None
        self._file = WatchedFile(Path(file)) if file else None
        if self._file is not None:
            try:
                self._secret = (self._file.news() or "").strip()
            except (OSError, UnicodeDecodeError):
                raise WrongSetting(f"SERVICE_KEY_FILE: {file} is not a file that this process can read") from None
            if not self._secret:
                raise WrongSetting(f"SERVICE_KEY_FILE: {file} is empty: it holds one key")

    def headers(self) -> dict[str, str]:
        """`Authorization`, with the key as it is now."""
        if self._file is not None:
            try:
                self._secret = (self._file.news() or "").strip() or self._secret
            except (OSError, UnicodeDecodeError):
                log.warning("SERVICE_KEY_FILE cannot be read; the last key stays")
        return {"Authorization": f"Bearer {self._secret}"} if self._secret else {}
