"""Licensed items for the term that starts. Source: golden rule R2."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pricing.amounts import money
from pricing.draft import Basis, Draft
from pricing.lines import Kind, Line, Why
from pricing.models import priced
from pricing.periods import say_instant
from pricing.terms import Licensed


def advance(basis: Basis, draft: Draft) -> Draft:
    """Each licensed item whose term starts on the billing day, at the quantity then in force."""
    return draft.plus(line for item in basis.terms.licensed for line in _lines(basis, item))


def _lines(basis: Basis, item: Licensed) -> Iterator[Line]:
    quantity = item.quantity_at(basis.billing_day)
    if not quantity:
        return
    term = basis.term(item, basis.billing_day)
    if term.start != basis.billing_day:
        return  # a yearly item in the middle of its term
    source = f"{quantity} in force at {say_instant(basis.billing_day)}"
    for charge in priced(item.price, Decimal(quantity)).charges:
        yield Line(
            item=item.key,
            kind=Kind.ADVANCE,
            amount=money(charge.exact, basis.currency),
            period=term,
            why=Why(f"items.{item.key}", source, charge.formula, charge.exact, item.price_version),
            quantity=charge.quantity,
            unit_price=charge.unit_price,
            tier=charge.tier,
            packs=charge.packs,
        )
