"""Asks the broker where the logs end that rating reads: for ticks, for the equations and for `/quiet`."""

from __future__ import annotations

from dataclasses import dataclass

from aiokafka import TopicPartition

from chassis import log_ends
from chassis.broker import Broker
from event_schemas.topics import CONTRACTS, EVENTS_ACCEPTED

_CONTRACTS = TopicPartition(CONTRACTS.name, 0)


@dataclass(frozen=True, slots=True)
class Ends:
    """The offsets behind the last records: of `events.accepted` by partition, and of `contracts`."""

    accepted: dict[int, int]
    contracts: int


class LogEnds:
    """The ends of the logs that rating reads, asked on a connection of their own."""

    def __init__(self, broker: Broker) -> None:
        self._ends = log_ends.LogEnds(broker)
        self._partitions: list[TopicPartition] = []

    async def start(self, partitions: int) -> None:
        """Connect. Raises KafkaError when no broker answers, WrongSetting when it refuses us."""
        await self._ends.start()
        accepted = [TopicPartition(EVENTS_ACCEPTED.name, number) for number in range(partitions)]
        self._partitions = [_CONTRACTS, *accepted]

    async def stop(self) -> None:
        """Disconnect."""
        await self._ends.stop()

    async def ask(self) -> Ends:
        """The ends as they are now. Raises KafkaError when no broker answers within five seconds."""
        ends = await self._ends.of(self._partitions)
        contracts = ends.pop(_CONTRACTS)
        return Ends({each.partition: end for each, end in ends.items()}, contracts)
