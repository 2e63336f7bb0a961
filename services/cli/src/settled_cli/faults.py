"""`settled faults`: kill -9 of everything in the middle of the demo month, and still 0 differences."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from embedded_stack import StackError
from settled_cli.console import Exit, err, fail, out, print_json
from settled_cli.demo import views
from settled_cli.demo.command import Replace
from settled_cli.demo.run import Demo, run
from settled_cli.fleet import SECOND, Fleet
from settled_cli.folders import STATE, FolderRefused, work_folder
from settled_cli.line import LineError

OUT = Path("out/faults")
VICTIMS = ("usage-ingest", "rating-0", "invoicing-sync", "sandbox", "kafka", "postgres")
OF_THE_SECOND = (f"invoicing-sync-{SECOND}", f"sandbox-{SECOND}")


class Killer:
    """Kills one victim after the other, each in the middle of a step, and keeps what should run running."""

    def __init__(self, victims: Sequence[str], rounds: int, seed: int) -> None:
        self._rng = random.Random(seed)
        self._order = list(victims) * rounds
        self._harm: set[asyncio.Task[None]] = set()
        self.killed: list[str] = []
        self.revived: list[str] = []

    async def during(self, fleet: Fleet, number: int, steps: int) -> None:
        """Called before each step: at evenly spread ones, a victim dies a moment later, while events flow."""
        if not self._order or number < 3:
            return
        every = max(1, (steps - 8) // (len(self._order) + len(self.killed)))
        if number % every == 0:
            task = asyncio.create_task(self._kill(fleet, self._order.pop(0)))
            self._harm.add(task)
            task.add_done_callback(self._harm.discard)

    async def _kill(self, fleet: Fleet, victim: str) -> None:
        await asyncio.sleep(self._rng.uniform(0.02, 0.4))
        self.killed.append(victim)
        err.print(f"  [red]kill -9[/] {victim}")
        if victim in ("kafka", "postgres"):
            fleet.stack.kill(cast("Literal['kafka', 'postgres']", victim))
            await asyncio.sleep(self._rng.uniform(0.1, 1.0))
            await asyncio.to_thread(fleet.stack.start)
        else:
            fleet.services.kill(victim)
            await asyncio.sleep(self._rng.uniform(0.1, 1.0))
            fleet.services.restart(victim)

    async def keep_alive(self, fleet: Fleet) -> None:
        """Start again what has ended by itself, as an orchestrator would; until cancelled."""
        started: set[str] = set()
        while True:
            await asyncio.sleep(1)
            running = set(fleet.services.running())
            started |= running
            for name in started - running:
                if not self._harm:
                    self.revived.append(name)
                    fleet.services.restart(name)


def faults(
    customers: Annotated[int, typer.Option(min=22)] = 300,
    conversations: Annotated[int, typer.Option(min=0)] = 20_000,
    seed: Annotated[int, typer.Option(help="Also of when and who dies.")] = 20261001,
    rounds: Annotated[int, typer.Option(min=1, help="How often each dies.")] = 1,
    doors: Annotated[int, typer.Option(min=1, max=2, help="2: each of two doors and its account die too.")] = 1,
    replace: Replace = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print facts as JSON.")] = False,
) -> None:
    """Kill each service, the broker and PostgreSQL in the middle of the demo month: nothing may differ in the end."""
    began = time.monotonic()
    victims = VICTIMS if doors == 1 else (*VICTIMS, *OF_THE_SECOND)
    killer = Killer(victims, rounds, seed)
    try:
        with work_folder(OUT, "settled faults", replace=replace):
            wanted = Demo(Fleet(OUT / STATE), OUT, seed, customers, conversations, "2026-10", doors=doors)
            made = _live_through(wanted, killer)
    except FolderRefused as refused:
        fail(str(refused), Exit.USAGE)
    facts = {
        "killed": killer.killed,
        "ended_by_themselves_and_started_again": killer.revived,
        "differences": len(made.found),
        "duration_s": round(time.monotonic() - began, 1),
    }
    if as_json:
        print_json(facts)
    else:
        out.print(f"killed with -9: {', '.join(killer.killed)}")
        out.print(views.verdict(made.found, compared=f"after {len(killer.killed)} kills, {facts['duration_s']} s"))
    missed = set(victims) - set(killer.killed)
    if missed:
        fail(f"the month was over before these could be killed: {', '.join(sorted(missed))}")
    raise typer.Exit(Exit.FINDING if made.found else Exit.WELL)


def _live_through(made: Demo, killer: Killer) -> Demo:
    try:
        asyncio.run(_run(made, killer))
    except (StackError, LineError) as error:
        fail(str(error), Exit.NOT_RUNNING)
    finally:
        with err.status("stopping"):
            made.fleet.down()
    return made


async def _run(made: Demo, killer: Killer) -> None:
    keeping = asyncio.create_task(killer.keep_alive(made.fleet))
    try:
        await run(made, during=killer.during)
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping
