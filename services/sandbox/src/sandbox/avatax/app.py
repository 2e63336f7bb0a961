"""Builds the AvaTax stand-in: the only place that makes pools, tasks and the app."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from chassis.access import Access
from chassis.app import create_app
from chassis.health import Health
from chassis.pacing import TokenBucket
from chassis.store import create_pool
from event_schemas.times import parse_instant, to_micros
from sandbox.avatax.account import Account, read_account
from sandbox.avatax.answers import Answers
from sandbox.avatax.clock import Clock
from sandbox.avatax.control import Control
from sandbox.avatax.desk import Desk
from sandbox.avatax.front import Front, FrontMiddleware
from sandbox.avatax.journal import Batch, load, take, wipe, write
from sandbox.avatax.rates_file import read_table
from sandbox.avatax.settings import Settings
from sandbox.avatax.state import State
from sandbox.faults import Faults
from sandbox.following import Following
from sandbox.group_commit import GroupCommit

MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The app and the work that runs beside it."""

    app: FastAPI
    work: dict[str, Coroutine[Any, Any, None]]


async def build(settings: Settings) -> Sandbox:
    """The stand-in with everything that it remembers, ready to be served beside its work."""
    access = Access(settings.key_file(), metrics_open=settings.opens_metrics)
    account, answers = read_account(settings.avatax_account_file), Answers.read(settings.avatax_answers)
    pool = await create_pool(settings.database_url.get_secret_value(), settings.database_schema, size=2)
    state, faults = State(), Faults()
    await load(pool, state)
    if settings.sandbox_clock_start and state.stepped_micros is None:
        state.move_clock(to_micros(parse_instant(settings.sandbox_clock_start)))
    seed(state, account)
    journal: GroupCommit[Batch] = GroupCommit(
        lambda: take(state), lambda batch: write(pool, batch), gather_ms=settings.sandbox_commit_ms
    )
    front = make_front(settings, state, faults, journal, account, answers)
    clock = Clock(state, journal)

    async def reset() -> None:
        await journal.committed()
        await wipe(pool)
        state.__init__()  # type: ignore[misc]  # the same object, empty: all others hold on to it
        seed(state, account)
        faults.remove()
        front.desk.answers = answers
        await journal.committed()

    control = Control(front, clock, reset, follows=bool(settings.sandbox_clock_url))
    health = Health()

    async def database() -> str | None:
        await pool.fetchval("SELECT 1")
        return None

    health.ready["postgres"] = database
    journal.nudge()  # the file's companies
    work = {"journal": journal.run()}
    if settings.sandbox_clock_url:
        work["following"] = Following(settings.sandbox_clock_url, clock, key=settings.own_key()).run()
    return Sandbox(make_http(access, health, control, front), work)


def seed(state: State, account: Account) -> None:
    """Put the file's companies in place: what the file says of one holds again at each start."""
    for company in account.companies:
        known = state.companies.get(company.code)
        if known is None or known[1] != company:
            state.put_company(company)


def make_front(
    settings: Settings, state: State, faults: Faults, journal: GroupCommit[Batch], account: Account, answers: Answers
) -> Front:
    """The AvaTax surface."""
    return Front(
        Desk(state, read_table(), account, answers, faults, settings.avatax_most_lines),
        journal,
        TokenBucket(settings.avatax_requests_per_second, settings.avatax_requests_per_second),
        settings.avatax_force_timeout_ms / 1000,
        frozenset(key.get_secret_value() for key in account.license_keys),
        frozenset(token.get_secret_value() for token in account.bearer_tokens),
    )


def make_http(access: Access, health: Health, control: Control, front: Front) -> FastAPI:
    """The HTTP app: AvaTax's surface, which asks for the account's keys, before the routes that ask for the house's."""
    app = create_app("Sandbox: a stand-in of Avalara AvaTax", health=health, access=access, quiet=control.quiet)
    app.include_router(control.router)
    app.add_middleware(FrontMiddleware, front=front)
    return app
