"""Terms written down as a document of a contract of version 2: plain values, as JSON has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from event_schemas.times import iso
from event_schemas.values import Money
from pricing.prices import Flat, Graduated, Included, Package, PerUnit, Price, Tier, Volume
from pricing.terms import Commitment, Discount, Item, Licensed, Metered, QuantityFrom, Spanned, Terms, Trial

Fields = dict[str, Any]


def written(terms: Terms, *, customer: str = "golden") -> Fields:
    """The contract that says these terms, agreed at once; a clause without a start has that of the contract."""
    begin = min([terms.billing_anchor, *(item.start for item in terms.items)])

    def dated(key: str, clause: Spanned) -> Fields:
        return {"key": key, "agreed_in": 1, "from": iso(clause.start or begin), **_until(clause)}

    return {
        "schema_version": 2,
        "customer": customer,
        "channel": "self_serve",
        "currency": terms.currency.value,
        "billing_anchor": iso(terms.billing_anchor),
        "revision": 1,
        "history": [_change(begin)],
        "billing": [{"at": iso(begin), "agreed_in": 1, "name": "Golden", "issuer": "settled-us"}],
        "policies": [_policy(terms, begin)],
        "items": [_item(terms, item, dated) for item in terms.items],
        "discounts": [dated(one.key, one) | _discount(one) for one in terms.discounts],
        "commitments": [dated(one.key, one) | _commitment(one) for one in terms.commitments],
        "minimums": [
            {**dated(one.key, one), "meter": one.meter, "amount": _amount(one.amount)} for one in terms.minimums
        ],
        "allowances": [
            {**dated(one.key, one), "meter": one.meter, "quantity": one.quantity} for one in terms.allowances
        ],
        "limits": [{**dated(one.key, one), "meter": one.meter, "quantity": one.quantity} for one in terms.limits],
        "prepaid": [
            {
                **dated(one.key, one),
                "amount": _amount(one.amount),
                **({"items": list(one.items)} if one.items is not None else {}),
            }
            for one in terms.prepaid
        ],
        "free_meters": [{"meter": meter, "agreed_in": 1} for meter in terms.free_meters],
        **({"trial": _trial(terms.trial)} if terms.trial is not None else {}),
        "proration": terms.proration.value,
        "card_step": terms.card_step,
    }


def _change(begin: datetime) -> Fields:
    return {
        "revision": 1,
        "agreed_at": iso(begin),
        "effective_at": iso(begin),
        "actor": "golden",
        "reason": "as the case has it",
        "channel": "self_serve",
    }


def _policy(terms: Terms, begin: datetime) -> Fields:
    """The policy can charge what has one price from the beginning on; of other meters it promises nothing."""
    charges = [item.meter for item in terms.metered if item.start <= begin and item.until is None]
    return {"at": iso(begin), "agreed_in": 1, "policy": {"version": "golden"}, "charges": charges}


def _item(terms: Terms, item: Item, dated: Callable[[str, Spanned], Fields]) -> Fields:
    form = dated(item.key, item) | {
        "product": item.key.replace("-", "_"),
        "currency": terms.currency.value,
        "price": _price(item.price),
        "price_version": item.price_version or "golden",
    }
    if isinstance(item, Metered):
        return form | {"kind": "metered", "meter": item.meter}
    return form | _licensed(item)


def _licensed(item: Licensed) -> Fields:
    anchor = {"term_anchor": iso(item.term_anchor)} if item.term_anchor is not None else {}
    return {"kind": "licensed", "rhythm": item.rhythm.value, "quantities": _timeline(item.quantities), **anchor}


def _price(price: Price) -> Fields:
    match price:
        case PerUnit():
            return {"scheme": "per_unit", "unit_price": f"{price.unit_price:f}"}
        case Graduated():
            return {"scheme": "graduated", "tiers": [_tier(tier) for tier in price.tiers]}
        case Volume():
            return {"scheme": "volume", "tiers": [_tier(tier) for tier in price.tiers]}
        case Package():
            pack = {"size": price.size, "pack_price": f"{price.pack_price:f}", "free": price.free}
            return {"scheme": "package", **pack}
        case Flat():
            return {"scheme": "flat", "amount": f"{price.amount:f}"}
        case Included():
            return {"scheme": "included"}


def _tier(tier: Tier) -> Fields:
    fields = {"unit_price": f"{tier.unit_price:f}", "flat_fee": f"{tier.flat_fee:f}"}
    return fields if tier.up_to is None else {"up_to": tier.up_to, **fields}


def _timeline(timeline: Iterable[QuantityFrom]) -> list[Fields]:
    return [{"at": iso(entry.at), "quantity": entry.quantity, "agreed_in": 1} for entry in timeline]


def _discount(one: Discount) -> Fields:
    fields: Fields = {"scope": one.scope.value}
    if one.item is not None:
        fields["item"] = one.item
    if one.percent is not None:
        fields["percent"] = f"{one.percent:f}"
    if one.amount is not None:
        fields["amount"] = _amount(one.amount)
    if one.invoices is not None:
        fields["invoices"] = one.invoices
    return fields


def _commitment(one: Commitment) -> Fields:
    return {
        "meter": one.meter,
        "unit_price": f"{one.unit_price:f}",
        "currency": one.currency.value,
        "bill": one.bill.value,
        "ramp": _timeline(one.ramp),
        "price_version": one.price_version or "golden",
    }


def _trial(trial: Trial) -> Fields:
    allowances = [{"key": one.key, "meter": one.meter, "quantity": one.quantity} for one in trial.allowances]
    return {"from": iso(trial.start), "until": iso(trial.until), "allowances": allowances}


def _until(clause: Spanned) -> Fields:
    return {"until": iso(clause.until)} if clause.until is not None else {}


def _amount(amount: Money) -> Fields:
    return {"minor": amount.minor, "currency": amount.currency.value}
