"""What the bus brings, handled: load, decide, save, in one transaction each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from chassis.store import transaction
from event_schemas.wire import ProgressData, RatedEntry
from invoicing_sync.contracts.store import contracts
from invoicing_sync.contracts.store.contracts import Billing
from invoicing_sync.store.pool import Connection, Pool, lock_intake
from invoicing_sync.usage.domain.placement import place
from invoicing_sync.usage.domain.states import State
from invoicing_sync.usage.store import deliveries, entries
from invoicing_sync.usage.store.deliveries import Lane, NewDelivery


@dataclass(frozen=True, slots=True)
class Offsets:
    """How far a topic has been read with this batch."""

    topic: str
    topic_id: str
    to: Mapping[int, int]


async def handle_entries(
    batch: Sequence[RatedEntry], offsets: Offsets, *, pool: Pool, freeze_after: timedelta
) -> tuple[int, set[Lane]]:
    """
    Take entries of the ledger in: entries, deliveries, corrections and offsets in one transaction.

    An entry that is there already changes nothing. Returns how many were new, and the lanes that have work now.
    """
    async with transaction(pool) as tx:
        await lock_intake(tx)
        new = await entries.append_once(tx, batch)
        fresh = [entry for entry in batch if entry.entry_id in new]
        fresh = list({entry.entry_id: entry for entry in fresh}.values())
        lanes: set[Lane] = set()
        if fresh:
            lanes = await _append_deliveries(tx, fresh, freeze_after)
        await entries.move_offsets(tx, offsets.topic, offsets.topic_id, offsets.to)
    return len(fresh), lanes


async def handle_progress(batch: Sequence[ProgressData], offsets: Offsets, *, pool: Pool) -> None:
    """Keep the furthest that rating tells of each partition, with the offset, in one transaction."""
    async with transaction(pool) as tx:
        for data in sorted(batch, key=lambda data: data.partition):
            await entries.note_progress(tx, data)
        await entries.move_offsets(tx, offsets.topic, offsets.topic_id, offsets.to)


async def _append_deliveries(tx: Connection, fresh: Sequence[RatedEntry], freeze_after: timedelta) -> set[Lane]:
    billing = await contracts.billing_of(tx, sorted({entry.customer for entry in fresh}))
    charges = [entry.entry_id for entry in fresh if entry.op == "charge"]
    reversed_ids = {entry.cause.reverses for entry in fresh if entry.cause.reverses is not None}
    known = set(charges) | await entries.present(tx, reversed_ids - set(charges))
    new = [
        delivery_of(
            entry, billing.get(entry.customer), charge_is_here=entry.cause.reverses in known, freeze_after=freeze_after
        )
        for entry in fresh
    ]
    await deliveries.append(tx, new)
    lanes = {(d.customer, d.meter) for d in new if d.state is State.PENDING}
    return lanes | set(await deliveries.free_reversals(tx, charges))


def delivery_of(
    entry: RatedEntry, billing: Billing | None, *, charge_is_here: bool, freeze_after: timedelta
) -> NewDelivery:
    """The delivery that an entry makes. Raises ValueError for a reversal that does not name its charge."""
    reverses = entry.cause.reverses if entry.op == "reverse" else None
    if entry.op == "reverse" and reverses is None:
        raise ValueError(f"entry {entry.entry_id} is a reversal and does not name its charge")
    quantity = Decimal(entry.quantity)
    unplaced = NewDelivery(
        identifier=entry.entry_id,
        customer=entry.customer,
        meter=entry.meter,
        value=quantity if entry.op == "charge" else -quantity,
        effective_at=entry.effective_at,
        recorded_at=entry.recorded_at,
        period_start=None,
        period_end=None,
        reverses=reverses,
        state=State.WAITING_FOR_CONTRACT,
        correction=None,
    )
    return place_delivery(unplaced, billing, charge_is_here=charge_is_here, freeze_after=freeze_after)


def place_delivery(
    delivery: NewDelivery, billing: Billing | None, *, charge_is_here: bool, freeze_after: timedelta
) -> NewDelivery:
    """The delivery in its period and first state; unchanged while no contract is applied."""
    if billing is None:
        return delivery
    placement = place(
        billing_anchor=billing.billing_anchor,
        billed_from=billing.billed_from,
        effective_at=delivery.effective_at,
        recorded_at=delivery.recorded_at,
        freeze_after=freeze_after,
    )
    if placement.correction is not None:
        state = State.CORRECTION
    elif delivery.value == 0:
        state = State.NETTED  # nothing to count: Stripe need not hear of it
    elif delivery.reverses is not None and not charge_is_here:
        state = State.WAITING_FOR_CHARGE
    else:
        state = State.PENDING
    return NewDelivery(
        identifier=delivery.identifier,
        customer=delivery.customer,
        meter=delivery.meter,
        value=delivery.value,
        effective_at=delivery.effective_at,
        recorded_at=delivery.recorded_at,
        period_start=placement.period.start,
        period_end=placement.period.end,
        reverses=delivery.reverses,
        state=state,
        correction=placement.correction,
    )
