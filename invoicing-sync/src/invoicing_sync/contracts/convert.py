"""Between the contract on the bus and the terms that the rules of this service work with."""

from __future__ import annotations

from decimal import Decimal

from event_schemas.contracts import Contract, MeteredPrice, PerUnitPrice
from invoicing_sync.contracts.domain.terms import LicensedTerm, MeteredTerm, Terms, Tier


def terms_of(contract: Contract) -> Terms:
    """What a contract says about money."""
    return Terms(
        currency=contract.currency,
        billing_anchor=contract.billing_anchor,
        metered=tuple(_metered(price) for price in contract.metered),
        licensed=tuple(LicensedTerm(i.item, i.quantity, Decimal(i.unit_price)) for i in contract.licensed),
        free=contract.free_meters,
    )


def _metered(priced: MeteredPrice) -> MeteredTerm:
    price = priced.price
    if isinstance(price, PerUnitPrice):
        return MeteredTerm(priced.meter, "per_unit", (Tier(None, Decimal(price.unit_price)),))
    tiers = tuple(Tier(tier.up_to, Decimal(tier.unit_price)) for tier in price.tiers)
    return MeteredTerm(priced.meter, "graduated", tiers)
