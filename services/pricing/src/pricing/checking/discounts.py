"""Discounts: their form, their target, and two of one kind at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from event_schemas.times import MICROSECOND, month_after
from pricing.checking.contradiction import Contradiction, life, overlap
from pricing.periods import is_billing_day, number_of
from pricing.terms import Discount, Scope, Terms


def discounts(terms: Terms) -> Iterator[Contradiction]:
    """All about discounts."""
    keys = {item.key for item in terms.items}
    for discount in terms.discounts:
        yield from _one(terms, keys, discount)
    for one, other in combinations(terms.discounts, 2):
        kind = "percent" if one.percent is not None else "amount"
        same = (one.scope, one.item, one.percent is None) == (other.scope, other.item, other.percent is None)
        if one.key == other.key:
            yield Contradiction("duplicate_key", f"discounts.{other.key}", "two discounts have this key")
        elif same and overlap(_whole(terms, one), _whole(terms, other)):
            sentence = f"{one.key} takes a {kind} off the same {one.scope} then too; end one where the other begins"
            yield Contradiction("discounts_overlap", f"discounts.{other.key}", sentence)


def _one(terms: Terms, keys: set[str], discount: Discount) -> Iterator[Contradiction]:
    field = f"discounts.{discount.key}"
    yield from life(field, discount)
    if (discount.percent is None) == (discount.amount is None):
        yield Contradiction("discount_form", field, "a discount is either a percent or an amount")
    if discount.percent is not None and not 0 < discount.percent <= 100:
        sentence = f"{discount.percent} % off: a discount is more than 0 and at most 100 percent"
        yield Contradiction("discount_percent", f"{field}.percent", sentence)
    if discount.amount is not None and discount.amount.currency is not terms.currency:
        sentence = f"{discount.amount.currency} off an invoice in {terms.currency}"
        yield Contradiction("other_currency", f"{field}.amount", sentence)
    elif discount.amount is not None and discount.amount.minor <= 0:
        yield Contradiction("discount_amount", f"{field}.amount", "a discount is more than 0")
    if discount.scope is Scope.ITEM and discount.item not in keys:
        yield Contradiction("unknown_item", f"{field}.item", f"there is no item {discount.item}")
    if discount.scope is Scope.INVOICE and discount.item is not None:
        yield Contradiction("discount_form", f"{field}.item", "a discount on the whole invoice names no item")
    if discount.invoices is not None and discount.invoices < 1:
        yield Contradiction("discount_invoices", f"{field}.invoices", "a discount holds for 1 invoice or more")


def _whole(terms: Terms, discount: Discount) -> Discount:
    """With the end of a counted one as the calendar has it: just after so many billing days from its start."""
    if discount.invoices is None or discount.start is None:
        return discount
    anchor = terms.billing_anchor
    first = number_of(anchor, discount.start) + (not is_billing_day(anchor, discount.start))
    end = month_after(anchor, first + discount.invoices - 1) + MICROSECOND
    ends = [end, discount.until] if discount.until is not None else [end]
    return replace(discount, until=min(ends))
