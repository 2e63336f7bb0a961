"""A contract of version 1 as one of version 2 that means the same."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from event_schemas.contract_v2.contract import ContractV2
from event_schemas.contracts import Contract, LicensedPrice, MeteredPrice

ACTOR = "contract-version-1"


def from_version_1(contract: Contract, *, agreed_at: datetime) -> ContractV2:
    """
    The same agreement in version 2, as one revision with the number that it has.

    Version 1 has no dates but those of its policies: its prices hold from its first policy or its anchor on, whichever
    is earlier, its seats from the anchor. `agreed_at` is when it was published, which only its event says.
    """
    revision = contract.revision
    begin = min(contract.timeline[0].effective_from, contract.billing_anchor)
    licensed = {item.item for item in contract.licensed}
    return ContractV2.model_validate(
        {
            "schema_version": 2,
            "customer": contract.customer,
            "channel": contract.channel,
            "currency": contract.currency,
            "billing_anchor": contract.billing_anchor,
            "revision": revision,
            "history": [
                {
                    "revision": revision,
                    "agreed_at": agreed_at,
                    "effective_at": begin,
                    "actor": ACTOR,
                    "reason": "agreed as a contract of version 1",
                    "channel": contract.channel,
                }
            ],
            "billing": [
                {
                    "at": begin,
                    "agreed_in": revision,
                    "name": contract.name,
                    "issuer": contract.issuer,
                    "collection_method": contract.collection_method,
                    "billing_email": contract.billing_email,
                    "stripe_customer": contract.stripe_customer,
                }
            ],
            "policies": [
                {"at": entry.effective_from, "agreed_in": revision, "policy": entry.policy, "charges": []}
                for entry in contract.timeline
            ],
            "items": [
                *(_licensed(contract, item) for item in contract.licensed),
                *(_metered(contract, item, begin, taken=licensed) for item in contract.metered),
            ],
            "free_meters": [{"meter": meter, "agreed_in": revision} for meter in dict.fromkeys(contract.free_meters)],
        }
    )


def _licensed(contract: Contract, item: LicensedPrice) -> dict[str, Any]:
    start = contract.billing_anchor
    return {
        "kind": "licensed",
        "key": item.item,
        "product": item.item,
        "from": start,
        "price": {"scheme": "per_unit", "unit_price": item.unit_price},
        "quantities": [{"at": start, "quantity": item.quantity, "agreed_in": contract.revision}],
        **_common(contract),
    }


def _metered(contract: Contract, item: MeteredPrice, begin: datetime, *, taken: set[str]) -> dict[str, Any]:
    return {
        "kind": "metered",
        "key": f"{item.meter[:44]}-usage" if item.meter in taken else item.meter,  # one name for a seat and a meter
        "product": item.meter,
        "meter": item.meter,
        "from": begin,
        "price": item.price.model_dump(),
        **_common(contract),
    }


def _common(contract: Contract) -> dict[str, Any]:
    return {
        "currency": contract.currency,
        "price_version": f"version-1/{contract.revision}",
        "agreed_in": contract.revision,
    }
