"""Asks the broker where logs end now: for `/quiet`, for equations, for ticks."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Collection, Mapping
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError

from chassis.broker import Broker
from chassis.broker_access import connect
from chassis.errors import WrongSetting


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
        self._connecting = asyncio.Lock()

    async def start(self) -> None:
        """Connect. Raises KafkaError where no broker answers, WrongSetting where it refuses us."""
        await self._connected()

    async def stop(self) -> None:
        """Disconnect; a connection that is being made is waited for."""
        async with self._connecting:
            client = self._client
        await self._discard(client)

    async def of(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """
        The offset behind the last record of each partition; after a failure it connects anew.

        Raises:
            KafkaError: the broker is away, or lets us in no more, such as while its users are made anew.
        """
        if not partitions:
            return {}
        client: AIOKafkaConsumer | None = None
        try:
            async with asyncio.timeout(self._within_s):
                client = await self._connected()
                return dict(await client.end_offsets(partitions))
        except (KafkaError, OSError, WrongSetting) as error:  # a time-out is an OSError
            await self._discard(client)
            raise KafkaConnectionError("the broker does not say where its logs end") from error

    async def unread(self, *readers: Reader) -> dict[str, int]:
        """Offsets not handled yet by topic, asked of the broker now; 1 of a reader that does not read yet."""
        places = [list(reader.reached) for reader in readers]
        ends = await self.of(list(itertools.chain(*places)))
        return {reader.topic: _left(reader.reached, asked, ends) for reader, asked in zip(readers, places, strict=True)}

    async def _connected(self) -> AIOKafkaConsumer:
        async with self._connecting:
            if self._client is None:
                client = AIOKafkaConsumer(**self._broker.aiokafka(), enable_auto_commit=False)
                await connect(client, self._broker)
                self._client = client
            return self._client

    async def _discard(self, client: AIOKafkaConsumer | None) -> None:
        """Others may have failed on it too, and be connected anew by now."""
        if self._client is client and client is not None:
            self._client = None
            await client.stop()


def _left(
    reached: Mapping[TopicPartition, int], asked: Collection[TopicPartition], ends: Mapping[TopicPartition, int]
) -> int:
    """What a reader has not handled; 1 where it did not read when the broker was asked, or does not any more."""
    if not asked or not reached:
        return 1
    return sum(max(0, ends[place] - reached[place]) for place in asked)
