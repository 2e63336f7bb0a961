"""When a plan has something to do next, as far as the contract tells; what people do at Stripe nobody foresees."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from event_schemas.contract_v2 import ContractV2
from event_schemas.contract_v2.items import LicensedItem
from event_schemas.contract_v2.parts import living
from invoicing_sync.contracts.domain.plan.at_stripe import AtStripe, HasItem, HasSubscription, Told
from invoicing_sync.contracts.domain.plan.items import LEAD
from invoicing_sync.contracts.domain.plan.planning import plan


def next_at(told: Told, contract: ContractV2, now: datetime, *, keep_drafts: bool) -> datetime | None:
    """The first instant after `now` at which Stripe, if it has what it was told, has to be told more; None: none."""
    for at in sorted({one for one in _candidates(contract) if one > now}):
        if plan(_as_told(told, contract, at), contract, at, keep_drafts=keep_drafts).operations:
            return at
    return None


def _candidates(contract: ContractV2) -> Iterator[datetime]:
    for at in _instants(contract):
        period = contract.period_of(at)
        yield at
        yield period.start - LEAD
        yield period.end - LEAD
        yield contract.period_of(period.end).end - LEAD


def _instants(contract: ContractV2) -> Iterator[datetime]:
    yield contract.billing_anchor
    yield from (entry.at for entry in contract.billing)
    for item in living(contract.items):
        yield item.start
        if item.until is not None:
            yield item.until
        if isinstance(item, LicensedItem):
            yield from (entry.at for entry in item.quantities)


def _as_told(told: Told, contract: ContractV2, at: datetime) -> AtStripe:
    if not told.subscribed or told.collection is None:
        return AtStripe(customer=told.customer, told=told)
    items = tuple(HasItem(key, key, one.price, one.quantity) for key, one in told.items.items())
    has = HasSubscription(
        "",
        items,
        contract.period_of(max(at, contract.billing_anchor)),
        told.collection,
        keeps_drafts=bool(told.keeps_drafts),
        cancel_at=told.cancel_at,
    )
    return AtStripe(customer=told.customer, subscription=has, told=told)
