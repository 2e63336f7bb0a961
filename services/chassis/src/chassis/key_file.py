"""
The file of the house's keys (ACCESS_KEYS_FILE), as services read it and as the commands change it.

It holds hashes only, and one file serves all services: so who is there can be asked while every database is away.
"""

from __future__ import annotations

import fcntl
import logging
import os
import stat
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chassis import keyring
from chassis.errors import WrongSetting
from chassis.keyring import Key, KeyRefused, KeyScope
from chassis.watched import WatchedFile
from event_schemas.times import iso

log = logging.getLogger(__name__)
SETTING = "ACCESS_KEYS_FILE"
_REMIND_S = 60.0


class KeyFile:
    """
    The keys as they stand in the file: a new one at once, an end at most a second late.

    While the file is away or broken the last good ones stay.
    """

    def __init__(self, path: Path) -> None:
        """Raises WrongSetting where it cannot be read, holds no key, or others may write it."""
        self._file = WatchedFile(path)
        self._told_at = float("-inf")
        try:
            if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise WrongSetting(f"{SETTING}: others may write {path}, so they could let themselves in: chmod 600")
            self._keys = keyring.from_text(self._file.news() or "")
        except OSError:
            raise WrongSetting(f"{SETTING}: {path} is not a file that this process can read") from None
        except ValueError as wrong:
            raise WrongSetting(f"{SETTING}: {path}: {_sentence(wrong)}") from None
        if not self._keys:
            raise WrongSetting(f"{SETTING}: {path} holds no key: `python -m chassis keys create NAME` makes one")

    def find(self, secret: str) -> Key | None:
        """The key with this secret where it is valid at this moment of process time, else None."""
        key = keyring.find(self._known(), secret) or keyring.find(self._known(now=True), secret)  # made a moment ago
        if key is None:
            return None
        state = key.state(datetime.now(UTC))
        if state != "valid":  # whoever has its secret was once let in: worth a line with the name
            log.warning("a key that is no longer valid was used", extra={"key": key.name, "state": state})
            return None
        return key

    def _known(self, *, now: bool = False) -> Sequence[Key]:
        try:
            text = self._file.news(now=now)
            if text is None:
                return self._keys
            keys = keyring.from_text(text)
            if not keys:
                raise ValueError("it holds no key")
        except (OSError, ValueError) as wrong:
            self._remind("it cannot be read" if isinstance(wrong, OSError) else _sentence(wrong))
        else:
            self._keys, self._told_at = keys, float("-inf")
            log.info("the keys were read again", extra={"secrets": len(keys)})
        return self._keys

    def _remind(self, why: str) -> None:
        if time.monotonic() - self._told_at > _REMIND_S:
            self._told_at = time.monotonic()
            log.error("the file of keys is broken; the last good one stays", extra={"file": SETTING, "why": why})


def _sentence(wrong: ValueError) -> str:
    return "it is not UTF-8" if isinstance(wrong, UnicodeDecodeError) else str(wrong)


# --- the commands


def create_key(path: Path, name: str, scope: KeyScope, *, secret: str) -> None:
    """A new key; makes the file where there is none. Raises KeyRefused."""
    digest = keyring.digest_of(secret)
    _change(path, lambda keys, at: keyring.create(keys, name, scope, digest, at=at))


def rotate_key(path: Path, name: str, *, secret: str, overlap: timedelta) -> datetime:
    """A new secret of a key; answers when the old ones end. Raises KeyRefused."""
    digest = keyring.digest_of(secret)
    at = _change(path, lambda keys, at: keyring.rotate(keys, name, digest, at=at, overlap=overlap))
    return at + overlap


def revoke_key(path: Path, name: str) -> None:
    """End a key for good. Raises KeyRefused where there is no such key."""
    _change(path, lambda keys, at: keyring.revoke(keys, name, at=at))


def read_keys(path: Path) -> tuple[Key, ...]:
    """The keys in a file; none where there is no file. Raises KeyRefused where it is broken."""
    try:
        return keyring.from_text(path.read_text())
    except FileNotFoundError:
        return ()
    except OSError:
        raise KeyRefused(f"{path} is not a file that this process can read") from None
    except ValueError as wrong:
        raise KeyRefused(f"{path}: {_sentence(wrong)}") from None


def listed(path: Path) -> list[dict[str, str | None]]:
    """Every secret's key, scope, state and times, for people; no digest. Raises KeyRefused where the file is broken."""
    now = datetime.now(UTC)
    return [
        {
            "name": key.name,
            "scope": str(key.scope),
            "state": key.state(now),
            "created_at": iso(key.created_at),
            "expires_at": None if key.expires_at is None else iso(key.expires_at),
        }
        for key in read_keys(path)
    ]


def _change(path: Path, act: Callable[[Sequence[Key], datetime], Sequence[Key]]) -> datetime:
    """One command at a time; readers see the old file or the new one, never half of one."""
    try:
        with path.with_name(f"{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            at = datetime.now(UTC)
            write_private(path, keyring.to_text(act(read_keys(path), at)))
    except OSError:
        raise KeyRefused(f"{path} cannot be written by this process") from None
    return at


def write_private(path: Path, text: str) -> None:
    """Put a text in a file that only its owner may read, in one move and on the disk. Raises OSError."""
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
