"""Which discounts hold on an invoice, and what one comes to. Source: golden rule R6."""

from __future__ import annotations

from decimal import Decimal

from event_schemas.values import Money
from pricing.amounts import major, percent_of
from pricing.draft import Basis
from pricing.lines import ZERO
from pricing.terms import Discount, Scope, in_force


def holding(basis: Basis, scope: Scope) -> tuple[Discount, ...]:
    """
    The discounts of a scope that hold on the billing day, percents before amounts, in the contract's order.

    Of two of one kind the earlier goes first and the other waits; terms that say so from the start are refused, but a
    counted discount lasts longer than its calendar when an invoice is not finalised.
    """
    found: dict[tuple[str | None, bool], Discount] = {}
    for discount in basis.terms.discounts:
        if discount.scope is not scope or not _holds(basis, discount):
            continue
        kind = (discount.item, discount.percent is None)
        if kind not in found or _begins(discount) < _begins(found[kind]):
            found[kind] = discount
    return tuple(sorted(found.values(), key=lambda discount: discount.percent is None))


def off(discount: Discount, base: Money) -> Decimal:
    """
    What a discount takes from a base, exact, in major units.

    A percent works on a negative base too, so that seats given back are credited at what they cost. An amount takes at
    most what is there, and nothing from a negative base.
    """
    if discount.percent is not None:
        return percent_of(base, discount.percent)
    assert discount.amount is not None  # one of the two, or the terms were refused
    return max(ZERO, min(major(discount.amount), major(base)))


def _holds(basis: Basis, discount: Discount) -> bool:
    if not in_force(discount, basis.billing_day):
        return False
    if discount.invoices is None:
        return True
    counted = [
        day
        for day in basis.before.invoice_days
        if day < basis.billing_day and (discount.start is None or discount.start <= day)
    ]
    return len(counted) < discount.invoices


def _begins(discount: Discount) -> float:
    return discount.start.timestamp() if discount.start is not None else float("-inf")


def words(discount: Discount, base: Money) -> str:
    """What it takes off, in words: `20 % of USD 100.00`, `USD 11.00 off, at most USD 3.98`."""
    if discount.percent is not None:
        return f"{discount.percent:f} % of {base}"
    return f"{discount.amount} off, at most {base}"
