"""Builds usage-ingest: the only place that makes its clients, pools and clocks, starts them and stops them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException
from fastapi import FastAPI
from sqlalchemy import text
from starlette.routing import Route

from chassis.access import Access
from chassis.app import create_app
from chassis.bus import BatchProducer, TopicReader
from chassis.clock import BusinessClock, business_clock
from chassis.health import Health
from chassis.log_ends import LogEnds
from chassis.retention import Pace, Pruned, Retention
from chassis.store import create_engine, create_pool
from chassis.testing import SetClock
from chassis.topics import ensure_topics, identify
from event_schemas.times import iso
from event_schemas.topics import CONTRACTS, EVENTS_ACCEPTED, EVENTS_QUARANTINED
from usage_ingest import api, metrics, openapi
from usage_ingest.broker import Log
from usage_ingest.consumer import Follower, take_return
from usage_ingest.intake import Intake
from usage_ingest.keyring import KeyRing
from usage_ingest.operators import SendersKeys
from usage_ingest.parts import Parts
from usage_ingest.register import CustomerRegister
from usage_ingest.settings import SCHEMA, SERVICE, Settings
from usage_ingest.store.contents import expire_contents
from usage_ingest.store.errors import STORE_AWAY
from usage_ingest.store.keys import valid_secrets
from usage_ingest.store.returns import positions

log = logging.getLogger(__name__)

_AWAY = (KafkaError, KafkaException, *STORE_AWAY)
_PACE = Pace(every_s=60.0, rows=200, pause_s=0.1)  # contents of up to 1 MiB: few at a time


@dataclass(slots=True)
class Service:
    """The built service: its app, and the work that runs beside it."""

    app: FastAPI
    parts: Parts
    health: Health
    contracts: Follower
    returns: Follower

    async def work(self) -> None:
        """Connect, then read the bus and keep memory fresh until cancelled."""
        parts = self.parts
        await parts.clock.start()
        await self._connect()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.contracts.run(), name="contracts")
            group.create_task(self.returns.run(), name="returns")
            group.create_task(self._refresh(), name="refresh")
            group.create_task(self._retention().run(), name="retention")
            await self.contracts.caught_up.wait()  # or events of customers with a contract would be quarantined
            parts.ready = True
            log.info(
                "ready", extra={"customers": len(parts.register.known), "partitions": parts.settings.event_partitions}
            )

    async def _connect(self) -> None:
        """Return once database and broker have answered; they may come after this service."""
        parts = self.parts
        while True:
            try:
                parts.pool = parts.pool or await create_pool(
                    parts.settings.database_url.get_secret_value(), SCHEMA, size=parts.settings.database_pool_size
                )
                parts.keys.replace(await valid_secrets(parts.engine))
                await parts.register.load()
                await self._check_topics()
                await parts.producer.start()
                return
            except _AWAY as error:
                log.warning("waiting for database and broker", extra={"error": type(error).__name__})
                await asyncio.sleep(0.5)

    async def _check_topics(self) -> None:
        settings = self.parts.settings
        await ensure_topics(
            settings.broker,
            partitions=settings.event_partitions,
            replication=settings.topic_replication,
            topics=(EVENTS_ACCEPTED, EVENTS_QUARANTINED, CONTRACTS),
        )
        found = await identify(settings.broker, EVENTS_ACCEPTED.name)
        if found.partitions != settings.event_partitions:
            raise RuntimeError(
                f"{EVENTS_ACCEPTED.name} has {found.partitions} partitions, EVENT_PARTITIONS says "
                f"{settings.event_partitions}: a conversation would change its partition"
            )

    async def _refresh(self) -> None:
        parts = self.parts
        sending = self.health.watch("sending to the broker", limit_s=parts.settings.stalled_after_s)
        while True:
            await asyncio.sleep(parts.settings.refresh_s)
            sending.note(parts.confirmed, behind=parts.producer.waiting_bytes)
            metrics.WAITING_BYTES.set(parts.producer.waiting_bytes)
            metrics.OPEN_REQUESTS.set(parts.open_requests)
            parts.seals.refresh()
            try:
                parts.keys.replace(await valid_secrets(parts.engine))
                await parts.register.refresh()
            except STORE_AWAY as error:
                # nobody can revoke a key while the database is away, so the keys in memory stay the right ones
                log.warning("keys and customers not refreshed", extra={"error": type(error).__name__})

    def _retention(self) -> Retention:
        parts = self.parts

        async def contents(most: int) -> Pruned:
            before = parts.clock.now() - timedelta(days=parts.settings.quarantine_content_days)
            return await expire_contents(parts.hot_pool, before, most)

        return Retention({"sealed contents": contents}, replace(_PACE, every_s=parts.settings.prune_every_s))

    async def quiet(self, at: datetime) -> list[str]:
        """What is still to do up to this business time."""
        parts = self.parts
        if not parts.ready:
            return ["usage-ingest is starting"]
        waiting = []
        if parts.clock.now() < at:
            waiting.append(f"business time here is {iso(parts.clock.now())}")
        if parts.open_requests:
            waiting.append(f"{parts.open_requests} requests are open")
        try:
            unread = await parts.ends.unread(self.contracts, self.returns)
        except KafkaError:
            return [*waiting, "the broker, which is away"]
        return waiting + [f"{count} records of {topic} are unread" for topic, count in unread.items() if count]

    async def stop(self) -> None:
        """After the last answer: send what is open, wait for its confirmation, disconnect."""
        parts = self.parts
        parts.ready = False
        await parts.producer.stop()
        await parts.ends.stop()
        await parts.clock.stop()
        if parts.pool is not None:
            await parts.pool.close()
        await parts.engine.dispose()
        log.info("stopped")


def build(settings: Settings, *, clock: BusinessClock | SetClock | None = None) -> Service:
    """Make the service; nothing is connected yet. Tests hand in their own clock."""
    keys = settings.key_file()
    parts = _make_parts(settings, clock or business_clock(settings.business_clock_url, settings.own_key()))
    access = Access(keys, metrics_open=settings.opens_metrics, others=(SendersKeys(parts),))
    broker = settings.broker

    async def contracts_reader() -> TopicReader:
        return TopicReader(broker, CONTRACTS.name, parts.register.take_contract)

    async def returns_reader() -> TopicReader:
        start_at = await positions(parts.hot_pool, EVENTS_QUARANTINED.name)
        return TopicReader(
            broker, EVENTS_QUARANTINED.name, lambda record: take_return(record, parts), start_at=start_at
        )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await service.stop()

    health = Health()
    health.ready.update(
        service=lambda: _starting(parts), broker=lambda: _broker(parts), database=lambda: _database(parts)
    )
    app = create_app(SERVICE, health=health, access=access, quiet=lambda at: service.quiet(at), lifespan=lifespan)
    app.router.routes.insert(
        0, Route("/v1/events", Intake(parts).post, methods=["POST"])
    )  # first: routes are tried in turn
    app.include_router(api.Api(parts).router)
    openapi.install(app)
    service = Service(
        app,
        parts,
        health,
        Follower(contracts_reader, CONTRACTS.name),
        Follower(returns_reader, EVENTS_QUARANTINED.name),
    )
    return service


def _make_parts(settings: Settings, clock: BusinessClock | SetClock) -> Parts:
    url, broker = settings.database_url.get_secret_value(), settings.broker
    engine = create_engine(url, SCHEMA, size=settings.database_pool_size)
    ends = LogEnds(broker, within_s=3.0)
    return Parts(
        settings=settings,
        clock=clock,
        producer=BatchProducer(
            broker,
            linger_ms=settings.producer_linger_ms,
            max_waiting_bytes=settings.producer_waiting_bytes_max,
            confirm_within_s=settings.confirm_within_s,
        ),
        engine=engine,
        keys=KeyRing(),
        register=CustomerRegister(engine),
        ends=ends,
        accepted=Log(ends, EVENTS_ACCEPTED.name, partitions=settings.event_partitions),
        seals=settings.seals(),
    )


async def _starting(parts: Parts) -> str | None:
    return None if parts.ready else "is starting"


async def _broker(parts: Parts) -> str | None:
    await parts.accepted.records()
    return None


async def _database(parts: Parts) -> str | None:
    async with asyncio.timeout(3), parts.engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    return None
