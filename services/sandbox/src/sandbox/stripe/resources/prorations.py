"""What a change within a period gives back and costs, as invoice items; what has billed which time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sandbox.stripe.domain.amounts import PricedLine, whole
from sandbox.stripe.domain.proration import credit, debit, rest_of
from sandbox.stripe.resources.discounts import percents_off
from sandbox.stripe.resources.invoice_items import new_item
from sandbox.stripe.resources.lines import Span, counted_usage, plain, priced_lines, product_name, settled
from sandbox.stripe.resources.periods import full_length, usage_period
from sandbox.stripe.state import Body, State


def give_back(state: State, subscription: Body, item: Body, at: int) -> Fraction:
    """
    Credits for the time of a licensed item after an instant; what rounding took off them, exact.

    Flexible: of what was billed for that time last, one for each line that billed it. Classic: of the present price.
    """
    rest = Fraction(0)
    debits = subscription.setdefault("_debits", {}).pop(item["id"], [])
    if subscription["billing_mode"]["type"] == "classic":
        end = item["current_period_end"]
        line = _rest(state, subscription, item, at, end)
        if line.amount:
            _prorate(state, subscription, item, -line.amount, (at, end), _unused(state, item, at), None)
        return line.amount - line.exact
    for one in debits:
        span = (one["start"], one["end"])
        net, credited = _billed(state, one)
        amount = credit(net, span, at)
        if amount:
            _prorate(state, subscription, item, amount, (max(at, span[0]), span[1]), _unused(state, item, at), credited)
        rest += -amount - net * rest_of(span, at)
    return rest


def give_all_back(state: State, subscription: Body) -> None:
    """Credits for the time of all licensed items from now on, where the subscription ends."""
    if subscription["status"] != "trialing":
        for item in subscription["items"]["data"]:
            if "quantity" in item:
                give_back(state, subscription, item, state.now)


def charge_rest(state: State, subscription: Body, item: Body, at: int, *, rest: Fraction = Fraction(0)) -> None:
    """
    The debit for the rest of a licensed item's period from an instant, at its present price and quantity.

    `rest` is what rounding took off the credits of the same change: it is in the debit where the switch has it so.
    """
    at, end = max(at, item["current_period_start"]), item["current_period_end"]
    line = _rest(state, subscription, item, at, end)
    if state.switches.proration_rounding == "together":
        line = replace(line, amount=whole(line.exact + rest))
    if item["quantity"] == 0 or at >= end:
        return
    text = f"Remaining time on {_name(state, item)} after {_day(at)}"
    made = _prorate(state, subscription, item, line.amount, (at, end), text, None)
    subscription.setdefault("_debits", {})[item["id"]] = [{"item": made["id"], "start": at, "end": end}]


def bill_usage(state: State, subscription: Body, item: Body) -> None:
    """What a metered item has used until now, as invoice items; flexible mode alone bills it when the item goes."""
    if subscription["billing_mode"]["type"] == "classic" or subscription["status"] == "trialing":
        return
    price = state.objects["price"][item["price"]["id"]]
    period = usage_period(subscription, item, state.now)
    _, counted = counted_usage(state, subscription["customer"], price, period)
    if counted == 0:
        return
    customer = state.objects["customer"][subscription["customer"]]
    for line in priced_lines(state, price, counted):
        new_item(
            state,
            customer,
            amount=line.amount,
            currency=price["currency"],
            quantity=line.quantity,
            pricing=_pricing(price, None if line.unit_amount is None else plain(line.unit_amount)),
            period=period,
            subscription=subscription["id"],
            description=f"{plain(line.quantity)} × {product_name(state, price)}",
        )


def remember(subscription: Body, item: Body, invoice: Body, lines: list[Body]) -> None:
    """Which lines have billed a licensed item's running period, for credits that may come."""
    subscription.setdefault("_debits", {})[item["id"]] = [
        {"invoice": invoice["id"], "line": line["id"], **line["period"]} for line in lines
    ]


def _billed(state: State, one: Body) -> tuple[int, Body]:
    """What was billed, net of its discounts, and how a credit refers to it."""
    if "item" in one:
        item = state.objects["invoiceitem"][one["item"]]
        if item["invoice"] is None:
            return item["amount"], {"type": "invoice_item", "invoice_item": item["id"]}
        lines: Any = state.objects["invoice"][item["invoice"]]["lines"]["data"]
        line = next(line for line in lines if line.get("_item") == item["id"])
    else:
        lines = state.objects["invoice"][one["invoice"]]["lines"]["data"]
        line = next(line for line in lines if line["id"] == one["line"])
    net = line["amount"] - sum(off["amount"] for off in line["discount_amounts"])
    details = {"invoice": line["invoice"], "invoice_line_items": [line["id"]]}
    return net, {"type": "invoice_line_items", "invoice_line_item_details": details}


def _rest(state: State, subscription: Body, item: Body, at: int, end: int) -> PricedLine:
    """The rest of a period as one line, rounded once; percent discounts are in it, as `included` says."""
    price = state.objects["price"][item["price"]["id"]]
    exact = sum((line.exact for line in priced_lines(state, price, Decimal(item["quantity"]))), Fraction(0))
    off = percents_off(state, subscription, item)
    exact = debit(exact, at, end, full_length(subscription, price, end), off)
    return settled(state, price, PricedLine.of(Decimal(item["quantity"]), exact))


def _prorate(
    state: State, subscription: Body, item: Body, amount: int, period: Span, text: str, credited: Body | None
) -> Body:
    return new_item(
        state,
        state.objects["customer"][subscription["customer"]],
        amount=amount,
        currency=subscription["currency"],
        quantity=Decimal(item["quantity"]),
        pricing=_pricing(item["price"], item["price"]["unit_amount_decimal"]),
        period=period,
        subscription=subscription["id"],
        description=text,
        discountable=False,
        proration={"subscription_item": item["id"], "credited_items": credited},
    )


def _pricing(price: Body, unit: str | None) -> Body:
    details = {"price": price["id"], "product": price["product"]}
    return {"type": "price_details", "price_details": details, "unit_amount_decimal": unit}


def _unused(state: State, item: Body, at: int) -> str:
    return f"Unused time on {_name(state, item)} after {_day(at)}"


def _name(state: State, item: Body) -> str:
    name = product_name(state, item["price"])
    return name if item["quantity"] == 1 else f"{item['quantity']} × {name}"


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%d %b %Y")
