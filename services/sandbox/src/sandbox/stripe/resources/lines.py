"""The lines of an invoice: licensed items in advance, usage in arrears, loose items, as Stripe lays them out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from sandbox.stripe.domain.amounts import PricedLine, in_one, price_lines, prorated, whole_ten, with_halves_to_even
from sandbox.stripe.domain.calendar import cycle_start
from sandbox.stripe.resources.catalogue import THREE_DECIMALS
from sandbox.stripe.state import Body, State

Span = tuple[int, int]  # [start, end) in unix seconds


def licensed_lines(state: State, invoice: Body, item: Body, period: Span, *, whole_s: int | None = None) -> list[Body]:
    """A licensed item's lines for a period in advance; prorated where `whole_s`, its full length, is given."""
    price = state.objects["price"][item["price"]["id"]]
    part_s = period[1] - period[0]
    lines = []
    for priced in priced_lines(state, price, Decimal(item["quantity"])):
        is_part = whole_s is not None and whole_s != part_s
        done = settled(state, price, prorated(priced, part_s, whole_s)) if is_part and whole_s else priced
        lines.append(_item_line(state, invoice, item, done, period, proration=is_part))
    return lines


def trial_line(state: State, invoice: Body, item: Body, period: Span) -> Body:
    """A licensed item's line for its trial: free."""
    free = PricedLine(Decimal(item["quantity"]), Decimal(0), 0)
    line = _item_line(state, invoice, item, free, period, proration=False)
    line["description"] = f"Trial period for {product_name(state, item['price'])}"
    return line


def counted_usage(state: State, customer: str, price: Body, period: Span) -> tuple[str, Decimal]:
    """A metered price's meter, by its event's name, and what it has counted of a customer in a period."""
    meter = state.objects["billing.meter"][price["recurring"]["meter"]]
    counted = state.tally(customer, meter["event_name"]).aggregate(
        *period, formula=meter["default_aggregation"]["formula"], window=meter["event_time_window"]
    )
    if state.switches.negative_sum == "nothing":
        counted = max(counted, Decimal(0))
    return meter["event_name"], counted


def usage_lines(state: State, invoice: Body, item: Body, period: Span) -> list[Body]:
    """A metered item's lines for a period that has ended, from what is counted now."""
    price = state.objects["price"][item["price"]["id"]]
    event_name, counted = counted_usage(state, invoice["customer"], price, period)
    lines = []
    for tier, priced in enumerate(priced_lines(state, price, counted)):
        line = _item_line(state, invoice, item, priced, period, proration=False)
        line["_usage"], line["_tier"] = event_name, tier
        lines.append(line)
    return lines


def priced_lines(state: State, price: Body, quantity: Decimal) -> list[PricedLine]:
    """The lines of a quantity, as the switches have them."""
    lines = price_lines(price, quantity)
    if quantity == 0 and state.switches.flat_at_zero == "free":
        lines = [line for line in lines if not line.is_flat] or [PricedLine(quantity, None, 0)]
    if state.switches.tier_lines == "all_in_one" and price["tiers_mode"] == "graduated" and len(lines) > 1:
        return [settled(state, price, in_one(lines))]
    return [settled(state, price, line) for line in lines]


def settled(state: State, price: Body, line: PricedLine) -> PricedLine:
    """A line whose exact amount is rounded as the switches have it."""
    if state.switches.three_decimals == "tens" and price["currency"] in THREE_DECIMALS:
        return replace(line, amount=whole_ten(line.exact))
    return with_halves_to_even(line) if state.switches.half_units == "to_even" else line


def whole_cycle(subscription: Body, price: Body) -> int:
    """The length in seconds of the full cycle of a price that ends at the subscription's anchor."""
    recurring, anchor = price["recurring"], subscription["billing_cycle_anchor"]
    before = cycle_start(anchor, -1, interval=recurring["interval"], count=recurring["interval_count"])
    return int(anchor - before)


def loose_line(state: State, invoice: Body, item: Body) -> Body:
    """The line of an invoice item."""
    line = _line(state, invoice, item["amount"], (item["period"]["start"], item["period"]["end"]))
    line.update(
        description=item["description"],
        discountable=item["discountable"],
        discounts=item["discounts"],
        metadata=item["metadata"],
        quantity=item["quantity"],
        quantity_decimal=item["quantity_decimal"],
        pricing=item["pricing"],
        parent=_proration_parent(item) if item["proration"] else _loose_parent(item),
        _item=item["id"],
    )
    return line


def _loose_parent(item: Body) -> Body:
    return {
        "type": "invoice_item_details",
        "subscription_item_details": None,
        "invoice_item_details": {
            "invoice_item": item["id"],
            "proration": False,
            "proration_details": {"credited_items": None},
            "subscription": item["_subscription"],
        },
    }


def _proration_parent(item: Body) -> Body:
    credited = (item["proration_details"]["credited_items"] or {}).get("invoice_line_item_details")
    return {
        "type": "subscription_item_details",
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": item["id"],
            "proration": True,
            "proration_details": {"credited_items": credited},
            "subscription": item["_subscription"],
            "subscription_item": item["parent"]["subscription_details"]["subscription_item"],
        },
    }


def product_name(state: State, price: Body) -> str:
    """The name of a price's product."""
    return str(state.objects["product"][price["product"]]["name"])


def plain(value: Decimal) -> str:
    """A decimal as Stripe writes it: no exponent, no zeros at the end."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _item_line(state: State, invoice: Body, item: Body, priced: PricedLine, period: Span, *, proration: bool) -> Body:
    price = item["price"]
    quantity = plain(priced.quantity)
    line = _line(state, invoice, priced.amount, period)
    line.update(
        description=f"{quantity} × {product_name(state, price)}",
        discountable=not proration,
        subscription=item["subscription"],
        quantity=int(priced.quantity),
        quantity_decimal=quantity,
        pricing={
            "type": "price_details",
            "unit_amount_decimal": None if priced.unit_amount is None else plain(priced.unit_amount),
            "price_details": {"price": price["id"], "product": price["product"]},
        },
        parent={
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": proration,
                "proration_details": {"credited_items": None},
                "subscription": item["subscription"],
                "subscription_item": item["id"],
            },
        },
    )
    return line


def _line(state: State, invoice: Body, amount: int, period: Span) -> dict[str, Any]:
    return {
        "id": state.new_id("line_item"),
        "object": "line_item",
        "amount": amount,
        "currency": invoice["currency"],
        "description": None,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice["id"],
        "livemode": False,
        "metadata": {},
        "parent": None,
        "period": {"start": period[0], "end": period[1]},
        "pretax_credit_amounts": [],
        "pricing": None,
        "quantity": None,
        "quantity_decimal": None,
        "subscription": None,
        "subtotal": amount,
        "taxes": [],
    }
