"""What operations of a plan say at Stripe: parameters of prices, subscriptions and the changes of items."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from event_schemas.times import period_containing
from event_schemas.values import Currency
from invoicing_sync.contracts.domain.plan.operations import ChangeItems, GoneItem, ItemChange, MakeSubscription, NewItem
from invoicing_sync.contracts.domain.plan.prices import StripePrice, StripeTier
from invoicing_sync.stripe_door.convert import seconds, to_wire_minor

Ids = Mapping[str, str]  # our key to Stripe's id


def to_wire_price(price: StripePrice, *, product: str, meter_id: str | None) -> dict[str, Any]:
    """Parameters of `POST /v1/prices`; those that version 1 has too are the same."""
    currency = price.currency
    usage = {"usage_type": "metered", "meter": meter_id} if price.kind == "usage" else {"usage_type": "licensed"}
    params: dict[str, Any] = {
        "currency": currency.value.lower(),
        "product": product,
        "lookup_key": price.lookup_key,
        "recurring": {"interval": price.interval, **usage},
        "metadata": {"settled_meter" if price.kind == "usage" else "settled_item": price.name},
    }
    if price.mode == "per_unit":
        params |= {
            "billing_scheme": "per_unit",
            "unit_amount_decimal": to_wire_minor(price.tiers[0].unit_price, currency),
        }
        pack = {"transform_quantity": {"divide_by": price.pack, "round": "up"}} if price.pack > 1 else {}
        return params | pack
    tiers = [_tier(tier, currency) for tier in price.tiers]
    return params | {"billing_scheme": "tiered", "tiers_mode": price.mode, "tiers": tiers}


def _tier(tier: StripeTier, currency: Currency) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "up_to": "inf" if tier.up_to is None else tier.up_to,
        "unit_amount_decimal": to_wire_minor(tier.unit_price, currency),
    }
    return wire | ({"flat_amount_decimal": to_wire_minor(tier.flat_fee, currency)} if tier.flat_fee else {})


def to_wire_new_subscription(
    what: MakeSubscription, *, customer: str, stripe_customer: str, currency: Currency, prices: Ids, now: datetime
) -> dict[str, Any]:
    """Parameters of `POST /v1/subscriptions`: in flexible mode, one that sends (decision 0012)."""
    params: dict[str, Any] = {
        "customer": stripe_customer,
        "currency": currency.value.lower(),
        "items": [_new(item, prices) for item in what.items],
        "collection_method": "send_invoice",
        "days_until_due": what.days,
        "billing_mode": {"type": "flexible"},
        "metadata": {"customer": customer},
        "expand": ["latest_invoice"],
    }
    return params | _begin(what, now)


def _begin(what: MakeSubscription, now: datetime) -> dict[str, Any]:
    if what.trial_end is not None:
        return {"trial_end": seconds(what.trial_end), "proration_behavior": "none"}
    if seconds(what.anchor) == seconds(now):
        return {}
    if what.begins is None:
        return {"billing_cycle_anchor": seconds(what.anchor), "proration_behavior": "none"}
    return {
        "backdate_start_date": seconds(what.begins),
        "billing_cycle_anchor": seconds(period_containing(what.anchor, what.begins).end),  # else months count from now
        "proration_behavior": "none",
    }


def to_wire_item_changes(what: ChangeItems, *, prices: Ids, items: Ids) -> dict[str, Any]:
    """
    Parameters of `POST /v1/subscriptions/{id}` by which its items change.

    Args:
        items: ids of the subscription's items, by the keys of the contract's.
    """
    params: dict[str, Any] = {
        "items": [_change(change, prices, items) for change in what.changes],
        "proration_behavior": what.proration,
    }
    return params | ({"proration_date": seconds(what.at)} if what.proration != "none" else {})


def _change(change: ItemChange, prices: Ids, items: Ids) -> dict[str, Any]:
    if isinstance(change, NewItem):
        return _new(change, prices)
    if isinstance(change, GoneItem):
        return {"id": items[change.key], "deleted": True}
    many = {} if change.quantity is None else {"quantity": change.quantity}
    return {"id": items[change.key], "price": prices[change.price.lookup_key], **many}


def _new(item: NewItem, prices: Ids) -> dict[str, Any]:
    many = {} if item.quantity is None else {"quantity": item.quantity}
    return {"price": prices[item.price.lookup_key], **many}


def to_wire_end(at: datetime | None) -> dict[str, Any]:
    """Parameters of the same call by which it ends at an instant, or does not."""
    return {"cancel_at": "" if at is None else seconds(at), "proration_behavior": "none"}
