"""The demo from start to verdict. A fault test passes `during`, which is called at every step and may do harm."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from event_schemas.times import parse_instant
from settled_cli import contracts
from settled_cli.console import err
from settled_cli.demo.check import differences
from settled_cli.demo.collect import Outcome, collect, credited
from settled_cli.demo.invoices import Difference
from settled_cli.fleet import Fleet, Plan
from settled_cli.line import Line
from workload.files import read_schedule, write
from workload.generate import generate

SETTLE_DAYS = 10  # from the first freeze to the last step: all that came late for an invoice is on one credit note
# The sandbox stands in for an account without limits of its own, and waiting in process time is kept short.
DEMO_ENV = {
    "SANDBOX_REQUESTS_PER_SECOND": "5000",
    "SANDBOX_METER_EVENTS_PER_SECOND": "5000",
    "API_CALLS_PER_SECOND": "2000",
    "METER_EVENTS_PER_SECOND": "2000",
    "SETTLE_S": "2",
    "OVERDUE_S": "2",
    "SWEEP_S": "2",
    "RECHECK_S": "0.5",
    "CORRECTIONS_SETTLE_H": str(SETTLE_DAYS * 24),
    "GATE_S": "0.2",
    "CONTRACTS_S": "0.1",
    "SANDBOX_PROCESSING_MS": "20",
}
During = Callable[[Fleet, int, int], Awaitable[None]]


@dataclass(slots=True)
class Demo:
    """What a demo needs and what came of it."""

    fleet: Fleet
    out: Path
    seed: int
    customers: int
    conversations: int
    month: str
    freeze_hours: float = 0.5
    draft_usage: str = "stale"
    usage_lines: str = "stripe"
    doors: int = 1
    times: list[tuple[str, float]] = field(default_factory=list)
    truth: dict[str, Any] = field(default_factory=dict)
    outcome: Outcome | None = None
    found: list[Difference] = field(default_factory=list)
    last: str = ""

    @property
    def env(self) -> dict[str, str]:
        """What this demo asks of door and sandbox."""
        return {
            "FREEZE_AFTER_MINUTES": str(round(self.freeze_hours * 60)),
            "USAGE_LINES": self.usage_lines,
            "SANDBOX_STRIPE_ANSWERS": f"draft_usage={self.draft_usage}",
        }

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage."""
        began = time.monotonic()
        yield
        self.times.append((name, time.monotonic() - began))


async def run(demo: Demo, *, during: During | None = None) -> None:
    """Generate, start, send, close, collect, compare. The line stays up for whoever wants to look closer."""
    workload = demo.out / "workload"
    with demo.stage("generate the month and its truth"), err.status("generating the month and its truth"):
        work = generate(
            seed=demo.seed,
            customers=demo.customers,
            conversations=demo.conversations,
            month=demo.month,
            freeze_hours=demo.freeze_hours,
        )
        demo.truth = write(work, workload)
    start = demo.truth["month"]["begins"]
    with demo.stage("start the line"), err.status("starting the line") as status:
        demo.fleet.up(
            Plan(clock_start=start, env=DEMO_ENV | demo.env, doors=demo.doors), lambda what: status.update(what)
        )
    async with Line(demo.fleet) as line:
        with demo.stage("agree the contracts"), err.status(f"agreeing {demo.customers} contracts"):
            agreed = contracts.read(workload / "contracts.yaml")
            await contracts.agree(line, agreed)
            await line.quiet(start)
        with demo.stage("live through the month"):
            await _live(demo, line, workload, during)
        with demo.stage("collect and reconcile"), err.status("collecting what came out"):
            running = {customer: found["running_from"] for customer, found in demo.truth["customers"].items()}
            demo.outcome = await collect(line, running, start=start, end=demo.truth["month"]["end"], last=demo.last)
        with demo.stage("credit what came late"), err.status("crediting what came late"):
            demo.outcome.credited.update(await _credited(line, demo.last))
    with demo.stage("hold it against the truth"):
        demo.found = differences(demo.truth, demo.outcome, resent=during is not None)
    (demo.out / "differences.json").write_text(
        json.dumps([{"what": d.what, "expected": str(d.expected), "got": str(d.got)} for d in demo.found], indent=1)
    )


async def _credited(line: Line, last: str) -> dict[str, int]:
    """Let business time go on until what came late has settled; what credit notes at Stripe then come to."""
    settled = (parse_instant(last) + timedelta(days=SETTLE_DAYS, hours=1)).isoformat()
    await line.step(settled, ())
    return await credited(line)


async def _live(demo: Demo, line: Line, workload: Path, during: During | None) -> None:
    steps = list(read_schedule(workload))
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("events"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err) as progress:
        task = progress.add_task(steps[0].at, total=sum(step.events for step in steps))
        for number, step in enumerate(steps):
            progress.update(task, description=step.at[:16].replace("T", " "))
            if during is not None:
                await during(demo.fleet, number, len(steps))
            await line.step(step.at, step.posts)
            progress.advance(task, step.events)
        demo.last = steps[-1].at
