"""Discounts: their form, their target, and two of one kind at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING

from event_schemas.contract_v2.checks.shared import keys, life, overlap
from event_schemas.contract_v2.clauses import Discount
from event_schemas.contract_v2.flaws import Flaw
from event_schemas.contract_v2.parts import living
from event_schemas.times import MICROSECOND, month_after, period_containing

if TYPE_CHECKING:
    from event_schemas.contract_v2.contract import ContractV2


def discounts(contract: ContractV2) -> Iterator[Flaw]:
    """All about discounts."""
    yield from keys("discounts", contract.discounts)
    for discount in contract.discounts:
        yield from _one(contract, discount)
    for one, other in combinations(living(contract.discounts), 2):
        same = (one.scope, one.item, one.percent is None) == (other.scope, other.item, other.percent is None)
        if same and overlap(_whole(contract, one), _whole(contract, other)):
            kind = "a percent" if one.percent is not None else "an amount"
            target = f"the item {one.item}" if one.item is not None else "the invoice"
            sentence = f"{one.key} takes {kind} off {target} at the same time; end one where the other begins"
            yield Flaw("discounts_overlap", f"discounts.{other.key}", sentence)


def _one(contract: ContractV2, discount: Discount) -> Iterator[Flaw]:
    field = f"discounts.{discount.key}"
    yield from life(field, discount)
    if (discount.percent is None) == (discount.amount is None):
        yield Flaw("discount_form", field, "a discount is either a percent or an amount")
    if discount.percent is not None and not 0 < Decimal(discount.percent) <= 100:
        sentence = f"{discount.percent} percent off: a discount is more than 0 and at most 100 percent"
        yield Flaw("discount_percent", f"{field}.percent", sentence)
    if discount.amount is not None and discount.amount.currency is not contract.currency:
        sentence = f"{discount.amount.currency} off an invoice in {contract.currency}"
        yield Flaw("other_currency", f"{field}.amount", sentence)
    if (discount.scope == "item") != (discount.item is not None):
        yield Flaw("discount_form", f"{field}.item", "a discount on an item names it, one on the invoice names none")
    elif discount.item is not None and discount.item not in {item.key for item in living(contract.items)}:
        yield Flaw("unknown_item", f"{field}.item", f"there is no item {discount.item}")


def _whole(contract: ContractV2, discount: Discount) -> Discount:
    """With the end of a counted one as the calendar has it: just after so many billing days from its start."""
    if discount.invoices is None:
        return discount
    end = _billing_days_on(contract.billing_anchor, discount.start, discount.invoices - 1) + MICROSECOND
    return discount.model_copy(update={"until": end if discount.until is None else min(end, discount.until)})


def _billing_days_on(anchor: datetime, instant: datetime, count: int) -> datetime:
    """The billing day that comes `count` after the first one at or behind an instant."""
    anchor = anchor.astimezone(UTC)
    period = period_containing(anchor, instant)
    months = (period.start.year - anchor.year) * 12 + period.start.month - anchor.month
    return month_after(anchor, months + (period.start != instant) + count)
