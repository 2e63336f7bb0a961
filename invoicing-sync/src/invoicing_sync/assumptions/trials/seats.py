"""
What is paid ahead: seats that change within a term, with it, and yearly ones beside monthly ones.

The instants of the changes are such that each way of rounding, and of counting a credit, makes another amount.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from invoicing_sync.assumptions.bench import Bench, Body
from invoicing_sync.assumptions.domain.shares import Term, rounded, telling_change, telling_credit
from invoicing_sync.assumptions.trials.trial import Report, Trial
from invoicing_sync.stripe_door.convert import instant, seconds
from invoicing_sync.stripe_door.wire import Subscription

NUMBERS = ("A28", "A29", "A30", "A31", "A32", "A35")
MONTHLY, YEARLY = 3900, 120_000  # a seat, in minor units
FIRST, MORE, LESS = 3, 5, 2  # the seats that are prorated
FEW, MANY = 2, 4  # those that are not


async def seats(bench: Bench, report: Report) -> None:
    """One customer's month: two subscriptions, three changes, and the invoices of its end."""
    start = bench.a_month_ago
    clock = await bench.clock(start)
    customer = await bench.customer(clock)
    seat = await bench.seat_price(str(MONTHLY))
    year = await bench.seat_price(str(YEARLY), recurring={"interval": "year"})
    mixed = await bench.subscription(customer, [{"price": seat, "quantity": FIRST}, {"price": year, "quantity": 1}])
    plain = await bench.subscription(customer, [{"price": seat, "quantity": FEW}])
    term = Term(seconds(start), seconds(plain.current_period_end))
    await bench.advance(clock, start + timedelta(days=20))
    await _with_the_next_term(bench, report, customer, plain)
    prorated = await _within_the_term(bench, report, customer, mixed, seat, term)
    await bench.advance(clock, instant(term.end) + timedelta(minutes=1))
    await _renewal(bench, report, plain, mixed, prorated)


async def _change(bench: Bench, made: Subscription, price: str, quantity: int, **how: object) -> None:
    item = (await bench.items(made.subscription_id))[price]
    params: Body = {"items": [{"id": item, "quantity": quantity}], **how}
    await bench.ask("change_items", partial(bench.v1.subscriptions.update_async, made.subscription_id, params))


async def _with_the_next_term(bench: Bench, report: Report, customer: str, plain: Subscription) -> None:
    ((price, _),) = plain.items
    await _change(bench, plain, price, MANY, proration_behavior="none")
    made = await bench.pending(customer)
    report.say("A32", not made, f"{FEW} seats to {MANY} with `none` make {len(made)} pending invoice items")


async def _within_the_term(
    bench: Bench, report: Report, customer: str, mixed: Subscription, seat: str, term: Term
) -> list[int]:
    """Two changes, both told later than they are for; the amounts of what they made."""
    at = telling_change(term, FIRST * MONTHLY, MORE * MONTHLY, term.start + 10 * 86_400)
    how = {"proration_behavior": "create_prorations"}
    await _change(bench, mixed, seat, MORE, proration_date=at, **how)
    made = await bench.pending(customer)
    credit, debit = _sides(made)
    wanted = (-rounded(FIRST * MONTHLY * term.left(at)), rounded(MORE * MONTHLY * term.left(at)))
    seen = f"{FIRST} seats to {MORE} at {_said(at)} make {credit} and {debit}, by our rule {wanted[0]} and {wanted[1]}"
    to_the_second = abs(credit - wanted[0]) + abs(debit - wanted[1]) <= 1
    report.say("A28", to_the_second, seen)
    report.say("A29", (credit, debit) == wanted if to_the_second else None, seen)
    waits = all(row["invoice"] is None and not row["discountable"] for row in made)
    report.say("A30", waits, f"{len(made)} invoice items are pending, none of them discountable: {waits}")
    later = telling_credit(term, MORE * MONTHLY, at, debit, at + 5 * 86_400)
    await _change(bench, mixed, seat, LESS, proration_date=later, **how)
    both = await bench.pending(customer)
    known = {row["id"] for row in made}
    back, _ = _sides([row for row in both if row["id"] not in known])
    of_debit = -rounded(debit * Term(at, term.end).left(later))
    of_price = -rounded(MORE * MONTHLY * term.left(later))
    seen = (
        f"{MORE} seats to {LESS} at {_said(later)} give back {back}: of the debit {of_debit}, of the price {of_price}"
    )
    report.say("A31", back == of_debit, seen)
    return sorted(row["amount"] for row in both)


def _sides(made: list[Body]) -> tuple[int, int]:
    """The credits and the debits among invoice items, in minor units."""
    amounts = [int(row["amount"]) for row in made]
    return sum(a for a in amounts if a < 0), sum(a for a in amounts if a > 0)


async def _renewal(bench: Bench, report: Report, plain: Subscription, mixed: Subscription, prorated: list[int]) -> None:
    lines = await _lines_of_renewal(bench, plain)
    billed = [line["amount"] for line in lines]
    report.say("A32", billed == [MANY * MONTHLY], f"the next invoice's lines are {_list(billed)}")
    lines = await _lines_of_renewal(bench, mixed)
    loose = [line for line in lines if (line["parent"]["subscription_item_details"] or {}).get("proration")]
    found = sorted(line["amount"] for line in loose)
    plainly = found == prorated and not any(line["discountable"] for line in loose)
    report.say("A30", plainly, f"the next invoice has {_list(found)} of {_list(prorated)}")
    rest = [line["amount"] for line in lines if line not in loose]
    first = await bench.invoice(mixed.latest_invoice or "")
    at_first = sorted(line["amount"] for line in first["lines"]["data"])
    wanted = at_first == [FIRST * MONTHLY, YEARLY] and rest == [LESS * MONTHLY]
    report.say(
        "A35", wanted, f"the first invoice has {_list(at_first)}, the one a month later {_list(rest)} beside them"
    )


async def _lines_of_renewal(bench: Bench, made: Subscription) -> list[Body]:
    """The lines of the invoice that the month's end made. Raises Slow."""
    invoice = await bench.month_end(made.subscription_id, lambda one: one.billing_reason == "subscription_cycle")
    lines: list[Body] = (await bench.invoice(invoice))["lines"]["data"]
    return lines


def _said(at: int) -> str:
    when: datetime = instant(at)
    return f"{when:%d %b %H:%M:%S}"


def _list(amounts: list[int]) -> str:
    return ", ".join(map(str, amounts)) or "nothing"


TRIALS = (Trial("seats that change", NUMBERS, seats),)
