"""
How long the engine takes: one invoice of 20 items, and the end of a month of 8,000 customers.

    python services/pricing/bench/month_end.py [--customers 8000] [--processes 2] [--json FILE]

It checks while it measures: every invoice's lines sum to its net, no unit is lost, and the sum over all customers is
the same whoever rated which. One invoice is measured in processor time as well, which neighbours on a shared machine
move less; its median is held against the bound. Exits 1 when a bound is missed.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

from event_schemas.values import Currency, Money
from pricing.checking import contradictions
from pricing.engine import expected_invoice
from pricing.lines import Invoice
from pricing.prices import Graduated, Package, PerUnit, Price, Tier, Volume
from pricing.terms import (
    Allowance,
    Commitment,
    CommitmentBilling,
    Discount,
    HardLimit,
    Licensed,
    Metered,
    Minimum,
    PrepaidCredit,
    QuantityFrom,
    Scope,
    Taxes,
    TaxRate,
    Terms,
)
from pricing.testing import DAY, FEBRUARY, on
from pricing.usage import Used

BOUND_MS, BOUND_S = 2.0, 30.0
VAT = Taxes((TaxRate("VAT", Decimal(23)),))
TABLE = tuple(
    Tier(bound, Decimal(price)) for bound, price in ((500, "0.06"), (1000, "0.03"), (4000, "0.025"), (None, "0.02"))
)
PRICES: tuple[Price, ...] = (PerUnit(Decimal("0.99")), Graduated(TABLE), Volume(TABLE), Package(100, Decimal(49)))


def customer(number: int, *, licensed: int, metered: int) -> tuple[Terms, tuple[Used, ...]]:
    """Terms with every clause and the month's usage, from a seed: the same number is the same customer."""
    dice = random.Random(number)
    currency = dice.choice(list(Currency))
    seats = tuple(
        Licensed(
            f"seat-{place}",
            PerUnit(Decimal(dice.randrange(10, 200))),
            (
                QuantityFrom(on(1), dice.randrange(1, 20)),
                QuantityFrom(on(dice.randrange(2, 28)), dice.randrange(1, 20)),
            ),
            on(1),
        )
        for place in range(licensed)
    )
    meters = tuple(
        Metered(f"meter-{place}", f"meter-{place}", PRICES[(number + place) % len(PRICES)], on(1))
        for place in range(metered)
    )
    terms = Terms(
        currency,
        on(1),
        (*seats, *meters),
        discounts=(
            Discount("item", Scope.ITEM, meters[0].key, Decimal(15)),
            Discount("all", Scope.INVOICE, percent=Decimal(10)),
        ),
        commitments=(
            Commitment(
                "c", meters[1].meter, Decimal("0.9"), currency, (QuantityFrom(on(1), 100),), CommitmentBilling.ARREARS
            ),
        ),
        minimums=(Minimum("m", meters[0].meter, Money(500, currency)),),
        allowances=(Allowance("a", meters[0].meter, 50),),
        limits=(HardLimit("l", meters[1].meter, 5000),),
        prepaid=(PrepaidCredit("p", Money(10_000, currency)),),
    )
    usage = tuple(
        Used(m.meter, FEBRUARY, Decimal(dice.randrange(10, 6000)), Decimal(dice.randrange(0, 10))) for m in meters
    )
    return terms, usage


def checked(invoice: Invoice) -> int:
    """The net of an invoice that holds together."""
    if invoice.net.minor != sum(line.amount.minor for line in invoice.lines) or invoice.unpriced:
        raise SystemExit(f"an invoice does not hold together: {invoice}")
    return invoice.net.minor


def one_invoice(repeats: int) -> dict[str, Any]:
    """Milliseconds for one invoice of 10 licensed and 10 metered items, rated again and again."""
    terms, usage = customer(1, licensed=10, metered=10)
    if found := contradictions(terms):
        raise SystemExit(f"the terms of the benchmark contradict themselves: {found}")
    took, busy = list[float](), list[float]()
    for _ in range(repeats):
        start, busy_from = time.perf_counter_ns(), time.process_time_ns()
        invoice = expected_invoice(terms, DAY, usage, taxes=VAT)
        took.append((time.perf_counter_ns() - start) / 1e6)
        busy.append((time.process_time_ns() - busy_from) / 1e6)
        checked(invoice)
    took.sort()
    busy.sort()
    lines = len(expected_invoice(terms, DAY, usage, taxes=VAT).lines)
    return {
        "items": len(terms.items),
        "lines": lines,
        "median_processor_ms": busy[len(busy) // 2],
        "median_ms": took[len(took) // 2],
        "p99_ms": took[len(took) * 99 // 100],
    }


def rate(numbers: range) -> int:
    """The sum of the nets of some customers: 3 licensed and 5 metered items each, made and rated here."""
    return sum(checked(expected_invoice(terms, DAY, usage, taxes=VAT)) for terms, usage in _made(numbers))


def _made(numbers: range) -> Iterator[tuple[Terms, tuple[Used, ...]]]:
    return (customer(number, licensed=3, metered=5) for number in numbers)


def month_end(customers: int, processes: int) -> dict[str, Any]:
    """Seconds for all customers over some processes, their making included."""
    shares = [range(start, customers, processes * 4) for start in range(processes * 4)]
    start = time.perf_counter()
    with ProcessPoolExecutor(processes) as pool:
        total = sum(pool.map(rate, shares))
    took = time.perf_counter() - start
    if total != rate(range(customers)):
        raise SystemExit("two ways to share the work come to different sums")
    return {"customers": customers, "processes": processes, "seconds": took, "sum_of_nets": total}


def main() -> int:
    """Measure, print, compare with the bounds."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--customers", type=int, default=8000)
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--repeats", type=int, default=2000)
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    found = {"one_invoice": one_invoice(given.repeats), "month_end": month_end(given.customers, given.processes)}
    one, month = found["one_invoice"], found["month_end"]
    sys.stdout.write(
        f"one invoice, {one['items']} items, {one['lines']} lines: median {one['median_processor_ms']:.2f} ms of"
        f" processor, {one['median_ms']:.2f} ms by the clock, p99 {one['p99_ms']:.2f} ms\n"
        f"month end, {month['customers']:,} customers, {month['processes']} processes: {month['seconds']:.1f} s\n"
    )
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n")
    return int(one["median_processor_ms"] > BOUND_MS or month["seconds"] > BOUND_S)


if __name__ == "__main__":
    sys.exit(main())
