"""What the broker knows of `events.accepted`: how many records it holds; and waiting for confirmations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from chassis.errors import TryLater
from chassis.log_ends import LogEnds


async def all_done(futures: Collection[asyncio.Future[None]], *, after_each: Callable[[], None]) -> None:
    """
    Return when every future is done, well or not. None is cancelled when the caller is: others wait for it too.

    `after_each` runs as each of several gets done, except the last.
    """
    left = sum(not future.done() for future in futures)
    if not left:
        return
    all_are = asyncio.get_running_loop().create_future()

    def one_is(_: asyncio.Future[None]) -> None:
        nonlocal left
        left -= 1
        if left:
            after_each()
        elif not all_are.done():
            all_are.set_result(None)

    for future in futures:
        if not future.done():
            future.add_done_callback(one_is)
    await all_are


class Log:
    """A topic's log as the broker tells it now."""

    def __init__(self, ends: LogEnds, topic: str, *, partitions: int) -> None:
        self._ends = ends
        self._partitions = [TopicPartition(topic, number) for number in range(partitions)]

    async def records(self) -> int:
        """How many records were ever appended. Raises TryLater while the broker is away."""
        try:
            return sum((await self._ends.of(self._partitions)).values())
        except KafkaError as error:
            raise TryLater(f"the broker is away: {type(error).__name__}", after_s=1.0) from error
