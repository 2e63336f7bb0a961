"""Tax on top of the net amount, with rates found elsewhere. Source: golden rule R11, cases G13 and G22."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from event_schemas.values import Money
from pricing.amounts import money, percent_of
from pricing.draft import Basis, Draft, net_minor
from pricing.lines import Kind, Line, TaxRow
from pricing.terms import TaxRate, TaxRounding


def tax(basis: Basis, draft: Draft) -> Draft:
    """
    A row per rate, rounded once per rate and invoice, or once per printed line, discounts being lines of their own.

    Prior-period lines bring the tax of their own invoice.
    """
    current = [line for line in draft.lines if line.kind is not Kind.PRIOR_PERIOD]
    rows = [_row(basis, rate, current) for rate in basis.taxes.rates]
    rows += [row for correction in basis.before.owed for row in correction.tax]
    return replace(draft, tax=tuple(rows))


def _row(basis: Basis, rate: TaxRate, lines: Sequence[Line]) -> TaxRow:
    covered = [line for line in lines if rate.items is None or line.item in rate.items]
    base = Money(net_minor(covered), basis.currency)
    if basis.taxes.rounding is TaxRounding.LINE:
        minor = sum(money(percent_of(line.amount, rate.percent), basis.currency).minor for line in covered)
        amount = Money(minor, basis.currency)
    else:
        amount = money(percent_of(base, rate.percent), basis.currency)
    return TaxRow(rate.name, rate.percent, base, basis.taxes.rounding.value, amount)
