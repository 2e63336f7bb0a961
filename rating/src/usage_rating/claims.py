"""Becoming the owner of partitions, and the checks that the log is the one which the database has read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.topics import TopicIdentity, identify
from event_schemas.topics import EVENTS_ACCEPTED
from usage_rating.failpoints import failpoints
from usage_rating.settings import Settings
from usage_rating.store.hot import HotStore
from usage_rating.store.partitions import PartitionRow


class ForeignTopic(Exception):
    """The log is not the one that the database has read: another topic id, partition count, or other offsets."""


def of_accepted(partition: int) -> TopicPartition:
    """A partition of `events.accepted` as the client names it."""
    return TopicPartition(EVENTS_ACCEPTED.name, partition)


async def identify_topic(settings: Settings) -> TopicIdentity:
    """The topic as the broker knows it. Raises ForeignTopic where its partition count is not the agreed one."""
    topic = await identify(settings.broker, EVENTS_ACCEPTED.name)
    if topic.partitions != settings.event_partitions:
        raise ForeignTopic(
            f"{EVENTS_ACCEPTED.name} has {topic.partitions} partitions, EVENT_PARTITIONS says "
            f"{settings.event_partitions}; the count is fixed when the topic is made"
        )
    return topic


async def claim_partitions(
    partitions: Iterable[int], *, topic_id: str, claimed_at: dict[int, int], store: HotStore, wait_s: float
) -> dict[int, PartitionRow]:
    """
    Raise the epoch of each partition and return its row; see `HotStore.claim`. Safe to repeat.

    Args:
        claimed_at: partition to the epoch at which this process has owned it until now; updated at each claim.

    Raises:
        ForeignTopic: the row belongs to another topic id.
        StaleEpoch: another owner has taken one of them over since `claimed_at`.
    """
    rows = {}
    for number in partitions:
        row = await store.claim(number, topic_id, owned_at=claimed_at.get(number), wait_s=wait_s)
        claimed_at[number] = row.epoch
        failpoints.reach("after-epoch")
        if row.topic_id != topic_id:
            raise ForeignTopic(f"partition {number} was read from topic id {row.topic_id}, the broker has {topic_id}")
        rows[number] = row
    return rows


async def check_log(consumer: AIOKafkaConsumer, rows: Mapping[int, PartitionRow]) -> None:
    """Raises ForeignTopic where a row's `next_offset` lies outside the log."""
    begins = await consumer.beginning_offsets([of_accepted(number) for number in rows])
    ends = await consumer.end_offsets([of_accepted(number) for number in rows])
    for number, row in rows.items():
        begin, end = begins[of_accepted(number)], ends[of_accepted(number)]
        if not begin <= row.next_offset <= end:
            raise ForeignTopic(
                f"partition {number}: offset {row.next_offset} is outside the log, which goes from {begin} to {end}"
            )
