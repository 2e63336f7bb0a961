"""A contract takes effect here: load, decide, save, in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from chassis.store import transaction
from event_schemas.contract_v2 import AnyContract
from event_schemas.contracts import Contract
from event_schemas.times import Period, period_containing
from invoicing_sync.contracts.domain.agreement import Agreement
from invoicing_sync.contracts.domain.usage_lines import UsageLines
from invoicing_sync.contracts.store import contracts
from invoicing_sync.contracts.store.contracts import Billing
from invoicing_sync.invoices.domain.freeze import Freeze
from invoicing_sync.store import cases
from invoicing_sync.store.pool import Connection, Pool, lock_intake
from invoicing_sync.usage.domain.states import State
from invoicing_sync.usage.handlers import place_delivery, say_unpriced
from invoicing_sync.usage.store import deliveries, entries
from invoicing_sync.usage.store.deliveries import Lane, NewDelivery

PLACED_AT_ONCE = 1_000  # deliveries of one customer that waited for its contract


async def handle_activation(
    agreement: Agreement,
    billing: Billing,
    *,
    stripe_customer: str,
    stripe_subscription: str,
    usage_lines: UsageLines,
    first: Period | None,
    late_at: datetime | None,
    pool: Pool,
    freeze: Freeze,
    also: Callable[[Connection], Awaitable[None]] | None = None,
) -> set[Lane]:
    """
    A contract has its objects at Stripe: it is applied, its first periods start, what waited for it is placed.

    Returns the lanes that have work now. One transaction, under the lock that intakes take, so that no entry slips
    in between as one that waits; who sees the contract applied sees what it leaves to a person.

    Args:
        first: what the first invoice bills: an empty period at the anchor, or the trial; None where there is none.
        also: what belongs into the same transaction.
        late_at: now, where the contract came after its anchor and has items that are paid in advance.
    """
    lanes: set[Lane] = set()
    contract = agreement.document
    billing = billing.for_meters_of(agreement)
    async with transaction(pool) as tx:
        await lock_intake(tx)
        await contracts.activate(
            tx,
            contract,
            billed_from=billing.billed_from,
            stripe_customer=stripe_customer,
            stripe_subscription=stripe_subscription,
            usage_lines=usage_lines,
        )
        if late_at is not None:
            await _say_late_start(tx, contract, late_at)
        if also is not None:
            await also(tx)
        issued = max(billing.billed_from, billing.billing_anchor)
        period = period_containing(billing.billing_anchor, issued)
        number = _number_of(contract, period.start)
        patience = freeze.of(billing.issuer)
        if first is not None:
            after = patience if first.start < first.end else timedelta(0)
            await contracts.add_period(tx, contract.customer, number - 1, first, freeze_after=after)
        if first is None or first.start == first.end:  # the trial's successor starts when it is frozen
            await contracts.add_period(tx, contract.customer, number, period, freeze_after=patience)
        while rows := await deliveries.waiting_for_contract(tx, contract.customer, PLACED_AT_ONCE):
            known = await entries.present(tx, [row["reverses"] for row in rows if row["reverses"]])
            waited = [
                NewDelivery(
                    identifier=row["identifier"],
                    customer=contract.customer,
                    meter=row["meter"],
                    value=row["value"],
                    effective_at=row["effective_at"],
                    recorded_at=row["recorded_at"],
                    period_start=None,
                    period_end=None,
                    reverses=row["reverses"],
                    state=State.WAITING_FOR_CONTRACT,
                    correction=None,
                )
                for row in rows
            ]
            placed = [place_delivery(d, billing, charge_is_here=d.reverses in known, freeze=freeze) for d in waited]
            await deliveries.place(tx, placed)
            await say_unpriced(tx, placed, {contract.customer: billing})
            lanes |= {(d.customer, d.meter) for d in placed if d.state is State.PENDING}
    return lanes


async def set_aside(pool: Pool, contract: AnyContract, kind: str, *, now: datetime, **detail: Any) -> None:
    """A revision is not taken: the applied one goes on, and a person has a case of this kind."""
    await cases.open_case(pool, kind, contract.customer, now=now, customer=contract.customer, **detail)
    await contracts.mark_handled(pool, contract, replace=False)


async def handle_terms(agreement: Agreement, *, pool: Pool, now: datetime) -> None:
    """
    Invoices are expected from a revision of version 2 from now on; what Stripe has of it is the carrier's matter.

    One transaction, under the lock that intakes take. Periods that are complete and not finalised are completed anew,
    since their usage may have to be summed over other parts. Repeating it changes nothing.
    """
    contract = agreement.version_2
    assert contract is not None  # version 1 is applied whole
    keys = [f"{contract.customer}/{meter}" for meter in (*agreement.meters, *agreement.free)]
    async with transaction(pool) as tx:
        await lock_intake(tx)
        await contracts.bill_by(tx, contract)
        await contracts.complete_again(tx, contract.customer)
        await cases.close_cases(tx, "charge_without_price", keys, now=now)


async def handle_revision(contract: Contract, *, pool: Pool, now: datetime) -> None:
    """
    A revision that bills alike takes the place of the applied one, and settles the charges without a price it names.

    One transaction, under the lock that intakes take: an intake that has read the terms before has opened its case by
    then, and the next one reads these. Repeating it changes nothing.
    """
    agreed = [price.meter for price in contract.metered] + list(contract.free_meters)
    keys = [f"{contract.customer}/{meter}" for meter in agreed]
    async with transaction(pool) as tx:
        await lock_intake(tx)
        await contracts.mark_handled(tx, contract, replace=True)
        await cases.close_cases(tx, "charge_without_price", keys, now=now)


async def _say_late_start(tx: Connection, contract: AnyContract, now: datetime) -> None:
    """Stripe bills licensed items from the next period on; the running one is for a person to settle."""
    await cases.open_case(
        tx,
        "first_period_not_billed_in_advance",
        contract.customer,
        now=now,
        customer=contract.customer,
        billing_anchor=contract.billing_anchor.isoformat(),
        applied_at=now.isoformat(),
    )


def _number_of(contract: AnyContract, start: object) -> int:
    number = 0
    while contract.period(number).start != start:
        number += 1
    return number
