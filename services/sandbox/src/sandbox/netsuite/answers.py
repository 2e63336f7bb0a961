"""The switches of the stand-in of NetSuite: where a wrong guess would break its door, it can be tried on both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sandbox.switches import Switches


@dataclass(frozen=True, slots=True)
class Answers(Switches):
    """One field per open question; the README numbers the assumption behind each default."""

    closed_period: Literal["user_error", "own_code"] = "user_error"
    """N2: is a closed period the catch-all `USER_ERROR`, or the code `TRAN_PRD_CLOSED` of the older interfaces?"""
    put_lines: Literal["added", "replaced"] = "added"
    """N6: does PUT without `replace=` add unkeyed lines, as PATCH does, or is the list what the body says?"""
    negative_lines: Literal["taken", "refused"] = "taken"
    """N8: may a line of `deposit.other` be below zero, or must fees go as `cashBack`?"""
    undeposited_refunds: Literal["taken", "refused"] = "taken"
    """N10: may a refund come out of Undeposited Funds, where a deposit picks it, or out of a bank account alone?"""
    unknown_names: Literal["warning", "error"] = "warning"
    """What holds without X-NetSuite-PropertyNameValidation? The text says `warning`; `error` is for strict tests."""
