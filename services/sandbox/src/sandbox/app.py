"""Builds the sandbox: the only place that makes pools, tasks and the app."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from chassis.access import Access
from chassis.app import create_app
from chassis.health import Health
from chassis.pacing import TokenBucket
from chassis.store import create_pool
from event_schemas.times import parse_instant, to_micros
from sandbox.clockwork import Clockwork
from sandbox.control import Control
from sandbox.faults import Faults
from sandbox.following import Following
from sandbox.forgetting import forgetting
from sandbox.group_commit import keep_session
from sandbox.journal import Journal, load, wipe
from sandbox.settings import Settings
from sandbox.stripe.answers import Answers
from sandbox.stripe.conformance import Conformance
from sandbox.stripe.desk import Desk
from sandbox.stripe.front import Front, FrontMiddleware
from sandbox.stripe.openapi.check import RequestChecker, ResponseChecker
from sandbox.stripe.openapi.document import read_document
from sandbox.stripe.state import State
from sandbox.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The app and the work that runs beside it."""

    app: FastAPI
    work: dict[str, Coroutine[Any, Any, None]]


async def build(settings: Settings) -> Sandbox:
    """A sandbox with everything that it remembers, ready to be served beside its work."""
    access = Access(settings.key_file(), metrics_open=settings.opens_metrics)
    pool = await create_pool(
        settings.database_url.get_secret_value(), settings.database_schema, size=2, reset=keep_session
    )
    switches = Answers.read(settings.sandbox_stripe_answers)
    state, faults = State(switches), Faults()
    await load(pool, state)
    if settings.sandbox_clock_start and state.stepped_micros is None:
        state.move_clock(to_micros(parse_instant(settings.sandbox_clock_start)))
        state.shown_micros = state.stepped_micros
        state.clock_version = 1
    journal = Journal(pool, state, gather_ms=settings.sandbox_commit_ms)
    clockwork = Clockwork(
        state, journal, processing_ms=settings.sandbox_processing_ms, report_ms=settings.sandbox_report_ms
    )
    webhooks = Webhooks(state, journal, faults, settings)
    journal.on_deliveries = webhooks.enqueue
    document = read_document()
    conformance = Conformance(RequestChecker(document), ResponseChecker(document)) if settings.sandbox_check else None

    api_keys = frozenset(key.strip() for key in settings.sandbox_api_keys.split(",") if key.strip())

    async def reset() -> None:
        await journal.committed()
        await wipe(pool)
        state.__init__(switches)  # type: ignore[misc]  # the same object, empty: all others hold on to it
        webhooks.forget()
        clockwork.refused.clear()
        faults.remove()
        front.api_keys = api_keys
        if conformance is not None:
            conformance.forget()

    front = Front(
        Desk(state, journal, faults),
        RequestChecker(document),
        conformance,
        api_keys,
        TokenBucket(settings.sandbox_requests_per_second, settings.sandbox_requests_per_second),
        TokenBucket(settings.sandbox_meter_events_per_second, settings.sandbox_meter_events_per_second),
    )
    control = Control(
        state, journal, faults, clockwork, conformance, front, reset, follows=bool(settings.sandbox_clock_url)
    )
    health = Health()

    async def database() -> str | None:
        await pool.fetchval("SELECT 1")
        return None

    health.ready["postgres"] = database
    app = make_http(access, health, control, front)
    journal.nudge()  # what was under way before a restart: deliveries go on
    work = {
        "journal": journal.run(),
        "webhooks": webhooks.run(),
        "counting": clockwork.run_counting(),
        "reports": clockwork.run_reports(),
        "due": clockwork.run_due(),
        "test_clocks": clockwork.run_test_clocks(),
        "forgetting": forgetting(pool, state, every_s=settings.sandbox_forget_s).run(),
    }
    if settings.sandbox_clock_url:
        work["following"] = Following(settings.sandbox_clock_url, clockwork, key=settings.own_key()).run()
    return Sandbox(app, work)


def make_http(access: Access, health: Health, control: Control, front: Front) -> FastAPI:
    """The HTTP app: Stripe's surface, which asks for the account's keys, before the routes that ask for the house's."""
    app = create_app("Sandbox: a stand-in of Stripe", health=health, access=access, quiet=control.quiet)
    app.include_router(control.router)
    app.add_middleware(FrontMiddleware, front=front)
    return app
