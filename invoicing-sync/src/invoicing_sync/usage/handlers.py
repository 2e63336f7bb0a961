"""What the bus brings, handled: load, decide, save, in one transaction each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from chassis.store import transaction
from event_schemas.wire import ProgressData, RatedEntry
from invoicing_sync.contracts.domain.issuers import Issuers
from invoicing_sync.contracts.store import contracts, ownership
from invoicing_sync.contracts.store.contracts import Billing
from invoicing_sync.invoices.domain.freeze import Freeze
from invoicing_sync.store import cases
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


@dataclass(frozen=True, slots=True)
class Taken:
    """How many entries were new, how many of them are another door's, and the lanes that have work now."""

    new: int
    of_other_doors: int
    lanes: set[Lane]


async def handle_entries(
    batch: Sequence[RatedEntry], offsets: Offsets, *, pool: Pool, freeze: Freeze, issuers: Issuers
) -> Taken:
    """
    Take entries of the ledger in: entries, deliveries, corrections and offsets in one transaction.

    An entry that is there already changes nothing, and of one whose customer another door bills no delivery is made.
    """
    async with transaction(pool) as tx:
        await lock_intake(tx)
        new = await entries.append_once(tx, batch)
        fresh = [entry for entry in batch if entry.entry_id in new]
        fresh = list({entry.entry_id: entry for entry in fresh}.values())
        others = await ownership.anothers(tx, {entry.customer for entry in fresh}, issuers)
        own = [entry for entry in fresh if entry.customer not in others]
        lanes: set[Lane] = set()
        if own:
            lanes = await _append_deliveries(tx, own, freeze)
        await entries.move_offsets(tx, offsets.topic, offsets.topic_id, offsets.to)
    return Taken(len(fresh), len(fresh) - len(own), lanes)


async def handle_progress(batch: Sequence[ProgressData], offsets: Offsets, *, pool: Pool) -> None:
    """Keep the furthest that rating tells of each partition, with the offset, in one transaction."""
    async with transaction(pool) as tx:
        for data in sorted(batch, key=lambda data: data.partition):
            await entries.note_progress(tx, data)
        await entries.move_offsets(tx, offsets.topic, offsets.topic_id, offsets.to)


async def _append_deliveries(tx: Connection, fresh: Sequence[RatedEntry], freeze: Freeze) -> set[Lane]:
    billing = await contracts.billing_of(tx, sorted({entry.customer for entry in fresh}))
    charges = [entry.entry_id for entry in fresh if entry.op == "charge"]
    reversed_ids = {entry.cause.reverses for entry in fresh if entry.cause.reverses is not None}
    known = set(charges) | await entries.present(tx, reversed_ids - set(charges))
    new = [
        delivery_of(entry, billing.get(entry.customer), charge_is_here=entry.cause.reverses in known, freeze=freeze)
        for entry in fresh
    ]
    await deliveries.append(tx, new)
    await say_unpriced(tx, new, billing)
    lanes = {(d.customer, d.meter) for d in new if d.state is State.PENDING}
    return lanes | set(await deliveries.free_reversals(tx, charges))


async def say_unpriced(tx: Connection, new: Sequence[NewDelivery], billing: Mapping[str, Billing]) -> None:
    """
    Open a case at the first charge of a customer's meter that the applied contract neither prices nor declares free.

    What is agreed comes before what happens: while no contract is applied nothing is known to be without a price.
    """
    for delivery in first_unpriced(new, billing):
        await cases.open_case_once(
            tx,
            "charge_without_price",
            f"{delivery.customer}/{delivery.meter}",
            now=delivery.recorded_at,
            customer=delivery.customer,
            meter=delivery.meter,
            entry=delivery.identifier,
            sentence=(
                f"meter {delivery.meter} is charged, and the contract of {delivery.customer} neither prices it in "
                "metered nor declares it free in free_meters: it is on no invoice, and invoices with it are held"
            ),
        )


def first_unpriced(new: Sequence[NewDelivery], billing: Mapping[str, Billing]) -> list[NewDelivery]:
    """The first charge of each customer's meter that the applied contract neither prices nor declares free."""
    first: dict[Lane, NewDelivery] = {}
    for delivery in new:
        agreed = billing.get(delivery.customer)
        if agreed is None or delivery.value <= 0 or delivery.meter in agreed.priced | agreed.free:
            continue
        first.setdefault((delivery.customer, delivery.meter), delivery)
    return list(first.values())


def delivery_of(entry: RatedEntry, billing: Billing | None, *, charge_is_here: bool, freeze: Freeze) -> NewDelivery:
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
    return place_delivery(unplaced, billing, charge_is_here=charge_is_here, freeze=freeze)


def place_delivery(
    delivery: NewDelivery, billing: Billing | None, *, charge_is_here: bool, freeze: Freeze
) -> NewDelivery:
    """The delivery in its period and first state; unchanged while no contract is applied."""
    if billing is None:
        return delivery
    placement = place(
        billing_anchor=billing.billing_anchor,
        billed_from=billing.billed_from,
        effective_at=delivery.effective_at,
        recorded_at=delivery.recorded_at,
        freeze_after=freeze.of(billing.issuer),
    )
    if placement.correction is not None:
        state = State.CORRECTION
    elif delivery.value == 0 or delivery.meter in billing.free:
        state = State.NETTED  # nothing to bill: Stripe need not hear of it
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
