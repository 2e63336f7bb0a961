"""Builds rating from its settings: the only place that makes pools, clients and clocks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
from fastapi import FastAPI

from chassis import app as chassis_app
from chassis.access import Access
from chassis.bus import BatchProducer, TopicReader
from chassis.clock import BusinessClock, business_clock
from chassis.health import Health
from chassis.retention import Pace
from chassis.store import create_pool, migrate
from chassis.topics import ensure_topics
from event_schemas.topics import CONTRACTS
from usage_rating.alerting import AlertCounter
from usage_rating.api import Api, answer_when_away
from usage_rating.consumer import Worker
from usage_rating.contract_book import ContractBook
from usage_rating.contract_keeper import ContractKeeper
from usage_rating.log_ends import LogEnds
from usage_rating.may_run import MayRun
from usage_rating.publisher import Publisher
from usage_rating.quiet import QuietCheck
from usage_rating.settings import Settings
from usage_rating.store.alerts import AlertStore
from usage_rating.store.contracts import ContractStore
from usage_rating.store.hot import HotStore, keep_steered, steer
from usage_rating.store.pruning import retention
from usage_rating.store.reading import Reading
from usage_rating.watching import Board

SCHEMA = "rating"
MIGRATIONS = Path(__file__).parent / "migrations"
HOT_CONNECTIONS = 3  # the worker, the publisher, and one for a claim while both are busy


@dataclass(frozen=True, slots=True)
class App:
    """Rating, built: what it serves and what runs beside it."""

    http: FastAPI
    work: dict[str, Callable[[], Coroutine[Any, Any, None]]]


@asynccontextmanager
async def build(settings: Settings, *, clock: BusinessClock | None = None) -> AsyncIterator[App]:
    """Connect to everything and hand out the app; on leaving disconnect, with all that was appended confirmed."""
    access = Access(settings.key_file(), metrics_open=settings.opens_metrics)
    async with AsyncExitStack() as stack:
        url = settings.database_url.get_secret_value()
        hot = await create_pool(url, SCHEMA, size=HOT_CONNECTIONS, init=steer, reset=keep_steered)
        stack.push_async_callback(hot.close)
        cold = await create_pool(url, SCHEMA, size=4)
        stack.push_async_callback(cold.close)
        producer = BatchProducer(settings.broker)
        await producer.start()
        stack.push_async_callback(producer.stop)
        ends = LogEnds(settings.broker)
        await ends.start(settings.event_partitions)
        stack.push_async_callback(ends.stop)
        clock = clock or business_clock(settings.business_clock_url, settings.own_key())
        await clock.start()
        stack.push_async_callback(clock.stop)
        yield _assemble(settings, access, hot, cold, producer, ends, clock)


def _assemble(
    settings: Settings,
    access: Access,
    hot: asyncpg.Pool[asyncpg.Record],
    cold: asyncpg.Pool[asyncpg.Record],
    producer: BatchProducer,
    ends: LogEnds,
    clock: BusinessClock,
) -> App:
    health = Health()
    book = ContractBook()
    keeper = ContractKeeper(book, ContractStore(cold), clock)
    contracts = TopicReader(settings.broker, CONTRACTS.name, keeper.take)
    reading = Reading(cold)
    health.ready["database"] = reading.answers
    health.ready["contracts"] = _caught_up(contracts)
    alerts, board = AlertStore(cold), Board()
    counter = AlertCounter(alerts, book, board, producer, clock, pause_s=settings.alerts_ms / 1000)
    quiet = QuietCheck(reading, ends, clock=clock, book=book, alerts=alerts)
    http = make_http(access, health, quiet, Api(reading, book, ends), MayRun(board, book, alerts, clock))

    work: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
        "contracts": contracts.run,
        "alerts": _after(contracts, counter.run),
        "retention": retention(
            cold,
            clock,
            keep=timedelta(days=settings.keep_closed_cases_days),
            pace=Pace(settings.prune_every_s, settings.prune_rows, settings.prune_pause_s),
        ).run,
    }
    if settings.decide:
        store = HotStore(hot)
        publisher = Publisher(
            producer,
            store,
            gather_ms=settings.publish_ms,
            progress_ms=settings.progress_ms,
            most_waiting=settings.unpublished_entries,
        )
        worker = Worker(
            settings,
            store=store,
            book=book,
            keeper=keeper,
            ends=ends,
            publisher=publisher,
            producer=producer,
            clock=clock,
            health=health,
        )
        work |= {"worker": _after(contracts, worker.run), "publisher": publisher.run}
    return App(http, work)


def _after(
    contracts: TopicReader, run: Callable[[], Coroutine[Any, Any, None]]
) -> Callable[[], Coroutine[Any, Any, None]]:
    """Work that begins once the contracts are read."""

    async def wait_and_run() -> None:
        await contracts.caught_up.wait()
        await run()

    return wait_and_run


def make_http(access: Access, health: Health, quiet: QuietCheck, api: Api, may_run: MayRun) -> FastAPI:
    """The HTTP app, with every route of this service."""
    http = chassis_app.create_app("Settled rating", health=health, access=access, quiet=quiet.waiting_for)
    http.include_router(api.router)
    http.include_router(may_run.router)
    answer_when_away(http)
    return http


def _caught_up(contracts: TopicReader) -> Callable[[], Coroutine[Any, Any, str | None]]:
    async def check() -> str | None:
        return None if contracts.caught_up.is_set() else "not all contracts are read yet"

    return check


async def run_migrations(settings: Settings) -> None:
    """Make the schema, its roles and tables, and the topics; safe to repeat."""
    await migrate(settings.database_url.get_secret_value(), SCHEMA, MIGRATIONS)
    await ensure_topics(settings.broker, partitions=settings.event_partitions)


async def serve(settings: Settings) -> None:
    """Run until SIGTERM."""
    async with build(settings) as app:
        await chassis_app.run(
            app.http, host=settings.host, port=settings.port, work={name: make() for name, make in app.work.items()}
        )
