"""Coupons on first invoices, whose amounts tell each order and each rounding from the other; and a line in dinars."""

from __future__ import annotations

from typing import Any

from invoicing_sync.assumptions.bench import Bench, Body
from invoicing_sync.assumptions.trials.trial import Report, Trial

NUMBERS = ("A26", "A27", "A41", "A45")
HUNDRED, TWENTY, TEN, SMALL = 10_000, 2_000, 1_000, 15  # seats, in minor units
DINAR = 1_005  # fils, of which the last digit is no 0


async def discounts(bench: Bench, report: Report) -> None:
    """Two customers on a clock that is never advanced, four subscriptions."""
    clock = await bench.clock(bench.now)
    customer, other = await bench.customer(clock), await bench.customer(clock)
    hundred, twenty, ten = [await bench.seat_price(str(minor)) for minor in (HUNDRED, TWENTY, TEN)]
    small = [await bench.seat_price(str(SMALL)) for _ in range(2)]
    tenth, ten_off = await bench.coupon(percent_off=10), await bench.coupon(amount_off=TEN, currency="usd")
    five_off = await bench.coupon(amount_off=500, currency="usd")

    found = await _first(bench, customer, [_seat(hundred)], ten_off, tenth)
    in_turn, of_the_whole = 8_100, 8_000
    seen = f"10.00 off and then 10 % off 100.00 leave {found['total']}: in turn {in_turn}, of the whole {of_the_whole}"
    report.say("A26", found["total"] == in_turn, seen)

    found = await _first(bench, customer, [_seat(price) for price in small], tenth)
    off = _off(found)
    report.say("A27", off == 4, f"10 % off two lines of {SMALL} take {off}: 2 of each line, or 3 of both")

    found = await _first(bench, customer, [_seat(ten), _seat(twenty)], five_off)
    shares = sorted(cut["amount"] for line in found["lines"]["data"] for cut in line["discount_amounts"])
    each = " and ".join(map(str, shares))
    seen = f"5.00 off 10.00 and 20.00 leave {found['total']}, {each} of the lines (not tried: later invoices)"
    report.say("A41", found["total"] == 2_500 and sum(shares) == 500, seen)

    found = await _first(bench, other, [_seat(hundred, discounts=[{"coupon": tenth}])], ten_off)
    seen = f"10 % off an item of 100.00 and 10.00 off its invoice leave {found['total']}: the item's first 8000"
    report.say("A45", found["total"] == 8_000, seen)


def _seat(price: str, **more: Any) -> Body:
    return {"price": price, "quantity": 1, **more}


async def _first(bench: Bench, customer: str, items: list[Body], *coupons: str) -> Body:
    """The first invoice of a subscription with coupons, in their order."""
    made = await bench.subscription(customer, items, discounts=[{"coupon": coupon} for coupon in coupons])
    return await bench.invoice(made.latest_invoice or "")


def _off(invoice: Body) -> int:
    return sum(int(cut["amount"]) for cut in invoice["total_discount_amounts"])


async def dinars(bench: Bench, report: Report) -> None:
    """One customer, one seat, one first invoice."""
    price = await bench.seat_price(str(DINAR), currency="kwd")
    customer = await bench.customer(await bench.clock(bench.now))
    found = await _first(bench, customer, [_seat(price)])
    report.say("A25", found["total"] == DINAR, f"a seat of {DINAR} fils is billed as {found['total']}")


TRIALS = (Trial("discounts", NUMBERS, discounts), Trial("dinars", ("A25",), dinars))
