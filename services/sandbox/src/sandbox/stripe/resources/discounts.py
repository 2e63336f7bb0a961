"""Discounts of subscriptions, items, invoices and invoice items: made from coupons, used up, and taken off lines."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from sandbox.stripe.domain.calendar import cycle_start
from sandbox.stripe.domain.discounts import Line, Off, by_discount, take_off
from sandbox.stripe.errors import absent, invalid, refused, unsupported
from sandbox.stripe.resources.coupons import is_valid
from sandbox.stripe.state import Body, State

_MOST = 20


def read(state: State, given: Any, currency: str, param: str = "discounts") -> list[Body]:
    """The coupons and discounts that a list names, in its order; nothing is changed. Empty text is an empty list."""
    if given == "":
        return []
    if not isinstance(given, list) or len(given) > _MOST:
        raise invalid(param, f"Invalid array: at most {_MOST} discounts")
    found = []
    for place, entry in enumerate(given):
        where = f"{param}[{place}]"
        if "promotion_code" in entry:
            raise unsupported(f"{where}[promotion_code]")
        if "discount" in entry:
            found.append(state.get("discount", entry["discount"], param=f"{where}[discount]"))
            continue
        coupon = state.objects["coupon"].get(entry.get("coupon", ""))
        if coupon is None or coupon.get("deleted"):
            raise absent("coupon", str(entry.get("coupon")), param=f"{where}[coupon]")
        if not is_valid(state, coupon):
            raise refused(f"The coupon {coupon['id']} can no longer be redeemed.", code="coupon_expired", param=where)
        if coupon["currency"] not in (None, currency):
            raise refused("The coupon's currency is not the one that is billed.", param=where)
        found.append(coupon)
    names = [one["source"]["coupon"] if one["object"] == "discount" else one["id"] for one in found]
    if len(set(names)) != len(names):
        raise invalid(param, "A coupon may be named once only.")
    return found


def attach(state: State, found: list[Body], *, customer: str, **on: str) -> list[str]:
    """
    The ids of discounts made from the coupons found, and of the discounts found.

    `on` names what they are on: subscription, subscription_item, invoice or invoice_item.
    """
    return [one["id"] if one["object"] == "discount" else _redeem(state, one, customer, on) for one in found]


def _redeem(state: State, coupon: Body, customer: str, on: dict[str, str]) -> str:
    months = coupon["duration_in_months"]
    body: Body = {
        "id": state.new_id("discount"),
        "object": "discount",
        "checkout_session": None,
        "customer": customer,
        "customer_account": None,
        "end": None if months is None else cycle_start(state.now, months),
        "invoice": None,
        "invoice_item": None,
        "promotion_code": None,
        "source": {"type": "coupon", "coupon": coupon["id"]},
        "start": state.now,
        "subscription": None,
        "subscription_item": None,
        **on,
    }
    coupon["times_redeemed"] += 1
    state.put(coupon)
    state.put(body)
    if body["subscription"] is not None:
        state.announce("customer.discount.created", body)
    return str(body["id"])


def replace(state: State, holder: Body, ids: list[str]) -> None:
    """Put discounts in the place of those that a subscription or item has; events tell of those that go."""
    for gone in set(holder["discounts"]) - set(ids):
        state.announce("customer.discount.deleted", state.objects["discount"][gone])
    holder["discounts"] = ids


def live(state: State, ids: list[str]) -> list[str]:
    """Those that have not ended."""
    ends = {id_: state.objects["discount"][id_]["end"] for id_ in ids}
    return [id_ for id_ in ids if ends[id_] is None or state.now < ends[id_]]


def spend(state: State, subscription: Body, invoice: Body) -> None:
    """What an invoice has used up goes from the subscription and its items: `once`, and what has ended."""
    if subscription["status"] == "trialing" or not any(line["discountable"] for line in invoice["lines"]["data"]):
        return
    on_lines = {id_ for line in invoice["lines"]["data"] for id_ in line["discounts"]}
    _forget_spent(state, subscription, set(invoice["discounts"]))
    for item in subscription["items"]["data"]:
        _forget_spent(state, item, on_lines)


def _forget_spent(state: State, holder: Body, used: set[str]) -> None:
    if not holder["discounts"]:
        return
    kept = live(state, holder["discounts"])
    kept = [id_ for id_ in kept if id_ not in used or _coupon(state, id_)["duration"] != "once"]
    replace(state, holder, kept)


def percents_off(state: State, subscription: Body, item: Body) -> list[Fraction]:
    """The percentages that a proration of an item bears: its own, then its subscription's."""
    found = []
    for id_ in live(state, item["discounts"]) + live(state, subscription["discounts"]):
        off = _off(state, id_)
        if off.percent is not None and (off.products is None or item["price"]["product"] in off.products):
            found.append(off.percent)
    return found


def _coupon(state: State, discount: str) -> Body:
    return state.objects["coupon"][state.objects["discount"][discount]["source"]["coupon"]]


def _off(state: State, discount: str) -> Off:
    coupon = _coupon(state, discount)
    percent, products = coupon["percent_off"], (coupon.get("applies_to") or {}).get("products")
    return Off(
        discount,
        None if percent is None else Fraction(str(percent)),
        coupon["amount_off"],
        None if products is None else frozenset(products),
    )


def sum_up(state: State, invoice: Body) -> tuple[int, int]:
    """Take the discounts off an invoice's lines: its subtotal, with those of single lines in it, and its total."""
    rows: list[Body] = invoice["lines"]["data"]
    own = list(dict.fromkeys(id_ for row in rows for id_ in row["discounts"]))
    common = list(invoice["discounts"])
    if not own and not common:
        total = sum(row["amount"] for row in rows)
        return total, total
    lines = [_line(row) for row in rows]
    switches = state.switches
    take_off(
        lines,
        [_off(state, id_) for id_ in own],
        [_off(state, id_) for id_ in common],
        of_the_whole=switches.discount_stack == "of_the_whole",
        per_line=switches.percent_share == "each_line",
    )
    for row, line in zip(rows, lines, strict=True):
        row["discount_amounts"] = [{"amount": cut, "discount": id_} for id_, cut in line.taken.items()]
    sums = by_discount(lines)
    invoice["total_discount_amounts"] = [{"amount": sums.get(id_, 0), "discount": id_} for id_ in [*own, *common]]
    of_lines = sum(cut for line in lines for id_, cut in line.taken.items() if id_ not in common)
    return sum(row["amount"] for row in rows) - of_lines, sum(line.left for line in lines)


def _line(row: Body) -> Line:
    product = ((row["pricing"] or {}).get("price_details") or {}).get("product")
    return Line(row["amount"], product, row["discountable"], tuple(row["discounts"]))
