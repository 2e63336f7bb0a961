"""The newest contract of every customer, in memory, as topic `contracts` tells it."""

from __future__ import annotations

import logging

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from event_schemas.contracts import Contract
from event_schemas.events.contract_v1 import ContractEvent
from usage_rating.contracts import from_contract
from usage_rating.domain.policy import ContractTimeline

log = logging.getLogger(__name__)


class ContractBook:
    """
    Contracts by customer: the highest revision counts, and of equal revisions the one written last.

    `position` is the offset behind the last record taken; what it changed is found again by `changed_since`, so that
    a partition which remembers up to where it has acted misses nothing, whoever owned it in between.
    """

    def __init__(self) -> None:
        self.position = 0
        self.unusable = 0
        self._contracts: dict[str, Contract] = {}
        self._timelines: dict[str, ContractTimeline] = {}
        self._changed_at: dict[str, int] = {}

    async def take(self, record: ConsumerRecord) -> None:
        """Take the next record of the topic. One that is no contract leaves the customer's earlier one in force."""
        try:
            contract = ContractEvent.model_validate_json(record.value or b"").data
        except ValidationError as error:
            self.unusable += 1
            log.error("a contract is unusable", extra={"offset": record.offset, "flaws": error.error_count()})
        else:
            self._put(contract, record.offset)
        self.position = record.offset + 1

    def _put(self, contract: Contract, offset: int) -> None:
        present = self._contracts.get(contract.customer)
        if present is not None and contract.revision < present.revision:
            return
        self._contracts[contract.customer] = contract
        timeline = from_contract(contract)
        if timeline != self._timelines.get(contract.customer):
            self._timelines[contract.customer] = timeline
            self._changed_at[contract.customer] = offset

    def timeline(self, customer: str) -> ContractTimeline | None:
        """The policies of a customer; None where there is no contract."""
        return self._timelines.get(customer)

    def contract(self, customer: str) -> Contract | None:
        """The whole contract of a customer; None where there is none."""
        return self._contracts.get(customer)

    def changed_since(self, offset: int) -> list[str]:
        """Customers whose policies were changed by a record at or behind this offset, sorted."""
        return sorted(customer for customer, changed_at in self._changed_at.items() if changed_at >= offset)
