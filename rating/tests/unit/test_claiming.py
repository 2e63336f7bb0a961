"""A new owner decides by no older contracts than the owner before it."""

from __future__ import annotations

import asyncio
from typing import Any

from chassis.health import Health
from usage_rating.consumer import Worker
from usage_rating.contract_book import ContractBook
from usage_rating.log_ends import Ends
from usage_rating.settings import Settings
from usage_rating.store.partitions import PartitionRow


class SetEnds:
    """Ends as the test has set them."""

    def __init__(self, contracts: int) -> None:
        self.contracts = contracts

    async def ask(self) -> Ends:
        return Ends({}, self.contracts)


class NothingKept:
    """The keeper of an installation whose contracts this process knows all."""

    async def load(self) -> None:
        return


def a_worker(book: ContractBook, ends: SetEnds) -> Worker:
    unused: Any = None
    settings = Settings(database_url="postgresql://nowhere", kafka_bootstrap_servers="nowhere")  # type: ignore[arg-type]
    return Worker(
        settings,
        store=unused,
        book=book,
        keeper=NothingKept(),  # type: ignore[arg-type]
        ends=ends,  # type: ignore[arg-type]
        publisher=unused,
        producer=unused,
        clock=unused,
        health=Health(),
    )


def a_row(contracts_applied: int) -> dict[int, PartitionRow]:
    return {0: PartitionRow(0, "topic", 1, 0, 1, 0, 0, 0, contracts_applied)}


async def test_waits_until_it_knows_the_contracts_that_were_applied() -> None:
    book = ContractBook()
    waiting = asyncio.create_task(a_worker(book, SetEnds(12))._read_contracts_of(a_row(10)))

    await asyncio.sleep(0.05)
    assert not waiting.done()
    book.position = 10

    await asyncio.wait_for(waiting, 5)


async def test_does_not_wait_for_contracts_of_a_topic_that_was_made_anew() -> None:
    book = ContractBook()
    book.position = 3

    await asyncio.wait_for(a_worker(book, SetEnds(3))._read_contracts_of(a_row(10)), 5)
