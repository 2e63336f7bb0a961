"""Discounts: a coupon of the catalogue, or one that somebody gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from contracts_service.agreements.domain.commands import GiveDiscount
from contracts_service.agreements.domain.draft import Draft, Use, no
from contracts_service.catalog.domain.models import Catalog
from contracts_service.catalog.domain.resolving import fresh_key
from event_schemas.contract_v2 import items_at
from event_schemas.contract_v2.checks.shared import say
from event_schemas.contract_v2.clauses import Discount
from event_schemas.contract_v2.items import Item
from event_schemas.contract_v2.parts import Amount
from event_schemas.times import month_after
from event_schemas.values import Currency, round_line


def coupon_discounts(
    catalog: Catalog,
    key: str,
    items: Iterable[Item],
    *,
    currency: Currency,
    start: datetime,
    revision: int,
    now: datetime,
    taken: set[str],
) -> tuple[tuple[Discount, ...], Use]:
    """A coupon as discounts: one off the invoice, or one off each item of its products. Raises No."""
    coupon = catalog.coupons.get(key)
    if coupon is None:
        known = ", ".join(sorted(catalog.coupons)) or "none"
        raise no("unknown_coupon", "coupon", f"there is no coupon {key}; there are: {known}")
    if coupon.redeem_until is not None and coupon.redeem_until <= now:
        raise no("coupon_expired", "coupon", f"the coupon {key} could be redeemed until {say(coupon.redeem_until)}")
    form: dict[str, Any] = {"percent": coupon.percent}
    if coupon.percent is None:
        if currency not in coupon.amounts:
            raise no("not_sold_in_currency", "coupon", f"the coupon {key} takes nothing off an invoice in {currency}")
        exact = Decimal(coupon.amounts[currency])
        form = {"amount": Amount(minor=round_line(exact, currency).minor, currency=currency)}
    form |= {"start": start, "agreed_in": revision, "invoices": coupon.invoices}
    if coupon.months is not None:
        form["until"] = month_after(start, coupon.months)
    use = ("coupons", key, coupon.version)
    if not coupon.products:
        return (Discount(key=fresh_key(key, taken), scope="invoice", **form),), use
    targets = [item for item in items if item.product in coupon.products]
    if not targets:
        products = ", ".join(coupon.products)
        raise no("unknown_item", "coupon", f"the coupon {key} is off {products}, and the customer has none of it then")
    return tuple(Discount(key=fresh_key(key, taken), scope="item", item=one.key, **form) for one in targets), use


def give_discount(draft: Draft, command: GiveDiscount, catalog: Catalog, *, now: datetime) -> None:
    """One more discount, or those of a coupon, from the draft's instant on. Raises No."""
    contract, taken = draft.before, draft.keys("discounts")
    living = items_at(contract, draft.at)
    if command.coupon is not None:
        discounts, use = coupon_discounts(
            catalog,
            command.coupon,
            living,
            currency=contract.currency,
            start=draft.at,
            revision=draft.revision,
            now=now,
            taken=taken,
        )
        draft.uses.add(use)
        draft.add("discounts", discounts)
        return
    targets: Sequence[str | None] = [None]
    if command.product is not None:
        targets = [item.key for item in living if item.product == command.product]
        if not targets:
            sentence = f"the customer has nothing of {command.product} at {say(draft.at)}"
            raise no("unknown_item", "product", sentence)
    if command.percent is not None and not 0 < Decimal(command.percent) <= 100:
        sentence = f"{command.percent} percent off: a discount is more than 0 and at most 100 percent"
        raise no("discount_percent", "percent", sentence)
    draft.add("discounts", [_given(draft, command, target, taken) for target in targets])


def _given(draft: Draft, command: GiveDiscount, target: str | None, taken: set[str]) -> Discount:
    amount = command.amount_minor
    return Discount(
        key=fresh_key("discount", taken),
        start=draft.at,
        until=command.until,
        agreed_in=draft.revision,
        scope="invoice" if target is None else "item",
        item=target,
        percent=command.percent,
        amount=Amount(minor=amount, currency=draft.before.currency) if amount is not None else None,
        invoices=command.invoices,
    )
