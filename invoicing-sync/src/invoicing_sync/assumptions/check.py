"""Runs the trials against an account, one after another, and takes away what they made, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from invoicing_sync.assumptions.bench import ENDS, Bench, told
from invoicing_sync.assumptions.cleaning import clean
from invoicing_sync.assumptions.domain.catalogue import ASSUMPTIONS
from invoicing_sync.assumptions.domain.findings import Finding
from invoicing_sync.assumptions.trials import agreements, discounts, month, prices, seats, usage
from invoicing_sync.assumptions.trials.trial import Report, Trial

METERING: tuple[Trial, ...] = (*agreements.TRIALS, *usage.TRIALS, *month.TRIALS)
SELLING: tuple[Trial, ...] = (*discounts.TRIALS, *seats.TRIALS, *prices.TRIALS)
TRIALS = (*METERING, *SELLING)


async def check(bench: Bench, only: Collection[str] = ()) -> tuple[list[Finding], list[str]]:
    """
    What became of each assumption (or of those in `only`), in the catalogue's order, and what could not be cleaned up.

    Raises:
        Away: the account cannot be reached, or does not take the key; nothing was made.
    """
    wanted = [number for number in ASSUMPTIONS if not only or number in only]
    report = Report()
    bench.say("reaching the account")
    await bench.reach()
    try:
        await bench.begin()
        for trial in TRIALS:
            if set(trial.numbers) & set(wanted):
                bench.say(trial.name)
                await _run(trial, bench, report)
    finally:
        bench.say("cleaning up")
        left = await asyncio.shield(asyncio.ensure_future(clean(bench, bench.run)))
    return [report.findings[number] for number in wanted], left


async def _run(trial: Trial, bench: Bench, report: Report) -> None:
    why = "the trial ended before it"
    try:
        await trial.run(bench, report)
    except ENDS as error:
        why = f"not tried to its end: {told(error)}"
    for number in trial.numbers:
        if number not in report.findings:
            report.say(number, None, why)
