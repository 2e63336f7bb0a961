"""
Sealing what does not fit its schema: AES-256-GCM under keys that rotate, bound to the row to which it belongs.

The first key seals, all of them open. A file of keys is looked at again while the service runs; while it is missing or
makes no sense the last ones stay good. What is sealed bears its key's id, so that nothing is tried.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chassis.errors import WrongSetting

log = logging.getLogger(__name__)

SETTING = "QUARANTINE_KEYS"
HOW_TO_MAKE_ONE = "make one with `python -m usage_ingest seals new-key`"
KEY_BYTES = 32
NONCE_BYTES = 12  # random: safe for 2^32 contents under one key, which is why keys rotate
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}\Z")
_PURPOSE = "settled quarantine 1"  # what was sealed for something else does not open here

RowKey = tuple[str, str, str, bytes]  # source, event_id, reason, fingerprint: what makes a row of the quarantine one


@dataclass(frozen=True, slots=True)
class Sealed:
    """A content under seal: its key's id, and the nonce followed by the ciphertext with its tag."""

    key_id: str
    text: bytes = field(repr=False)


class CannotOpen(Exception):
    """The seal does not open; the message is a sentence for the operator and holds nothing of the content."""


class Seals:
    """The keys of `QUARANTINE_KEYS` or `QUARANTINE_KEYS_FILE`, in their order."""

    def __init__(self, given: str | None, file: str | None) -> None:
        """Raises WrongSetting, with a sentence that holds no key."""
        if given and file:
            raise WrongSetting(f"{SETTING} and {SETTING}_FILE are both set: set one")
        if not given and not file:
            raise WrongSetting(f"{SETTING} is not set: what is quarantined is kept sealed; {HOW_TO_MAKE_ONE}")
        self._file = Path(file) if file else None
        self._complaint: str | None = None  # told once, not at every look
        self._keys = keys_of(given or "", SETTING) if self._file is None else self._read(self._file)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of the keys; the first seals."""
        return tuple(self._keys)

    def refresh(self) -> None:
        """Look at the file again, where there is one."""
        if self._file is None:
            return
        try:
            keys = self._read(self._file)
        except WrongSetting as wrong:
            if str(wrong) != self._complaint:
                self._complaint = str(wrong)
                log.warning("the quarantine's keys cannot be read; the last ones stay", extra={"sentence": str(wrong)})
            return
        self._complaint = None
        if tuple(keys) != self.key_ids:
            log.info("the quarantine's keys were read again", extra={"key_ids": list(keys)})
        self._keys = keys

    def seal(self, content: bytes, row: RowKey) -> Sealed:
        """The content of this row, under the first key."""
        key_id, cipher = next(iter(self._keys.items()))
        nonce = os.urandom(NONCE_BYTES)
        return Sealed(key_id, nonce + cipher.encrypt(nonce, content, _bound_to(key_id, row)))

    def open(self, sealed: Sealed, row: RowKey) -> bytes:
        """The content of this row. Raises CannotOpen: its key is not here, or it was changed or belongs elsewhere."""
        cipher = self._keys.get(sealed.key_id)
        if cipher is None:
            raise CannotOpen(f"it is sealed by the key {sealed.key_id}, which {SETTING} does not hold")
        nonce, text = sealed.text[:NONCE_BYTES], sealed.text[NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, text, _bound_to(sealed.key_id, row))
        except (InvalidTag, ValueError):
            raise CannotOpen("its seal is broken: the content was changed, or belongs to another row") from None

    def _read(self, file: Path) -> dict[str, AESGCM]:
        try:
            text = file.read_text()
        except (OSError, UnicodeDecodeError):
            raise WrongSetting(f"{SETTING}_FILE: {file} is not a file that this process can read") from None
        return keys_of(text, f"{SETTING}_FILE")


def new_key(key_id: str | None = None) -> str:
    """A new key as the setting takes it: `id:key`, the key as base64 of 32 random bytes."""
    name = key_id or f"k-{secrets.token_hex(4)}"
    if not _ID.match(name):
        raise WrongSetting("a key's id is 1 to 50 letters, digits and _ . -")
    return f"{name}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def keys_of(text: str, setting: str) -> dict[str, AESGCM]:
    """The keys that a setting's text names, by their ids. Raises WrongSetting."""
    keys: dict[str, AESGCM] = {}
    for number, entry in enumerate(re.split(r"[,\s]+", text.strip()), 1):
        name, _, encoded = entry.partition(":")
        key = _decoded(encoded)
        if not _ID.match(name) or len(key) != KEY_BYTES:
            raise WrongSetting(f"{setting}: entry {number} is not ID:KEY with 32 bytes in base64; {HOW_TO_MAKE_ONE}")
        if name in keys:
            raise WrongSetting(f"{setting}: two keys have the id {name}")
        keys[name] = AESGCM(key)
    return keys


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded.translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _bound_to(key_id: str, row: RowKey) -> bytes:
    source, event_id, reason, fingerprint = row
    return json.dumps([_PURPOSE, key_id, source, event_id, reason, fingerprint.hex()]).encode()
