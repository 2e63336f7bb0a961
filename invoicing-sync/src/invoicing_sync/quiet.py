"""Whether the door has nothing left to do up to an instant of business time; and how much there is."""

from __future__ import annotations

from datetime import datetime, timedelta

from aiokafka.errors import KafkaError

from chassis.clock import Clock
from event_schemas.times import iso
from invoicing_sync.contracts.applier import Applier
from invoicing_sync.invoices.store import credit_notes, periods
from invoicing_sync.settings import Settings
from invoicing_sync.store.pool import Pool
from invoicing_sync.usage.consumer import Intake
from invoicing_sync.usage.store import deliveries
from invoicing_sync.webhooks.store import webhooks


class Quiet:
    """What is still to do, as sentences."""

    def __init__(self, pool: Pool, clock: Clock, intake: Intake, applier: Applier, settings: Settings) -> None:
        self._pool, self._clock, self._intake, self._applier = pool, clock, intake, applier
        # rating says of an idle partition that it was read up to a while ago, so a freeze is passed that much later
        self._idle = timedelta(seconds=settings.rating_idle_s)
        self._corrections = timedelta(hours=settings.corrections_settle_h)

    async def __call__(self, at: datetime) -> list[str]:
        """
        Empty when business time `at` has been seen and all is done up to it.

        A period counts as done when its invoice is finalised, or held with a case that a person must settle; what came
        late for it when it is credited, or has a case.
        """
        seen = self._clock.now()
        if seen < at:
            return [f"business time {iso(at)}, seen {iso(seen)}"]
        try:
            unread = await self._intake.unread()
        except KafkaError:
            return ["the broker, which is away"]
        waiting = [f"{count} records of {topic}" for topic, count in unread.items() if count]
        if contracts := await self._applier.waiting():
            waiting.append(f"{contracts} contracts to apply")
        backlog, _ = await deliveries.backlog(self._pool, at)
        if backlog:
            waiting.append(f"{backlog} deliveries")
        if events := await webhooks.undone(self._pool):
            waiting.append(f"{events} events of Stripe")
        waiting += await credit_notes.waiting(self._pool, at, self._corrections)
        return waiting + await periods.unsettled(self._pool, at, usage_by=at - self._idle)
