"""
Which way a clause goes: Stripe prices it, or its amounts go as explicit invoice items from the expected invoice.

Each answer is None where Stripe says the same as we do, to the cent and for certain; else the reason, in words.
"""

from __future__ import annotations

from datetime import datetime

from event_schemas.contract_v2 import ContractV2, items_at, prices
from event_schemas.contract_v2.clauses import Allowance, Commitment, Discount, HardLimit
from event_schemas.contract_v2.items import Item, LicensedItem, MeteredItem
from event_schemas.contract_v2.parts import Dated, in_time, living
from event_schemas.times import period_containing
from pricing.agreed import terms_of
from pricing.periods import number_of, term_of


def no_scheme(price: prices.Price) -> str | None:
    """Why Stripe has no price for it."""
    if isinstance(price, prices.Package) and price.free:
        return "Stripe's packages have no free units"
    if isinstance(price, prices.Flat) or (
        isinstance(price, prices.Graduated | prices.Volume) and any(_has_fee(tier) for tier in price.tiers)
    ):
        return "no text says whether Stripe charges a flat fee where nothing was used"
    return None


def _has_fee(tier: prices.Tier) -> bool:
    return tier.flat_fee.strip("0.") != ""


def item_reason(contract: ContractV2, item: Item) -> str | None:
    """Why Stripe counts an item at price 0, for its whole life, and its amounts go as explicit items."""
    if (reason := no_scheme(item.price)) is not None:
        return reason
    if not isinstance(item, MeteredItem):
        return _other_year(contract, item)
    if (reason := _comes_later(contract, item)) is not None:
        return reason
    deciding: list[tuple[str, Commitment | HardLimit]] = [
        *(("a commitment", one) for one in living(contract.commitments)),
        *(("a hard limit", one) for one in living(contract.limits)),
    ]
    for name, one in deciding:
        if one.meter == item.meter and _meet(one, item):
            return f"{name} decides which units are charged, and Stripe counts all of them"
    allowances = _allowances(contract, item)
    if allowances and not _fits(item, allowances):
        return "the allowance is no first tier of its price"
    return None


def _other_year(contract: ContractV2, item: LicensedItem) -> str | None:
    """Years at Stripe are counted from the subscription's anchor."""
    if item.rhythm != "year":
        return None
    terms = terms_of(contract)
    licensed = next((one for one in terms.licensed if one.key == item.key), None)
    if licensed is None:
        return None
    first = number_of(contract.billing_anchor, term_of(terms, licensed, item.start).start)
    return None if first % 12 == 0 else "its years begin on another day than those of the subscription"


def _comes_later(contract: ContractV2, item: MeteredItem) -> str | None:
    """Stripe counts a metered item from the call on that puts it there, and the ledger from its own instant."""
    sold = [one for one in living(contract.items) if isinstance(one, MeteredItem)]
    if any(one.meter == item.meter and one.start < item.start for one in sold):
        return "the meter had another price before, and Stripe tells both apart by the instant of a call"
    begun = min(one.agreed_in for one in contract.items)
    if item.start > contract.billing_anchor or item.agreed_in > begun:
        return "it came after the subscription, and Stripe counts it from the instant of a call on"
    return None


def first_tier(contract: ContractV2, item: Item) -> int:
    """Units that an allowance makes a first tier at 0; 0 where there is none, or it goes as explicit items."""
    if not isinstance(item, MeteredItem):
        return 0
    allowances = _allowances(contract, item)
    return allowances[0].quantity if allowances and _fits(item, allowances) else 0


def _allowances(contract: ContractV2, item: MeteredItem) -> list[Allowance]:
    return [one for one in living(contract.allowances) if one.meter == item.meter and _meet(one, item)]


def _fits(item: MeteredItem, allowances: list[Allowance]) -> bool:
    """One price for all units, one allowance, and both live together: only then nothing depends on order or time."""
    first = allowances[0]
    return (
        isinstance(item.price, prices.PerUnit)
        and len(allowances) == 1
        and first.quantity > 0
        and (first.start, first.until) == (item.start, item.until)
    )


def discount_reason(discount: Discount) -> str:
    """Why a discount is no coupon at Stripe: none ever is."""
    if discount.invoices is not None:
        return "it is counted by finalised invoices, and Stripe counts months"
    if discount.scope == "invoice":
        return "no text says whether Stripe rounds each line's share or their sum"
    return "it is rounded once for all lines of the item, its prorations too, and Stripe's are not discountable"


def quantities(item: LicensedItem) -> list[tuple[datetime, int, int]]:
    """Each change of an item's quantity within its life, as (instant, quantity, revision)."""
    found: list[tuple[datetime, int, int]] = []
    for entry in in_time(item.quantities):
        at = max(entry.at, item.start)
        if item.until is not None and at >= item.until:
            continue
        if found and found[-1][0] == at:
            found.pop()
        found.append((at, entry.quantity, entry.agreed_in))
    changes: list[tuple[datetime, int, int]] = []
    for change in found:
        if not changes or change[1] != changes[-1][1]:
            changes.append(change)
    return changes


def proration_reason(contract: ContractV2, at: datetime) -> str | None:
    """Why a change in mid-term is not prorated by Stripe."""
    if contract.proration == "day":
        return "Stripe prorates to the second, and whole days are agreed"
    if contract.proration == "none":
        return "no proration is agreed"
    if contract.trial is not None and at < contract.trial.until:
        return "seats are free in the trial"
    if at.microsecond:
        return "Stripe's instants are whole seconds"
    return None


def over_at(contract: ContractV2) -> datetime | None:
    """When the last item ends; None where one never does, or there is none."""
    untils = [item.until for item in living(contract.items)]
    return None if not untils or None in untils else max(until for until in untils if until is not None)


def ends_at(contract: ContractV2) -> datetime | None:
    """When the subscription ends: the billing day on which the last item's end is billed; None where none ends."""
    over = over_at(contract)
    if over is None:
        return None
    period = period_containing(contract.billing_anchor, over)
    ends = over if over == period.start else period.end
    return max(ends, contract.billing_anchor)


def explicit(contract: ContractV2, at: datetime) -> tuple[tuple[str, str], ...]:
    """What goes as explicit invoice items at an instant, as (clause, reason)."""
    found = [
        (f"items.{item.key}", reason)
        for item in items_at(contract, at)
        if (reason := item_reason(contract, item)) is not None
    ]
    day = period_containing(contract.billing_anchor, at).end
    found += [(f"discounts.{one.key}", discount_reason(one)) for one in living(contract.discounts) if one.holds_at(day)]
    for name, clauses, reason in (
        ("minimums", contract.minimums, "Stripe knows no minimum of a meter"),
        ("prepaid", contract.prepaid, "Stripe's credit grants are a preview, and theirs is another order"),
    ):
        found += [(f"{name}.{one.key}", reason) for one in living(clauses) if one.holds_at(at)]
    return tuple(found)


def _meet(one: Dated, other: Dated) -> bool:
    return (other.until is None or one.start < other.until) and (one.until is None or other.start < one.until)
