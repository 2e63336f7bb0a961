"""
Takes contracts from the topic: kept in the database first, then decided by.

    a revision's first content stored ─ contract-kept ─ in force in this process

So no decision rests on a contract that is not kept, and whoever owns a partition later knows by which contracts it was
decided, though the topic forgets a revision once a later one is there. A record that says something else under a
revision that is known opens a case and is never decided by.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from chassis.clock import Clock
from chassis.pacing import backoff_s
from chassis.store import AWAY, raise_if_ours
from event_schemas.contract_content import differing_fields
from event_schemas.contract_v2 import AnyContract
from event_schemas.events.contract_v2 import AnyContractEvent
from usage_rating.changes import CaseFound
from usage_rating.contract_book import ContractBook
from usage_rating.failpoints import failpoints
from usage_rating.store.contracts import ContractStore

log = logging.getLogger(__name__)


class ContractKeeper:
    """The only writer of the book; one for each process."""

    def __init__(self, book: ContractBook, store: ContractStore, clock: Clock) -> None:
        self._book = book
        self._store = store
        self._clock = clock
        self._loaded: int | None = None

    async def load(self) -> None:
        """Know what is kept, by whomever; needed before the first record, and when partitions change their owner."""
        kept, self._loaded = await self._store.kept_since(self._loaded or 0)
        for contract, offset in kept:
            self._book.put(contract, offset=offset)

    async def take(self, record: ConsumerRecord) -> None:
        """Take the next record of the topic. One that is no contract leaves the customer's earlier one in force."""
        if self._loaded is None:
            await _until_it_answers(self.load)
        try:
            contract = AnyContractEvent.model_validate_json(record.value or b"").data
        except ValidationError as error:
            self._book.unusable += 1
            log.error("a contract is unusable", extra={"offset": record.offset, "flaws": error.error_count()})
        else:
            await _until_it_answers(lambda: self._keep(contract, record.offset))
        self._book.position = record.offset + 1

    async def _keep(self, contract: AnyContract, offset: int) -> None:
        if self._book.verdict(contract) == "new":
            kept, kept_at = await self._store.keep_first(contract, offset=offset, now=self._clock.now())
            failpoints.reach("contract-kept")
            self._book.put(kept, offset=kept_at)
        if self._book.verdict(contract) == "conflicting":
            await self._say_conflict(contract)

    async def _say_conflict(self, contract: AnyContract) -> None:
        known = self._book.contract(contract.customer)
        assert known is not None
        fields = ", ".join(differing_fields(known, contract))
        log.error(
            "a contract says something else under a known revision",
            extra={"customer": contract.customer, "revision": contract.revision, "fields": fields},
        )
        sentence = (
            f"revision {contract.revision} came again and says something else in {fields}; the first content stays in "
            f"force: publish what is meant as revision {contract.revision + 1}"
        )
        case = CaseFound("contract_conflict", contract.customer, "contract", f"revision {contract.revision}", sentence)
        await self._store.open_case(case, now=self._clock.now())


async def _until_it_answers(act: Callable[[], Awaitable[None]]) -> None:
    """The topic is read on only when the database has taken the record; while it is away this waits."""
    failures = 0
    while True:
        try:
            await act()
            return
        except AWAY as error:
            raise_if_ours(error)
            failures += 1
            log.warning("a contract waits for the database", extra={"error": type(error).__name__})
            await asyncio.sleep(backoff_s(failures, base_s=0.1, cap_s=3.0))
