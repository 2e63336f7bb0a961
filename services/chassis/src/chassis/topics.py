"""Makes the topics of the bus and tells who they are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from chassis.broker import Broker
from chassis.broker_access import must_be_let_in
from event_schemas.topics import TOPICS, Topic

_LONGEST = str(2**63 - 1)


@dataclass(frozen=True, slots=True)
class TopicIdentity:
    """A topic as the broker knows it: made anew under the same name it has another id."""

    topic_id: str
    partitions: int


def _new_topic(topic: Topic, *, partitions: int, replication: int) -> NewTopic:
    config = {
        "retention.ms": "-1",
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "min.insync.replicas": str(min(2, replication)),
        "message.timestamp.after.max.ms": _LONGEST,  # business time may run ahead of the broker's
    }
    return NewTopic(topic.name, topic.partitions or partitions, replication, config=config)


def _ensure(broker: Broker, partitions: int, replication: int, topics: Iterable[Topic]) -> None:
    admin = AdminClient({**broker.confluent(), "socket.timeout.ms": 10_000})
    wanted = [_new_topic(topic, partitions=partitions, replication=replication) for topic in topics]
    for future in admin.create_topics(wanted, operation_timeout=20).values():
        try:
            future.result(timeout=30)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise


async def ensure_topics(
    broker: Broker | str, *, partitions: int, replication: int = 1, topics: Iterable[Topic] = tuple(TOPICS.values())
) -> None:
    """Make the topics that are missing; safe to repeat. An existing topic is left as it is. Raises as `identify`."""
    broker = Broker.of(broker)
    await must_be_let_in(broker)
    await asyncio.to_thread(_ensure, broker, partitions, replication, tuple(topics))


def _identify(broker: Broker, name: str) -> TopicIdentity:
    admin = AdminClient({**broker.confluent(), "socket.timeout.ms": 10_000})
    description = admin.describe_topics(TopicCollection([name]))[name].result(timeout=30)
    return TopicIdentity(str(description.topic_id), len(description.partitions))


async def identify(broker: Broker | str, name: str) -> TopicIdentity:
    """
    Id and partition count of a topic.

    Raises:
        KafkaException: there is no such topic.
        WrongSetting: the broker refuses us, or we do not trust it.
    """
    broker = Broker.of(broker)
    await must_be_let_in(broker)
    return await asyncio.to_thread(_identify, broker, name)
