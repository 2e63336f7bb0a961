"""Reads the cut document that lies beside this module."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

FILE = Path(__file__).parent / "stripe-2026-05-27.dahlia.cut.json.gz"


@cache
def read_document() -> dict[str, Any]:
    """The document; not to be changed."""
    document: dict[str, Any] = msgspec.json.decode(gzip.decompress(FILE.read_bytes()))
    return document
