"""
The tax of a line: each jurisdiction's part rounded by itself, the line their sum, the document the sum of its lines.

Source: Avalara rounds per line and jurisdiction, so tax is never the rate times a document's amount; the guide's
pages on overrides and on `taxIncluded`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sandbox.avatax.domain.currencies import rounded, shared_out
from sandbox.avatax.domain.sourcing import Decision
from sandbox.avatax.domain.table import Jurisdiction, Taxability

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Detail:
    """One jurisdiction's part of a line. `taxable`, `exempt` and `non_taxable` sum to the line's amount."""

    jurisdiction: Jurisdiction
    sourcing: str
    rate: Decimal
    taxable: Decimal
    exempt: Decimal
    non_taxable: Decimal
    tax: Decimal
    calculated: Decimal


@dataclass(frozen=True, slots=True)
class LineTax:
    """A line with its tax; `taxable` and `exempt` sum to `amount`, which is net of tax that was included."""

    amount: Decimal
    taxable: Decimal
    exempt: Decimal
    tax: Decimal
    calculated: Decimal
    details: tuple[Detail, ...]
    item_taxable: bool


def tax_line(
    amount: Decimal, category: str, decision: Decision, *, on: date, currency: str, exempt: bool, included: bool
) -> LineTax:
    """
    Tax one line.

    Args:
        amount: in major units of `currency`; negative on a return.
        exempt: the buyer is, so what would be taxable is exempt.
        included: the amount contains the tax; it is what net amount and tax sum to.

    Raises:
        NoRate: the table knows no rate on this day.
    """
    parts = [_part(jurisdiction, decision, category, on) for jurisdiction in decision.jurisdictions]
    loads = [ZERO if exempt else taxability.share * rate for taxability, rate in parts]
    if included:
        exact = amount * sum(loads, ZERO) / (1 + sum(loads, ZERO))
        taxes = shared_out(rounded(exact, currency), loads, currency)
        net = amount - sum(taxes, ZERO)
    else:
        net = amount
        bases = [rounded(net * taxability.share, currency) for taxability, _ in parts]
        rates = [ZERO if exempt else rate for _, rate in parts]
        taxes = [rounded(base * rate, currency) for base, rate in zip(bases, rates, strict=True)]
    details = tuple(
        _detail(jurisdiction, decision, taxability, rate, net, tax, currency=currency, exempt=exempt)
        for jurisdiction, (taxability, rate), tax in zip(decision.jurisdictions, parts, taxes, strict=True)
    )
    taxable = max((each.taxable for each in details), key=abs, default=rounded(ZERO, currency))
    total = sum((each.tax for each in details), rounded(ZERO, currency))
    item_taxable = any(taxability.share for taxability, _ in parts)
    return LineTax(net, taxable, net - taxable, total, total, details, item_taxable)


def _part(jurisdiction: Jurisdiction, decision: Decision, category: str, on: date) -> tuple[Taxability, Decimal]:
    rate = jurisdiction.rate_on(on, category)
    return jurisdiction.taxability(category), rate if decision.rate is None else decision.rate


def _detail(
    jurisdiction: Jurisdiction,
    decision: Decision,
    taxability: Taxability,
    rate: Decimal,
    net: Decimal,
    tax: Decimal,
    *,
    currency: str,
    exempt: bool,
) -> Detail:
    within = rounded(net * taxability.share, currency)
    nothing = rounded(ZERO, currency)
    taxable, spared = (nothing, within) if exempt else (within, nothing)
    return Detail(jurisdiction, decision.sourcing, rate, taxable, spared, net - within, tax, tax)


def overridden(lines: Sequence[LineTax], total: Decimal, currency: str) -> list[LineTax]:
    """
    The lines with another tax in sum: shared in proportion to what was calculated, or to the amounts where that is 0.

    What was calculated stays beside it, in the lines and in their details.
    """
    weights = [line.calculated for line in lines]
    if not any(weights):
        weights = [line.amount for line in lines]
    return [
        _with_tax(line, part, currency) for line, part in zip(lines, shared_out(total, weights, currency), strict=True)
    ]


def _with_tax(line: LineTax, tax: Decimal, currency: str) -> LineTax:
    weights = [detail.calculated for detail in line.details]
    parts = shared_out(tax, weights, currency)
    details = tuple(replace(detail, tax=part) for detail, part in zip(line.details, parts, strict=True))
    return replace(line, tax=tax, details=details)
