"""Discounts on the whole invoice: rounded once, shared over the items. Source: golden rule R6, case G21."""

from __future__ import annotations

from event_schemas.values import Money
from pricing.amounts import major, money, share
from pricing.draft import Basis, Draft, net_by_item
from pricing.invoice.discounts import holding, off, words
from pricing.lines import Kind, Line, Why
from pricing.terms import Discount, Scope


def invoice_discounts(basis: Basis, draft: Draft) -> Draft:
    """For each discount that holds, a line per item; their sum is the discount, rounded once."""
    for discount in holding(basis, Scope.INVOICE):
        draft = draft.plus(_shares(basis, draft, discount))
    return draft


def _shares(basis: Basis, draft: Draft, discount: Discount) -> list[Line]:
    left = net_by_item(basis, draft.lines)
    whole = Money(sum(left.values()), basis.currency)
    if whole.minor <= 0:
        return []
    exact = off(discount, whole)
    total = money(exact, basis.currency)
    of_whole = f"of {whole}, by largest remainder"
    formula = f"{words(discount, whole)} = {total}, shared"
    return [
        Line(
            item=item,
            kind=Kind.DISCOUNT,
            amount=Money(-part, basis.currency),
            period=basis.ended,
            why=Why(
                f"discounts.{discount.key}",
                f"{Money(base, basis.currency)} {of_whole}",
                formula,
                major(Money(-part, basis.currency)),
            ),
            percent=discount.percent,
            base=Money(base, basis.currency),
            whole_invoice=True,
        )
        for (item, base), part in zip(left.items(), share(total.minor, list(left.values())), strict=True)
        if part
    ]
