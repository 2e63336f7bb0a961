"""
The house's keys as values: who may do how much, until when, and how keys are made, rotated and revoked.

No file and no clock is in here. A key is known by its name; it may have several secrets at a time, one a line of the
file, so that old and new are both good during a rotation. Of a secret only the SHA-256 is kept.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from hashlib import sha256
from typing import Any, Self

from event_schemas.times import iso, parse_instant

PREFIX = "stl_"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}\Z")
_FIELDS = {"name", "scope", "digest", "created_at", "expires_at", "revoked_at"}


class KeyRefused(Exception):
    """What was asked does not fit the keys that there are; the message is for the person who asked."""


class KeyScope(IntEnum):
    """What a key may do. A ladder: each step includes those below it."""

    READ = 1
    OPERATE = 2
    ADMIN = 3

    def __str__(self) -> str:
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Self:
        """The scope of a word. Raises KeyRefused."""
        try:
            return cls[word.upper()]
        except KeyError:
            raise KeyRefused("a scope is read, operate or admin") from None


@dataclass(frozen=True, slots=True)
class Key:
    """One secret of a key: valid until `expires_at` (exclusive) and until it is revoked."""

    name: str
    scope: KeyScope
    digest: bytes
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def state(self, at: datetime) -> str:
        """`valid`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= at else "valid"


def new_secret() -> str:
    """A secret to be shown once: 256 random bits, so that a plain hash of it is as good as a slow one."""
    return PREFIX + secrets.token_urlsafe(32)


def digest_of(secret: str) -> bytes:
    """What is kept of a secret."""
    return sha256(secret.encode("utf-8", "replace")).digest()


def find(keys: Sequence[Key], secret: str) -> Key | None:
    """The key with this secret, valid or not. All are compared, each in constant time: the time tells nothing."""
    wanted, found = digest_of(secret), None
    for key in keys:
        if hmac.compare_digest(key.digest, wanted):
            found = key
    return found


def create(keys: Sequence[Key], name: str, scope: KeyScope, digest: bytes, *, at: datetime) -> tuple[Key, ...]:
    """The keys with a new one. Raises KeyRefused where the name was ever used: an audit line means one holder."""
    if not _NAME.match(name):
        raise KeyRefused("a name is 1 to 100 letters, digits and _ . : -, beginning with a letter or digit")
    if any(key.name == name for key in keys):
        raise KeyRefused(f"there is a key named {name} already, or there was one: names are not used again")
    return (*keys, Key(name, scope, digest, at))


def rotate(keys: Sequence[Key], name: str, digest: bytes, *, at: datetime, overlap: timedelta) -> tuple[Key, ...]:
    """The keys with a new secret of one; its old ones end after `overlap` at the latest. Raises KeyRefused."""
    _living(keys, name, at)
    ends, scope = at + overlap, next(key.scope for key in reversed(keys) if key.name == name)
    kept = tuple(
        replace(key, expires_at=min(key.expires_at or ends, ends)) if key.name == name else key
        for key in keys
        if key.name != name or key.state(at) == "valid"  # what has ended opens nothing: its line can go
    )
    return (*kept, Key(name, scope, digest, at))


def revoke(keys: Sequence[Key], name: str, *, at: datetime) -> tuple[Key, ...]:
    """The keys with all secrets of one ended for good. Safe to repeat. Raises KeyRefused where there is no such key."""
    if not any(key.name == name for key in keys):
        raise KeyRefused(f"there is no key named {name}")
    return tuple(replace(key, revoked_at=key.revoked_at or at) if key.name == name else key for key in keys)


def _living(keys: Sequence[Key], name: str, at: datetime) -> None:
    states = {key.state(at) for key in keys if key.name == name}
    if not states:
        raise KeyRefused(f"there is no key named {name}")
    if "revoked" in states:
        raise KeyRefused(f"the key {name} was revoked; make a new one under another name")


def to_text(keys: Sequence[Key]) -> str:
    """The content of a keys file: one JSON object a line, a line for each secret."""
    return "".join(f"{json.dumps(_to_line(key))}\n" for key in keys)


def from_text(text: str) -> tuple[Key, ...]:
    """The keys in a file's content. Raises ValueError with a sentence that names the line, never what stands in it."""
    keys = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                keys.append(_from_line(json.loads(line)))
            except (ValueError, KeyError, TypeError, AttributeError, KeyRefused):
                raise ValueError(f"line {number} is no key") from None
    return tuple(keys)


def _to_line(key: Key) -> dict[str, Any]:
    times = {"created_at": key.created_at, "expires_at": key.expires_at, "revoked_at": key.revoked_at}
    return {
        "name": key.name,
        "scope": str(key.scope),
        "digest": key.digest.hex(),
        **{name: iso(at) for name, at in times.items() if at is not None},
    }


def _from_line(line: dict[str, Any]) -> Key:
    digest = bytes.fromhex(line["digest"])
    if not _NAME.match(line["name"]) or len(digest) != sha256().digest_size:
        raise ValueError("a name or a digest is of another form")
    if line.keys() - _FIELDS:
        raise ValueError("a restriction that is not understood must not be ignored")
    ends = {name: parse_instant(line[name]) if line.get(name) else None for name in ("expires_at", "revoked_at")}
    return Key(line["name"], KeyScope.of(line["scope"]), digest, parse_instant(line["created_at"]), **ends)
