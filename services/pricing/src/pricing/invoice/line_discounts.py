"""Discounts on one item: on its rounded lines, which count as one. Source: golden rule R6, cases G03 and G21."""

from __future__ import annotations

from event_schemas.values import Money
from pricing.amounts import money
from pricing.draft import Basis, Draft, net_by_item
from pricing.invoice.discounts import holding, off, words
from pricing.lines import Kind, Line, Why
from pricing.terms import Scope


def line_discounts(basis: Basis, draft: Draft) -> Draft:
    """A discount line for each item discount that holds; all lines of the item count, prorations too."""
    for discount in holding(basis, Scope.ITEM):
        base = Money(net_by_item(basis, draft.lines).get(discount.item or "", 0), basis.currency)
        exact = off(discount, base).copy_negate()
        amount = money(exact, basis.currency)
        if not amount.minor:
            continue
        line = Line(
            item=discount.item or "",
            kind=Kind.DISCOUNT,
            amount=amount,
            period=basis.ended,
            why=Why(f"discounts.{discount.key}", f"the lines of {discount.item}", words(discount, base), exact),
            percent=discount.percent,
            base=base,
        )
        draft = draft.plus([line])
    return draft
