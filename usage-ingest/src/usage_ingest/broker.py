"""What the broker knows of `events.accepted`: how many records it holds; and waiting for confirmations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from chassis.broker import Broker
from chassis.broker_access import connect
from chassis.errors import TryLater, WrongSetting


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

    def __init__(self, broker: Broker, topic: str, *, partitions: int, within_s: float = 3.0) -> None:
        self._broker = broker
        self._partitions = [TopicPartition(topic, number) for number in range(partitions)]
        self._within_s = within_s
        self._client: AIOKafkaConsumer | None = None
        self._turn = asyncio.Lock()

    async def records(self) -> int:
        """How many records were ever appended. Raises TryLater while the broker is away."""
        async with self._turn:
            try:
                async with asyncio.timeout(self._within_s):
                    client = await self._connected()
                    ends = await client.end_offsets(self._partitions)
            except (KafkaError, OSError, TimeoutError, WrongSetting) as error:
                await self._disconnect()
                raise TryLater(f"the broker is away: {type(error).__name__}", after_s=1.0) from error
            return sum(ends.values())

    async def stop(self) -> None:
        """Disconnect."""
        async with self._turn:
            await self._disconnect()

    async def _connected(self) -> AIOKafkaConsumer:
        if self._client is None:
            client = AIOKafkaConsumer(**self._broker.aiokafka(), enable_auto_commit=False)
            await connect(client, self._broker)
            self._client = client
        return self._client

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.stop()
