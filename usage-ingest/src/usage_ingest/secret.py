"""An API key's secret: how it is made, and the hash that is stored and looked up in its place."""

from __future__ import annotations

import secrets
from hashlib import sha256

PREFIX = "stl_"


def new_secret() -> str:
    """A key to be shown once: 256 random bits, so that a plain hash of it is as good as a slow one."""
    return PREFIX + secrets.token_urlsafe(32)


def digest_of(secret: str) -> bytes:
    """What is stored of a key. Looking it up compares hashes, so its time tells nothing about the secret."""
    return sha256(secret.encode("utf-8", "replace")).digest()
