"""Asks the broker where logs end now: for `/quiet`, for equations, for ticks."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError

from chassis.broker import Broker
from chassis.broker_access import connect


class Reader(Protocol):
    """Whoever reads a topic: `reached` is the offset behind the last record handled, empty while it does not read."""

    @property
    def topic(self) -> str: ...

    @property
    def reached(self) -> Mapping[TopicPartition, int]: ...


class LogEnds:
    """
    A client that reads nothing and belongs to no group, connected when it is first asked.

    A broker answers the requests of one connection in their order: asked on a reader's own connection, the question
    would wait until the reader's fetch is answered, which takes a tenth of a second while nothing comes.

    Args:
        within_s: whoever asks would rather hear that the broker is away than wait for the client's 40 s.
    """

    def __init__(self, broker: Broker | str, *, within_s: float = 5.0) -> None:
        self._broker = Broker.of(broker)
        self._within_s = within_s
        self._client: AIOKafkaConsumer | None = None
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """Connect. Raises as `of`."""
        async with self._turn:
            await self._connected()

    async def stop(self) -> None:
        """Disconnect."""
        async with self._turn:
            await self._disconnect()

    async def of(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """
        The offset behind the last record of each partition; after a failure it connects anew.

        Raises:
            KafkaError, OSError: the broker is away.
            WrongSetting: it refuses us, or we do not trust it.
        """
        if not partitions:
            return {}
        async with self._turn:
            try:
                async with asyncio.timeout(self._within_s):
                    ends = await (await self._connected()).end_offsets(partitions)
            except TimeoutError as error:
                await self._disconnect()
                raise KafkaTimeoutError("the broker does not say where its logs end") from error
            except (KafkaError, OSError):
                await self._disconnect()
                raise
            return dict(ends)

    async def unread(self, *readers: Reader) -> dict[str, int]:
        """Offsets not handled yet by topic, asked of the broker now; 1 of a reader that does not read yet."""
        ends = await self.of([place for reader in readers for place in reader.reached])
        return {
            reader.topic: sum(max(0, ends[place] - offset) for place, offset in reader.reached.items() if place in ends)
            if reader.reached
            else 1
            for reader in readers
        }

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
