"""Meter events: identifiers, cancelling, decimals, and how old usage may be."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from invoicing_sync.assumptions.bench import Bench
from invoicing_sync.assumptions.trials.trial import Report, Trial
from invoicing_sync.stripe_door.errors import Answered, Kind

NUMBERS = ("A14", "A15", "A19", "A21", "A22")
OLDEST = timedelta(days=34, hours=12)  # within Stripe's 35 days and our own OLDEST_DAYS
BEYOND_LIMITS = timedelta(days=40)


async def events(bench: Bench, report: Report) -> None:
    """One customer's hour: an event, the same again, one that is cancelled twice, decimals, an old one."""
    clock = await bench.clock(bench.now)
    customer = await bench.customer(clock)
    at = bench.now.replace(second=0)
    start = at.replace(minute=0)
    known, first = await bench.use(customer, "1", at)
    if first.kind is not Kind.ACCEPTED:
        report.say("A14", None, f"a meter event was answered {_said(first)}")
        return
    await bench.must_count(customer, start, "1")
    _, again = await bench.use(customer, "1", at, identifier=known)
    cancelled, _ = await bench.use(customer, "2", at)
    there = await bench.counted(customer, start, "3")  # what came last is counted, so the repeated one would be too
    report.say("A14", there == 3, f"one of 1, the same again and one of 2 are summed as {there} (not tried: 24 h)")
    report.say("A19", again.kind is Kind.DUPLICATE, f"the same identifier again is answered {_said(again)}")
    await _cancelling(bench, report, customer, cancelled)
    await _decimals(bench, report, customer)
    await _old_usage(bench, report, customer)


async def _cancelling(bench: Bench, report: Report, customer: str, identifier: str) -> None:
    start = bench.now.replace(second=0, minute=0)
    before = await bench.total(customer, start)
    answer = await bench.cancel(identifier)
    after = await bench.counted(customer, start, str(before - 2))
    report.say(
        "A15", after == before - 2, f"cancelling 2 units is answered {_said(answer)} and takes the sum to {after}"
    )
    second = await bench.cancel(identifier)
    is_known = second.kind in (Kind.ACCEPTED, Kind.ALREADY_CANCELLED)
    report.say("A21", is_known, f"cancelling it again is answered {_said(second)}")


async def _decimals(bench: Bench, report: Report, customer: str) -> None:
    start = bench.now.replace(second=0, minute=0)
    before = await bench.total(customer, start)
    _, answer = await bench.use(customer, "0.25", bench.now.replace(second=0))
    if answer.kind is not Kind.ACCEPTED:
        report.say("A22", False, f"a value of 0.25 is answered {_said(answer)}")
        return
    after = await bench.counted(customer, start, str(before + Decimal("0.25")))
    report.say("A22", after - before == Decimal("0.25"), f"0.25 raises the sum from {before} to {after}")


async def _old_usage(bench: Bench, report: Report, customer: str) -> None:
    at = (bench.now - OLDEST).replace(second=0)
    _, answer = await bench.use(customer, "1", at)
    there = await bench.counted(customer, at.replace(minute=0), "1") if answer.kind is Kind.ACCEPTED else Decimal(0)
    report.say(
        "A15", there == 1, f"usage of 34.5 days ago is answered {_said(answer)} and summed as {there} (not tried: 24 h)"
    )


async def limits(bench: Bench, report: Report) -> None:
    """Usage at a test clock's own time, which lies further back than Stripe takes usage."""
    at = (bench.now - BEYOND_LIMITS).replace(second=0, minute=0)
    clock = await bench.clock(at)
    customer = await bench.customer(clock)
    _, answer = await bench.use(customer, "1", at)
    said = f"usage at a test clock's time, 40 days ago, is answered {_said(answer)}"
    if answer.kind is not Kind.ACCEPTED:
        report.say("A23", True, said)
        return
    there = await bench.counted(customer, at, "1")
    report.say("A23", False if there else None, f"{said} and summed as {there}")


def _said(answer: Answered) -> str:
    return f"{answer.kind.value} ({answer.detail.rstrip('.')})" if answer.detail else answer.kind.value


TRIALS = (Trial("meter events", NUMBERS, events), Trial("limits of usage", ("A23",), limits))
