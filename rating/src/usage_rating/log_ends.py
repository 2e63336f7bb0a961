"""Asks the broker where the logs end that rating reads: for ticks, for the equations and for `/quiet`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from chassis.broker import Broker
from chassis.broker_access import connect
from event_schemas.topics import CONTRACTS, EVENTS_ACCEPTED

WAIT_S = 5  # whoever asks would rather hear that the broker is away than wait for the client's 40 s

_CONTRACTS = TopicPartition(CONTRACTS.name, 0)


@dataclass(frozen=True, slots=True)
class Ends:
    """The offsets behind the last records: of `events.accepted` by partition, and of `contracts`."""

    accepted: dict[int, int]
    contracts: int


class LogEnds:
    """A consumer that reads nothing and belongs to no group: its questions never queue behind a waiting fetch."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._consumer: AIOKafkaConsumer | None = None
        self._partitions: list[TopicPartition] = []

    async def start(self, partitions: int) -> None:
        """Connect. Raises KafkaError when no broker answers, WrongSetting when it refuses us."""
        self._consumer = AIOKafkaConsumer(**self._broker.aiokafka(), enable_auto_commit=False)
        await connect(self._consumer, self._broker)
        accepted = [TopicPartition(EVENTS_ACCEPTED.name, number) for number in range(partitions)]
        self._partitions = [_CONTRACTS, *accepted]

    async def stop(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            await self._consumer.stop()

    async def ask(self) -> Ends:
        """The ends as they are now. Raises KafkaError when no broker answers within WAIT_S."""
        assert self._consumer is not None
        try:
            async with asyncio.timeout(WAIT_S):
                ends = await self._consumer.end_offsets(self._partitions)
        except TimeoutError as error:
            raise KafkaTimeoutError("the broker does not say where its logs end") from error
        contracts = ends.pop(_CONTRACTS)
        return Ends({each.partition: end for each, end in ends.items()}, contracts)
