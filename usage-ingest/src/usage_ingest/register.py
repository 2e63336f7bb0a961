"""The customer register: a set in memory on the hot path, a table behind it, fed by contracts and by operators."""

from __future__ import annotations

import logging
from datetime import timedelta

from aiokafka import ConsumerRecord
from sqlalchemy.ext.asyncio import AsyncEngine

from usage_ingest import metrics
from usage_ingest.domain.flaws import customer_or_none
from usage_ingest.store.customers import customers_since, ensure_customers

log = logging.getLogger(__name__)

# Registered elsewhere within this time: longer than any transaction that registers takes to commit.
_RECENT = timedelta(minutes=2)


class CustomerRegister:
    """
    Customers that events may name. A customer is never taken out: one without a contract is rating's business, and a
    dropped customer's late events must not be lost.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.known: set[str] = set()

    async def load(self) -> None:
        """Take over all customers of the table."""
        self._add(await customers_since(self._engine, None))

    async def refresh(self) -> None:
        """Take over those that another process has registered a moment ago."""
        self._add(await customers_since(self._engine, _RECENT))

    async def register(self, customers: list[str]) -> list[str]:
        """Register by an operator's word; answers those that were new. Safe to repeat."""
        new = await ensure_customers(self._engine, customers, origin="operator")
        self._add(customers)
        return new

    async def take_contract(self, record: ConsumerRecord) -> None:
        """Register the customer of a record on `contracts`: its key. Safe to repeat; a tombstone registers too."""
        customer = customer_or_none(record.key.decode("ascii", "replace") if record.key else None)
        if customer is None:
            metrics.ODD_CONTRACT_KEYS.inc()
            log.error("a contract's key is no customer id", extra={"offset": record.offset})
            return
        if customer not in self.known:
            await ensure_customers(self._engine, [customer], origin="contract")
            self._add([customer])

    def _add(self, customers: list[str]) -> None:
        self.known.update(customers)
        metrics.CUSTOMERS.set(len(self.known))
