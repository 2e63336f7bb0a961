"""
A contract of version 2 as one of version 1, where that loses nothing that a reader bills by.

Version 1 has one price for each meter and one number of seats, from the anchor on and for ever. It says nothing of tax,
payment terms and order numbers, so a contract with any of these cannot be said in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from event_schemas.contract_v2 import ContractV2
from event_schemas.contract_v2.items import LicensedItem, MeteredItem
from event_schemas.contract_v2.parts import in_time, living
from event_schemas.contract_v2.prices import Graduated, PerUnit, Price
from event_schemas.contracts import Contract

_CLAUSES = ("discounts", "commitments", "minimums", "allowances", "limits", "alerts", "prepaid")
_UNSAID = ("payment_terms_days", "purchase_order", "tax_address", "tax_ids", "exemption", "corrections")


def as_version_1(contract: ContractV2) -> Contract | str:
    """The same agreement in version 1, or a sentence on what version 1 cannot say."""
    if (why := next(_obstacles(contract), None)) is not None:
        return why
    billing = in_time(contract.billing)[0]
    items = living(contract.items)
    return Contract.model_validate(
        {
            "customer": contract.customer,
            "name": billing.name,
            "issuer": billing.issuer,
            "channel": contract.channel,
            "currency": contract.currency,
            "billing_anchor": contract.billing_anchor,
            "stripe_customer": billing.stripe_customer,
            "collection_method": billing.collection_method,
            "billing_email": billing.billing_email,
            "revision": contract.revision,
            "timeline": contract.timeline,
            "metered": [
                {"meter": item.meter, "price": _price(item.price)} for item in items if isinstance(item, MeteredItem)
            ],
            "licensed": [
                {
                    "item": item.product,
                    "quantity": in_time(item.quantities)[0].quantity,
                    "unit_price": item.price.unit_price,
                }
                for item in items
                if isinstance(item, LicensedItem) and isinstance(item.price, PerUnit)
            ],
            "free_meters": [free.meter for free in contract.free_meters],
        }
    )


def _price(price: Price) -> object:
    if isinstance(price, Graduated):
        tiers = [{"up_to": tier.up_to, "unit_price": tier.unit_price} for tier in price.tiers]
        return {"scheme": "graduated", "tiers": tiers}
    return price.model_dump()


def _obstacles(contract: ContractV2) -> Iterator[str]:
    """What stands in the way, in the order of the fields."""
    billing = in_time(contract.billing)
    if len(billing) > 1:
        yield "whom to bill changes over time"
    for name in _UNSAID:
        if getattr(billing[0], name) not in (None, ()):
            yield f"it says {name}"
    if contract.trial is not None:
        yield "it has a trial"
    if contract.proration != "second" or contract.card_step != 1:
        yield "it prorates otherwise than to the second, or has a step for cards"
    for name in _CLAUSES:
        if living(getattr(contract, name)):
            yield f"it has {name}"
    begin = min(contract.timeline[0].effective_from, contract.billing_anchor)
    for item in living(contract.items):
        if item.until is not None:
            yield f"{item.key} ends"
        if item.start != (contract.billing_anchor if isinstance(item, LicensedItem) else begin):
            yield f"{item.key} begins later than the contract"
        yield from _item(contract, item)
    products = [item.product for item in living(contract.items) if isinstance(item, LicensedItem)]
    if len(products) != len(set(products)):
        yield "it sells one product twice"


def _item(contract: ContractV2, item: LicensedItem | MeteredItem) -> Iterator[str]:
    if isinstance(item, MeteredItem):
        flat = isinstance(item.price, Graduated) and any(tier.flat_fee != "0" for tier in item.price.tiers)
        if not isinstance(item.price, PerUnit | Graduated) or flat:
            yield f"{item.key} is priced by {item.price.scheme}"
        return
    if item.rhythm != "month":
        yield f"{item.key} is paid by the year"
    if not isinstance(item.price, PerUnit):
        yield f"{item.key} is priced by {item.price.scheme}"
    quantities = in_time(item.quantities)
    if len(quantities) > 1 or quantities[0].at != contract.billing_anchor:
        yield f"the number of {item.key} changes"
