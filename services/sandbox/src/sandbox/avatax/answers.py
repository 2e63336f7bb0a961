"""What no text of Avalara's decides and a client's money may hang on, as switches; the README numbers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sandbox.switches import Switches


@dataclass(frozen=True, slots=True)
class Answers(Switches):
    """One field per open question; its type is the closed list of answers, the first of them is the default."""

    unknown_fields: Literal["refused", "ignored"] = "refused"
    """Is a field that AvaTax does not have ignored, as the real one does, or refused, so that a slip is found?"""
    eu_consumers: Literal["destination", "nexus"] = "destination"
    """Is a consumer in another EU state taxed there whatever nexus says, or only where it is declared?"""
    committed_code: Literal["doc_status", "conflict"] = "doc_status"
    """Does creating over a committed document get a GetTaxError about its status, or a conflict of codes (409)?"""
    voided_code: Literal["reused", "taken"] = "reused"
    """Can a voided document's code be used again? The SDK's texts say so, the blog of 2017 that it cannot."""
    commit_refusal: Literal["1309", "1314"] = "1309"
    """Which number does the refusal of a second commit bear?"""
    adjust_status: Literal["by_flag", "stays_committed"] = "by_flag"
    """Does adjusting a committed document with commit=false make it Saved again?"""
    adjust_saved: Literal["new_version", "overwritten"] = "new_version"
    """Does adjusting a Saved document keep the old version as Adjusted, or overwrite it?"""
    unknown_tax_code: Literal["refused", "goods"] = "refused"
    """Is a tax code that nobody knows refused, or taxed like goods?"""
    over_refund: Literal["allowed", "refused"] = "allowed"
    """Can refunds come to more than the original?"""
    forced_timeout: Literal["not_recorded", "recorded"] = "not_recorded"
    """Is the document recorded where $include=ForceTimeout asks for a time-out?"""
    retry_after: Literal["sent", "left_out"] = "sent"
    """Does a 429 say after how many seconds to come back?"""
    zero_rated: Literal["taxable", "exempt"] = "taxable"
    """Is the amount of a zero-rated sale shown as taxable at rate 0, or as exempt?"""
