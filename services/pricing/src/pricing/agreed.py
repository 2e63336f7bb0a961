"""
From a contract of version 2 to the terms that the engine bills by. The one module here that knows contracts.

A contract that the schema takes has no `contradictions`. What was taken back is left out; what the terms have no word
for (who is billed and taxed, policies, alerts, plans, history) changes no line.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from event_schemas.contract_v2 import ContractV2, clauses, items, prices
from event_schemas.contract_v2.parts import Amount, SeatsFrom, UnitsFrom, in_time, living
from event_schemas.values import Money
from pricing.prices import Flat, Graduated, Included, Package, PerUnit, Price, Tier, Volume
from pricing.terms import (
    Allowance,
    Commitment,
    CommitmentBilling,
    Discount,
    HardLimit,
    Item,
    Licensed,
    Metered,
    Minimum,
    PrepaidCredit,
    Proration,
    QuantityFrom,
    Rhythm,
    Scope,
    Terms,
    Trial,
)


def terms_of(contract: ContractV2) -> Terms:
    """All that the contract says about money, over its whole life. One of version 1 is converted first."""
    return Terms(
        currency=contract.currency,
        billing_anchor=contract.billing_anchor,
        items=tuple(_item(item) for item in living(contract.items)),
        discounts=tuple(_discount(one) for one in living(contract.discounts)),
        commitments=tuple(_commitment(one) for one in living(contract.commitments)),
        minimums=tuple(
            Minimum(one.key, one.meter, _money(one.amount), one.start, one.until) for one in living(contract.minimums)
        ),
        allowances=tuple(
            Allowance(one.key, one.meter, one.quantity, one.start, one.until) for one in living(contract.allowances)
        ),
        limits=tuple(
            HardLimit(one.key, one.meter, one.quantity, one.start, one.until) for one in living(contract.limits)
        ),
        prepaid=tuple(
            PrepaidCredit(one.key, _money(one.amount), one.items, one.start, one.until)
            for one in living(contract.prepaid)
        ),
        free_meters=tuple(one.meter for one in contract.free_meters),
        trial=_trial(contract.trial) if contract.trial is not None else None,
        proration=Proration(contract.proration),
        card_step=contract.card_step,
    )


def _item(item: items.Item) -> Item:
    price = price_of(item.price)
    if isinstance(item, items.MeteredItem):
        return Metered(item.key, item.meter, price, item.start, item.until, item.price_version)
    return Licensed(
        key=item.key,
        price=price,
        quantities=_timeline(item.quantities),
        start=item.start,
        until=item.until,
        rhythm=Rhythm(item.rhythm),
        term_anchor=item.term_anchor,
        price_version=item.price_version,
    )


def price_of(price: prices.Price) -> Price:
    """A price as the engine has it."""
    match price:
        case prices.PerUnit():
            return PerUnit(Decimal(price.unit_price))
        case prices.Graduated():
            return Graduated(_tiers(price.tiers))
        case prices.Volume():
            return Volume(_tiers(price.tiers))
        case prices.Package():
            return Package(price.size, Decimal(price.pack_price), price.free)
        case prices.Flat():
            return Flat(Decimal(price.amount))
        case prices.Included():
            return Included()


def _tiers(tiers: Iterable[prices.Tier]) -> tuple[Tier, ...]:
    return tuple(Tier(tier.up_to, Decimal(tier.unit_price), Decimal(tier.flat_fee)) for tier in tiers)


def _timeline(timeline: Iterable[SeatsFrom | UnitsFrom]) -> tuple[QuantityFrom, ...]:
    return tuple(QuantityFrom(entry.at, entry.quantity) for entry in in_time(timeline))


def _discount(one: clauses.Discount) -> Discount:
    return Discount(
        key=one.key,
        scope=Scope(one.scope),
        item=one.item,
        percent=Decimal(one.percent) if one.percent is not None else None,
        amount=_money(one.amount) if one.amount is not None else None,
        start=one.start,
        until=one.until,
        invoices=one.invoices,
    )


def _commitment(one: clauses.Commitment) -> Commitment:
    return Commitment(
        key=one.key,
        meter=one.meter,
        unit_price=Decimal(one.unit_price),
        currency=one.currency,
        ramp=_timeline(one.ramp),
        bill=CommitmentBilling(one.bill),
        until=one.until,
        price_version=one.price_version,
    )


def _trial(trial: clauses.Trial) -> Trial:
    return Trial(
        trial.start, trial.until, tuple(Allowance(one.key, one.meter, one.quantity) for one in trial.allowances)
    )


def _money(amount: Amount) -> Money:
    return Money(amount.minor, amount.currency)
