"""A refund's lines out of the original's, to the cent: what was charged comes back, whatever has changed since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.avatax.domain.currencies import rounded

Line = Mapping[str, Any]
_OF_DETAIL = ("taxableAmount", "exemptAmount", "nonTaxableAmount", "tax", "taxCalculated")


def refunded(lines: Iterable[Line], percentage: Decimal, currency: str) -> list[dict[str, Any]]:
    """
    Lines with a percentage of the original's amounts and taxes, negative; 100 gives back each to the cent.

    Each jurisdiction's part of each line is rounded by itself, so percentages that sum to 100 give back the tax to
    within half a minor unit for each of them, line and jurisdiction.
    """
    return [_scaled(line, percentage / 100, currency) for line in lines]


def tax_only(lines: Iterable[Line], currency: str) -> list[dict[str, Any]]:
    """Lines without an amount that give back all tax: the buyer proved afterwards that none was due."""
    nothing = rounded(Decimal(0), currency)
    found = []
    for line in lines:
        made = _scaled(line, Decimal(1), currency)
        made |= {"lineAmount": nothing, "taxableAmount": nothing, "exemptAmount": nothing}
        for detail in made["details"]:
            detail |= {"taxableAmount": nothing, "exemptAmount": nothing, "nonTaxableAmount": nothing}
        found.append(made)
    return found


def _scaled(line: Line, share: Decimal, currency: str) -> dict[str, Any]:
    def back(amount: Decimal) -> Decimal:
        return rounded(Decimal(0), currency) - rounded(amount * share, currency)

    details = [{**detail, **{name: back(detail[name]) for name in _OF_DETAIL}} for detail in line["details"]]
    amount, taxable = back(line["lineAmount"]), back(line["taxableAmount"])
    zero = rounded(Decimal(0), currency)
    return {
        **line,
        "lineAmount": amount,
        "taxableAmount": taxable,
        "exemptAmount": amount - taxable,
        "tax": sum((detail["tax"] for detail in details), zero) if details else back(line["tax"]),
        "taxCalculated": sum((detail["taxCalculated"] for detail in details), zero),
        "details": details,
    }
