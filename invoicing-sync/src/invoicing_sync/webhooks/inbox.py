"""
Events of Stripe after they were stored: onto the bus, then handled here.

    1. publish to stripe.events, keyed by the object        failpoint webhook-published
    2. mark as published                                    failpoint webhook-marked
    3. handle, mark as handled

Events are hints: what they say is compared with what is known, and where it is news, the object is read from Stripe.
So the order in which they come, and how often, makes no difference.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from chassis.bus import BatchProducer, confirmed, partition_of_key
from chassis.clock import Clock
from chassis.errors import TryLater
from chassis.store import transaction
from event_schemas.events.stripe_event_v1 import StripeEventData, StripeEventEvent
from event_schemas.topics import STRIPE_EVENTS
from invoicing_sync.assumptions.domain.catalogue import in_order
from invoicing_sync.contracts.store import contracts
from invoicing_sync.gaps import failpoints
from invoicing_sync.invoices.holder import Holder
from invoicing_sync.invoices.store import invoices
from invoicing_sync.store import cases, links
from invoicing_sync.store.pool import Connection, Pool
from invoicing_sync.stripe_door.client import API_VERSION
from invoicing_sync.stripe_door.convert import from_wire_meter_problems
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import NotThere
from invoicing_sync.stripe_door.wire import MeterProblem
from invoicing_sync.usage.domain import refusals
from invoicing_sync.usage.store import deliveries
from invoicing_sync.webhooks.store import webhooks
from invoicing_sync.webhooks.store.webhooks import StoredEvent

log = logging.getLogger(__name__)
BATCH = 500
LOOK_AGAIN_S = 5.0
SOURCE = "urn:stripe"


class Inbox:
    """`wake` says that an event was stored."""

    def __init__(
        self,
        pool: Pool,
        door: StripeDoor,
        producer: BatchProducer,
        holder: Holder,
        clock: Clock,
        *,
        parallel: int,
        door_name: str,
        wake_gate: Callable[[], None],
    ) -> None:
        self._pool, self._door, self._producer, self._holder, self._clock = pool, door, producer, holder, clock
        self._wake_gate, self._door_name = wake_gate, door_name or None
        self._slots = asyncio.Semaphore(parallel)
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """An event was stored."""
        self._woken.set()

    async def run(self) -> None:
        """Publish and handle until cancelled."""
        while True:
            self._woken.clear()
            try:
                while await self._publish() + await self._handle():
                    pass
            except TryLater as later:
                log.warning("events wait", extra={"why": str(later)})
                await asyncio.sleep(later.after_s or 1.0)
                continue
            try:
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _publish(self) -> int:
        events = await webhooks.unpublished(self._pool, BATCH)
        if not events:
            return 0
        partitions = await self._producer.partitions_for(STRIPE_EVENTS.name)
        waiting = []
        for event in events:
            key, value = to_record(event, door=self._door_name)
            waiting.append(self._producer.append(STRIPE_EVENTS.name, partition_of_key(key, partitions), key, value))
        await confirmed(waiting)
        failpoints.reach("webhook-published")
        await webhooks.mark_published(self._pool, events)
        failpoints.reach("webhook-marked")
        return len(events)

    async def _handle(self) -> int:
        events = await webhooks.unhandled(self._pool, BATCH)
        if not events:
            return 0
        of_invoice: dict[str, list[StoredEvent]] = {}
        plain: list[StoredEvent] = []
        for event in events:
            if event.thin:
                await self._handle_thin(event)
            elif event.type.startswith("invoice."):
                of_invoice.setdefault(str(event.body["data"]["object"].get("id")), []).append(event)
            else:
                plain.append(event)
        await webhooks.mark_handled(self._pool, plain)
        await asyncio.gather(*(self._handle_invoice(key, hints) for key, hints in of_invoice.items()))
        self._wake_gate()
        return len(events)

    async def _handle_invoice(self, invoice_id: str, hints: list[StoredEvent]) -> None:
        async with self._slots:
            if await self._is_news(invoice_id, [hint.body["data"]["object"] for hint in hints]):
                await self._holder.look_at(invoice_id)
            await webhooks.mark_handled(self._pool, hints)

    async def _is_news(self, invoice_id: str, snapshots: list[Mapping[str, Any]]) -> bool:
        """Whether an invoice is ours and any of the snapshots differs from what is known of it."""
        details = (snapshots[0].get("parent") or {}).get("subscription_details") or {}
        subscription = details.get("subscription")
        if not subscription or await contracts.customer_of_subscription(self._pool, str(subscription)) is None:
            return False
        known = await invoices.one(self._pool, invoice_id)
        if known is None or (known["status"] == "draft" and known["auto_advance"]):
            return True
        held = (known["status"], known["number"], known["total_minor"], known["auto_advance"])
        said = {(s.get("status"), s.get("number"), s.get("total"), bool(s.get("auto_advance"))) for s in snapshots}
        return said != {held}

    async def _handle_thin(self, event: StoredEvent) -> None:
        """One case for each (meter, code), counted once for each report; the identifiers named are refused."""
        try:
            problems = from_wire_meter_problems(await self._door.notices.thin_event(event.event_id))
        except NotThere:
            problems = ()
        names = {stripe_id: name for name, stripe_id in (await links.ids(self._pool, "meter")).items()}
        now = self._clock.now()
        async with transaction(self._pool) as tx:
            for problem in problems:
                meter = names.get(problem.meter or "", problem.meter or "none")
                numbers = await self._refuse(tx, problem)
                await cases.open_case(
                    tx,
                    "meter_error",
                    f"{meter}:{problem.code}",
                    now=now,
                    count=problem.count,
                    meter=meter,
                    code=problem.code,
                    samples=[list(sample) for sample in problem.samples],
                    report=event.event_id,
                    assumptions=list(numbers),
                )
            await webhooks.mark_handled(tx, [event])
            failpoints.reach("case-opened")

    async def _refuse(self, tx: Connection, problem: MeterProblem) -> tuple[str, ...]:
        """What the samples name is refused; the assumptions that it speaks against."""
        refused = await deliveries.refuse(tx, [(identifier, problem.code) for identifier, _ in problem.samples])
        found: list[str] = []
        for identifier, value in refused.items():
            if numbers := refusals.of_event(problem.code, value, in_doubt=False):
                await deliveries.speak_against(tx, identifier, numbers)
                found += numbers
        return in_order(found)


def to_record(event: StoredEvent, *, door: str | None = None) -> tuple[bytes, bytes]:
    """Key and value of the record on `stripe.events`; `door` is the name of this one, where it has one."""
    object_id, object_type, snapshot = _object_of(event)
    record = StripeEventEvent(
        specversion="1.0",
        id=event.event_id,
        source=SOURCE,
        subject=object_id,
        time=event.created,
        type="stripe.event",
        data=StripeEventData(
            stripe_type=event.type,
            object_type=object_type,
            object_id=object_id,
            api_version=str(event.body.get("api_version") or API_VERSION),
            livemode=bool(event.body.get("livemode")),
            created=event.created,
            object=snapshot,
            door=door,
        ),
    )
    return object_id.encode(), record.model_dump_json().encode()


def _object_of(event: StoredEvent) -> tuple[str, str, dict[str, Any]]:
    """The object that an event is about; a thin event names it at most, and is about itself where it does not."""
    if event.thin:
        related = event.body.get("related_object") or {"id": event.event_id, "type": "v2.core.event"}
        return str(related["id"]), str(related["type"]), dict(event.body)
    snapshot = event.body["data"]["object"]
    return str(snapshot.get("id") or event.event_id), str(snapshot.get("object") or ""), snapshot
