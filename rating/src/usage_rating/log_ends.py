"""Asks the broker where `events.accepted` ends, for the equations and for `/quiet`."""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer, TopicPartition

from event_schemas.topics import EVENTS_ACCEPTED


class LogEnds:
    """A consumer that reads nothing and belongs to no group."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._consumer: AIOKafkaConsumer | None = None
        self._partitions: list[TopicPartition] = []

    async def start(self, partitions: int) -> None:
        """Connect. Raises KafkaError when no broker answers."""
        self._consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False)
        await self._consumer.start()
        self._partitions = [TopicPartition(EVENTS_ACCEPTED.name, number) for number in range(partitions)]

    async def stop(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            await self._consumer.stop()

    async def ends(self) -> dict[int, int]:
        """The offset behind the last record of every partition, asked now. Raises KafkaError when no broker answers."""
        assert self._consumer is not None
        ends = await self._consumer.end_offsets(self._partitions)
        return {each.partition: end for each, end in ends.items()}
