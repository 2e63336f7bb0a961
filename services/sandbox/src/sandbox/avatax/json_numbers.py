"""JSON whose numbers are decimals on both ways: no float stands between a request's amount and an answer's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def encode(body: object) -> bytes:
    """JSON with decimals as numbers."""
    return _encoder.encode(body)


def decode(data: bytes | str) -> Any:
    """A value whose fractional numbers are Decimal. Raises msgspec.DecodeError or RecursionError."""
    return _decoder.decode(data)
