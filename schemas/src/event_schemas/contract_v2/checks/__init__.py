"""What a contract says that cannot be meant: each check tells a code, a field and a sentence."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from event_schemas.contract_v2.checks.clauses import clauses
from event_schemas.contract_v2.checks.discounts import discounts
from event_schemas.contract_v2.checks.frame import frame
from event_schemas.contract_v2.checks.items import items
from event_schemas.contract_v2.checks.meters import meters
from event_schemas.contract_v2.checks.revisions import ends, revisions
from event_schemas.contract_v2.flaws import Flaw

if TYPE_CHECKING:
    from event_schemas.contract_v2.contract import ContractV2


def contradictions(contract: ContractV2) -> tuple[Flaw, ...]:
    """All that contradicts itself, in the order of the fields; empty when the contract can be billed."""
    checks = (frame, revisions, ends, items, meters, discounts, clauses)
    return tuple(chain.from_iterable(check(contract) for check in checks))
