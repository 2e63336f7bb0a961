"""Watches the work: gauges, and whether anything stands still."""

from __future__ import annotations

import asyncio
import logging

from aiokafka.errors import KafkaError

from chassis.clock import Clock
from chassis.health import Health
from invoicing_sync import metrics
from invoicing_sync.instance import Instance
from invoicing_sync.store.pool import Pool
from invoicing_sync.usage.consumer import Intake
from invoicing_sync.usage.sender import Sender
from invoicing_sync.usage.store import deliveries

log = logging.getLogger(__name__)

EVERY_S = 2.0


class Monitor:
    """Liveness fails when records or deliveries stop moving while there are some."""

    def __init__(
        self, pool: Pool, clock: Clock, health: Health, intake: Intake, instance: Instance, sender: Sender
    ) -> None:
        self._pool, self._clock, self._intake, self._instance, self._sender = pool, clock, intake, instance, sender
        self._records = health.watch("intake", limit_s=60)
        self._sending = health.watch("deliveries", limit_s=180)  # longer than Stripe's short outages and our back-off

    async def run(self) -> None:
        """Look every few seconds until cancelled."""
        while True:
            now = self._clock.now()
            count, oldest = await deliveries.backlog(self._pool, now)
            metrics.backlog.set(count)
            metrics.oldest.set(max(0.0, (now - oldest).total_seconds()) if oldest else 0.0)
            self._sending.note(self._sender.settled, behind=count)
            metrics.open_cases.set(await self._pool.fetchval("SELECT count(*) FROM cases WHERE closed_at IS NULL"))
            if self._instance.lead.is_set():
                await self._note_records()
            await asyncio.sleep(EVERY_S)

    async def _note_records(self) -> None:
        try:
            unread = await self._intake.unread()
        except KafkaError as error:  # the readers say so too, and go on when it is back
            log.warning("the broker does not say where its logs end", extra={"error": type(error).__name__})
            return
        self._records.note(self._intake.position, behind=sum(unread.values()))
