"""Contract, version 2: what may stand in it, what it says at an instant, how a document of any version is read."""

from event_schemas.contract_v2.contract import Change, ContractV2, PolicyEntry
from event_schemas.contract_v2.flaws import ContractRefused, Contradicts, Flaw
from event_schemas.contract_v2.from_v1 import from_version_1
from event_schemas.contract_v2.reading import AnyContract, read_contract, stored
from event_schemas.contract_v2.state import (
    as_of,
    billing_at,
    items_at,
    plan_at,
    price_of_meter_at,
    quantity_at,
    revision_at,
    rewritten,
    seats_at,
)

__all__ = [
    "AnyContract",
    "Change",
    "ContractRefused",
    "ContractV2",
    "Contradicts",
    "Flaw",
    "PolicyEntry",
    "as_of",
    "billing_at",
    "from_version_1",
    "items_at",
    "plan_at",
    "price_of_meter_at",
    "quantity_at",
    "read_contract",
    "revision_at",
    "rewritten",
    "seats_at",
    "stored",
]
