"""The faults that can be switched on here."""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal[
    "slow",
    "rate_limit_429",
    "error_500_before_commit",
    "error_500_after_commit",
    "timeout_after_commit",
    "expired_token",
    "account_locked",
    "document_locked",
    "maintenance",
    "gateway_502",
]
KINDS: tuple[str, ...] = get_args(Kind)
