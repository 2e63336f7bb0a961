"""Topics are made once, as their contracts say, and known by an identity that a new one of the same name lacks."""

from __future__ import annotations

import asyncio

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from chassis.topics import ensure_topics, identify
from event_schemas.topics import CONTRACTS, EVENTS_ACCEPTED, TOPICS, Topic

pytestmark = pytest.mark.integration


async def test_all_topics_of_the_bus_are_made_and_a_repeat_changes_nothing(bootstrap: str) -> None:
    await ensure_topics(bootstrap, partitions=3)
    first = {name: await identify(bootstrap, name) for name in TOPICS}

    await asyncio.gather(*(ensure_topics(bootstrap, partitions=5) for _ in range(3)))

    assert {name: await identify(bootstrap, name) for name in TOPICS} == first
    assert first[EVENTS_ACCEPTED.name].partitions == 3
    assert first[CONTRACTS.name].partitions == 1


async def test_nothing_is_ever_deleted_by_age_and_contracts_are_compacted(bootstrap: str) -> None:
    await ensure_topics(bootstrap, partitions=3)

    accepted = await asyncio.to_thread(_config, bootstrap, EVENTS_ACCEPTED.name)
    contracts = await asyncio.to_thread(_config, bootstrap, CONTRACTS.name)

    assert (accepted["retention.ms"], accepted["cleanup.policy"]) == ("-1", "delete")
    assert (contracts["retention.ms"], contracts["cleanup.policy"]) == ("-1", "compact")


def _config(bootstrap: str, name: str) -> dict[str, str]:
    resource = ConfigResource(ResourceType.TOPIC, name)
    admin = AdminClient({"bootstrap.servers": bootstrap})  # must live until the answer is there
    found = admin.describe_configs([resource])[resource].result(timeout=30)
    return {key: entry.value for key, entry in found.items()}


async def test_a_topic_made_anew_under_the_same_name_has_another_identity(bootstrap: str, topic: Topic) -> None:
    before = await identify(bootstrap, topic.name)
    admin = AdminClient({"bootstrap.servers": bootstrap})
    await asyncio.to_thread(admin.delete_topics([topic.name])[topic.name].result, 30)
    while True:
        await ensure_topics(bootstrap, partitions=2, topics=[topic])
        try:
            after = await identify(bootstrap, topic.name)
        except KafkaException:  # deleting goes on behind the answer
            continue
        if after != before:
            break

    assert (before.partitions, after.partitions) == (2, 2)
    assert after.topic_id != before.topic_id
