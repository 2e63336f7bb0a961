"""Builds the door: the only place that makes clients, pools, clocks and workers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from chassis.access import Access
from chassis.app import create_app
from chassis.bus import BatchProducer
from chassis.clock import BusinessClock, business_clock
from chassis.health import Health
from invoicing_sync import metrics
from invoicing_sync.api import Api
from invoicing_sync.contracts.applier import Applier
from invoicing_sync.contracts.carrier import Carrier
from invoicing_sync.contracts.catalogued import Catalogued
from invoicing_sync.contracts.keeper import Keeper
from invoicing_sync.contracts.making import Making
from invoicing_sync.contracts.objects import Objects
from invoicing_sync.contracts.planned import Planner
from invoicing_sync.contracts.standing import Standing
from invoicing_sync.instance import Instance
from invoicing_sync.invoices.comparison import Comparison
from invoicing_sync.invoices.crediting import Crediting
from invoicing_sync.invoices.gate import Gate
from invoicing_sync.invoices.holder import Holder
from invoicing_sync.invoices.release import Release
from invoicing_sync.invoices.weighing import Weighing
from invoicing_sync.monitor import Monitor
from invoicing_sync.quiet import Quiet
from invoicing_sync.reconciliation.reconcile import Reconciler
from invoicing_sync.retention import retention
from invoicing_sync.settings import Settings
from invoicing_sync.store.pool import Pool, open_pool
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.usage.consumer import Intake
from invoicing_sync.usage.sender import Sender
from invoicing_sync.webhooks import endpoints as endpoints_module
from invoicing_sync.webhooks import routes as webhooks
from invoicing_sync.webhooks.endpoints import Endpoints
from invoicing_sync.webhooks.inbox import Inbox
from invoicing_sync.webhooks.sweep import Sweep

POOL_SIZE = 12  # lanes, results, intake, gate and the API side by side; PostgreSQL takes 100 connections by default


@dataclass(frozen=True, slots=True)
class Built:
    """The app, its background work, and what to call when both have ended."""

    app: FastAPI
    work: dict[str, Coroutine[Any, Any, None]]
    close: Callable[[], Awaitable[None]]


async def build(settings: Settings, *, clock: BusinessClock | None = None) -> Built:
    """Connect to PostgreSQL, Kafka, the clock and Stripe, and put the parts together."""
    access = Access(settings.key_file(), metrics_open=settings.opens_metrics)
    clock = clock or business_clock(settings.business_clock_url, settings.own_key())
    await clock.start()
    pool = await open_pool(settings.database_url.get_secret_value(), settings.database_schema, size=POOL_SIZE)
    door = StripeDoor(settings.api_keys(), base_url=settings.stripe_base_url, pace=settings.pace)
    await door.open()
    producer = BatchProducer(settings.broker)
    await producer.start()
    instance = Instance(pool, door, name=settings.instance_name, lease_s=settings.lease_s)
    await instance.start()
    return _assemble(settings, access, clock, pool, door, producer, instance)


def _assemble(
    settings: Settings,
    access: Access,
    clock: BusinessClock,
    pool: Pool,
    door: StripeDoor,
    producer: BatchProducer,
    instance: Instance,
) -> Built:
    issuers = ",".join(sorted(settings.own_issuers))
    metrics.door.info({"name": settings.door_name, "issuers": issuers})
    objects = Objects(pool, door, clock)
    holder = Holder(pool, door, clock)
    comparison = Comparison(pool, door, objects)
    sender = Sender(pool, door, objects, clock, instance, settings)
    release = Release(pool, door, holder, comparison, clock, settings)
    gate = Gate(pool, release, clock, settings)
    weighing = Weighing(pool, Crediting(pool, door, holder, comparison, clock, settings), clock, settings)
    keeper = Keeper(pool, door, holder, clock, keep=settings.keep_drafts)
    making = Making(pool, door, objects, holder, clock, settings, sender.wake)
    carrier = Carrier(pool, Standing(pool, door), making, clock, settings)
    applier = Applier(pool, door, objects, keeper, clock, settings, sender.wake, carrier)
    endpoints = Endpoints(pool, door, clock, settings)
    inbox = Inbox(
        pool,
        door,
        producer,
        holder,
        clock,
        parallel=settings.parallel_customers,
        door_name=settings.door_name,
        wake_gate=gate.wake,
    )
    sweep = Sweep(pool, door, clock, every_s=settings.sweep_s, stored=inbox.wake)
    intake = Intake(
        settings.broker,
        pool,
        clock,
        freeze=settings.freeze,
        issuers=settings.own_issuers,
        gather_ms=settings.read_ms,
        wake_lanes=sender.wake,
        wake_applier=applier.wake,
        wake_gate=gate.wake,
    )
    reconciler = Reconciler(pool, door, objects, clock, settings)
    pruning = retention(pool, clock, settings)
    health = Health()
    health.ready["postgres"] = _answers(pool)
    monitor = Monitor(pool, clock, health, intake, instance, sender)
    quiet = Quiet(pool, clock, intake, applier, settings)

    app = create_app("Settled: the Stripe door", health=health, access=access, quiet=quiet)
    planner = Planner(pool, door, keep_drafts=settings.keep_drafts, issuers=settings.own_issuers)
    app.include_router(Api(pool, clock, comparison, reconciler, planner, issuers=settings.own_issuers).router)
    app.include_router(Catalogued(pool, door).router)
    app.include_router(webhooks.router(pool, endpoints, settings, inbox.wake))

    async def line() -> None:
        """What one instance does for all: endpoints first, so that no invoice is made unheard."""
        await instance.lead.wait()
        await intake.begin()
        await endpoints_module.ensured(endpoints)
        parts = {**intake.works(), "applier": applier.run, "gate": gate.run, "inbox": inbox.run, "sweep": sweep.run}
        parts |= {"retention": pruning.run, "weighing": weighing.run}
        await _together(parts)

    work = {"instance": instance.run(), "sender": sender.run(), "line": line(), "monitor": monitor.run()}

    async def close() -> None:
        await instance.leave()
        await intake.close()
        await producer.stop()
        await door.close()
        await clock.stop()
        await pool.close()

    return Built(app, work, close)


async def _together(parts: dict[str, Callable[[], Awaitable[None]]]) -> None:
    """Run all until one fails or we are cancelled; then none is left."""
    async with asyncio.TaskGroup() as group:
        for name, part in parts.items():
            group.create_task(_named(part), name=name)


async def _named(part: Callable[[], Awaitable[None]]) -> None:
    await part()


def _answers(pool: Pool) -> Callable[[], Awaitable[str | None]]:
    async def check() -> str | None:
        async with asyncio.timeout(2):
            await pool.fetchval("SELECT 1")
        return None

    return check
