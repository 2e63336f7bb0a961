"""Builds the service: the only place that makes its clients, pools and clocks, starts them and stops them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException
from fastapi import FastAPI
from sqlalchemy import text

from chassis.access import Access
from chassis.app import create_app
from chassis.bus import BatchProducer
from chassis.clock import BusinessClock, business_clock
from chassis.health import Health
from chassis.store import create_engine
from chassis.testing import SetClock
from chassis.topics import ensure_topics
from contracts_service.agreements.api import AgreementsApi
from contracts_service.agreements.whole_api import WholeApi
from contracts_service.catalog.api import CatalogApi
from contracts_service.parts import STORE_AWAY, Parts
from contracts_service.publishing.publisher import Publisher
from contracts_service.settings import SCHEMA, SERVICE, Settings
from event_schemas.times import iso
from event_schemas.topics import CONTRACT_CHANGES, CONTRACTS

log = logging.getLogger(__name__)

_AWAY = (KafkaError, KafkaException, *STORE_AWAY)


@dataclass(slots=True)
class Service:
    """The built service: its app, and the work that runs beside it."""

    app: FastAPI
    parts: Parts
    publisher: Publisher

    async def work(self) -> None:
        """Connect, then publish until cancelled."""
        await self.parts.clock.start()
        await self._connect()
        self.parts.ready = True
        log.info("ready", extra={"publish_version_2": self.parts.settings.publish_version_2})
        await self.publisher.run()

    async def _connect(self) -> None:
        """Return once database and broker have answered; they may come after this service."""
        parts, settings = self.parts, self.parts.settings
        while True:
            try:
                async with parts.engine.connect() as connection:
                    await connection.execute(text("SELECT 1"))
                await ensure_topics(
                    settings.broker,
                    partitions=settings.event_partitions,
                    replication=settings.topic_replication,
                    topics=(CONTRACTS, CONTRACT_CHANGES),
                )
                await parts.producer.start()
                return
            except _AWAY as error:
                log.warning("waiting for database and broker", extra={"error": type(error).__name__})
                await asyncio.sleep(0.5)

    async def quiet(self, at: datetime) -> list[str]:
        """What is still to do up to this business time."""
        parts = self.parts
        if not parts.ready:
            return ["contracts is starting"]
        waiting = []
        if parts.clock.now() < at:
            waiting.append(f"business time here is {iso(parts.clock.now())}")
        try:
            due = await self.publisher.waiting()
        except STORE_AWAY:
            return [*waiting, "the database, which is away"]
        return [*waiting, f"{due} revisions are not on the bus yet"] if due else waiting

    async def stop(self) -> None:
        """After the last answer: send what is open, disconnect."""
        self.parts.ready = False
        await self.parts.producer.stop()
        await self.parts.clock.stop()
        await self.parts.engine.dispose()
        log.info("stopped")


def build(settings: Settings, *, clock: BusinessClock | SetClock | None = None) -> Service:
    """Make the service; nothing is connected yet. Tests hand in their own clock."""
    access = Access(settings.key_file(), metrics_open=settings.opens_metrics)
    parts = Parts(
        settings=settings,
        clock=clock or business_clock(settings.business_clock_url, settings.own_key()),
        engine=create_engine(settings.database_url.get_secret_value(), SCHEMA, size=settings.database_pool_size),
        producer=BatchProducer(settings.broker, confirm_within_s=settings.confirm_within_s),
    )
    health = Health()
    publisher = Publisher(parts, health.watch("publishing", limit_s=settings.stalled_after_s))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await service.stop()

    health.ready.update(service=lambda: _starting(parts), database=lambda: _database(parts))
    app = create_app(SERVICE, health=health, access=access, quiet=lambda at: service.quiet(at), lifespan=lifespan)
    app.include_router(CatalogApi(parts).router)
    app.include_router(AgreementsApi(parts).router)
    app.include_router(WholeApi(parts).router)
    service = Service(app, parts, publisher)
    return service


async def _starting(parts: Parts) -> str | None:
    return None if parts.ready else "is starting"


async def _database(parts: Parts) -> str | None:
    async with asyncio.timeout(3), parts.engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    return None
