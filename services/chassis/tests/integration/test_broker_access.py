"""Every Kafka client of ours against a real broker: in by TLS and SCRAM, refused in a sentence by anything else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord
from pydantic import SecretStr

from chassis.broker import Broker, Login
from chassis.broker_access import must_be_let_in
from chassis.bus import BatchProducer, TopicReader, confirmed
from chassis.errors import WrongSetting
from chassis.settings import KafkaSettings
from chassis.testing import stored, until
from chassis.tls import Trust
from chassis.topics import ensure_topics, identify
from embedded_stack.authority import Authority
from embedded_stack.secured_kafka import Listener, SecuredKafka
from event_schemas.topics import Topic

pytestmark = pytest.mark.integration

PASSWORD, WRONG = "correct-horse-battery", "wrong-horse-battery"
_numbers = count(1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def kafka(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    made = SecuredKafka(tmp_path_factory.mktemp("kafka"), authority, user="door", password=PASSWORD)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def settings(kafka: SecuredKafka, listener: Listener, authority: Authority | None, **others: str) -> KafkaSettings:
    given = {"kafka_bootstrap_servers": kafka.servers(listener)} | others
    if authority is not None:
        given["kafka_ca_file"] = str(authority.file)
    return KafkaSettings(**given)  # type: ignore[arg-type]


def scram(kafka: SecuredKafka, authority: Authority, *, password: str = PASSWORD) -> Broker:
    return settings(
        kafka,
        "SCRAM_TLS",
        authority,
        kafka_security_protocol="SASL_SSL",
        kafka_username="door",
        kafka_password=password,
    ).broker


async def carries_records(broker: Broker) -> bool:
    """Make a topic, write by our producer, read by our reader and by a consumer."""
    topic = Topic(f"access.{next(_numbers)}", "key", "chassis", ("chassis",), ("chassis",), partitions=1)
    await ensure_topics(broker, partitions=1, topics=[topic])
    assert (await identify(broker, topic.name)).partitions == 1
    producer = BatchProducer(broker)
    await producer.start()
    await producer.partitions_for(topic.name)
    await confirmed([producer.append(topic.name, 0, b"key", b"value")])
    await producer.stop()
    return [record.value for record in await stored(broker, topic.name, 0)] == [b"value"]


async def test_tls_and_scram_carry_records_for_every_client(kafka: SecuredKafka, authority: Authority) -> None:
    assert await carries_records(scram(kafka, authority))


async def test_tls_alone_does_where_the_broker_asks_nobody(kafka: SecuredKafka, authority: Authority) -> None:
    assert await carries_records(settings(kafka, "TLS", authority, kafka_security_protocol="SSL").broker)


async def test_scram_alone_does_on_a_network_of_ones_own(kafka: SecuredKafka) -> None:
    own = {"kafka_security_protocol": "SASL_PLAINTEXT", "kafka_username": "door", "kafka_password": PASSWORD}

    assert await carries_records(settings(kafka, "SCRAM", None, **own).broker)


async def test_a_client_certificate_opens_a_broker_that_asks_for_one(kafka: SecuredKafka, authority: Authority) -> None:
    shown = authority.issue("client")
    files = {"kafka_cert_file": str(shown.certificate), "kafka_key_file": str(shown.key)}

    assert await carries_records(settings(kafka, "MUTUAL", authority, kafka_security_protocol="SSL", **files).broker)


async def test_a_whole_topic_is_read_by_scram(kafka: SecuredKafka, authority: Authority) -> None:
    broker, seen = scram(kafka, authority), list[bytes]()
    topic = Topic(f"access.{next(_numbers)}", "key", "chassis", ("chassis",), ("chassis",), partitions=1)
    await ensure_topics(broker, partitions=1, topics=[topic])
    producer = BatchProducer(broker)
    await producer.start()
    await producer.send(topic.name, 0, b"key", b"value")
    await producer.stop()

    async def take(record: ConsumerRecord) -> None:
        seen.append(record.value)

    reading = asyncio.create_task(TopicReader(broker, topic.name, take).run())
    await until(lambda: seen == [b"value"])
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)


async def test_a_wrong_password_is_refused(kafka: SecuredKafka, authority: Authority) -> None:
    with pytest.raises(WrongSetting) as refused:
        await must_be_let_in(scram(kafka, authority, password=WRONG))

    assert str(refused.value) == (
        f"the broker at {kafka.servers('SCRAM_TLS')} refuses user door: look at KAFKA_USERNAME and KAFKA_PASSWORD"
    )


async def test_an_authority_that_did_not_sign_is_refused(
    kafka: SecuredKafka, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path)

    with pytest.raises(WrongSetting) as refused:
        await must_be_let_in(scram(kafka, stranger))

    assert str(refused.value) == (
        f"the certificate of the broker at {kafka.servers('SCRAM_TLS')} is signed by none of the authorities in "
        f"KAFKA_CA_FILE ({stranger.file})"
    )


async def test_without_a_ca_file_the_machines_authorities_decide(kafka: SecuredKafka) -> None:
    with pytest.raises(WrongSetting, match=r"signed by no authority that this machine trusts: .* in KAFKA_CA_FILE\Z"):
        await must_be_let_in(settings(kafka, "TLS", None, kafka_security_protocol="SSL").broker)


async def test_a_certificate_made_out_to_another_name_is_refused(kafka: SecuredKafka, authority: Authority) -> None:
    by_address = replace(scram(kafka, authority), servers=kafka.servers("SCRAM_TLS", host="127.0.0.1"))

    with pytest.raises(WrongSetting, match="made out to another name: KAFKA_BOOTSTRAP_SERVERS must use a name that"):
        await must_be_let_in(by_address)


async def test_an_expired_certificate_is_refused(kafka: SecuredKafka, authority: Authority) -> None:
    with pytest.raises(WrongSetting, match="has expired: it must be renewed there"):
        await must_be_let_in(settings(kafka, "EXPIRED", authority, kafka_security_protocol="SSL").broker)


async def test_plain_text_is_refused_by_a_broker_that_takes_tls_only(kafka: SecuredKafka) -> None:
    with pytest.raises(WrongSetting, match="takes TLS only: KAFKA_SECURITY_PROTOCOL must be SSL or SASL_SSL, not PLAI"):
        await must_be_let_in(Broker(kafka.servers("SCRAM_TLS")))


async def test_a_broker_in_plain_text_is_refused_where_tls_is_set(kafka: SecuredKafka, authority: Authority) -> None:
    plain = replace(scram(kafka, authority), servers=kafka.servers("PLAIN"))

    with pytest.raises(WrongSetting, match="speaks plain text: KAFKA_SECURITY_PROTOCOL is SASL_SSL, so nothing was"):
        await must_be_let_in(plain)


async def test_a_client_without_a_certificate_is_refused_where_one_is_asked_for(
    kafka: SecuredKafka, authority: Authority
) -> None:
    with pytest.raises(WrongSetting, match="look at KAFKA_CERT_FILE and KAFKA_KEY_FILE if it asks for a client certif"):
        await must_be_let_in(settings(kafka, "MUTUAL", authority, kafka_security_protocol="SSL").broker)


@pytest.mark.parametrize(("listener", "wanted"), [("SCRAM", "SASL_PLAINTEXT"), ("SCRAM_TLS", "SASL_SSL")])
async def test_nobody_is_refused_where_the_broker_asks_who_it_is(
    kafka: SecuredKafka, authority: Authority, listener: Listener, wanted: str
) -> None:
    trust = Trust(ca_file=str(authority.file)) if listener == "SCRAM_TLS" else None

    with pytest.raises(WrongSetting, match=f"wants to know who we are: KAFKA_SECURITY_PROTOCOL must be {wanted}"):
        await must_be_let_in(Broker(kafka.servers(listener), trust))


async def test_a_login_is_told_off_by_a_broker_that_asks_nobody(kafka: SecuredKafka, authority: Authority) -> None:
    by_scram = replace(scram(kafka, authority), servers=kafka.servers("TLS"))

    with pytest.raises(WrongSetting, match="asks nobody who they are: KAFKA_SECURITY_PROTOCOL must not be SASL_SSL"):
        await must_be_let_in(by_scram)


async def test_a_mechanism_that_the_broker_does_not_offer_is_named(kafka: SecuredKafka, authority: Authority) -> None:
    other = replace(scram(kafka, authority), login=Login("SCRAM-SHA-256", "door", SecretStr(PASSWORD)))

    with pytest.raises(WrongSetting, match="does not offer SCRAM-SHA-256: look at KAFKA_SASL_MECHANISM"):
        await must_be_let_in(other)


async def test_a_broker_that_is_away_is_no_wrong_setting(authority: Authority) -> None:
    await must_be_let_in(Broker("localhost:1", Trust(ca_file=str(authority.file))))


async def test_one_broker_of_several_that_lets_us_in_is_enough(kafka: SecuredKafka, authority: Authority) -> None:
    several = f"localhost:1,{kafka.servers('SCRAM_TLS', host='127.0.0.1')},{kafka.servers('SCRAM_TLS')}"

    await must_be_let_in(replace(scram(kafka, authority), servers=several))


async def test_topics_producer_and_reader_all_say_it_and_no_password_shows(
    kafka: SecuredKafka, authority: Authority, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    broker = scram(kafka, authority, password=WRONG)
    caplog.set_level(logging.DEBUG)

    async def never(_: ConsumerRecord) -> None:
        raise AssertionError

    refusals = []
    for attempt in (
        ensure_topics(broker, partitions=1),
        identify(broker, "events.accepted"),
        BatchProducer(broker).start(),
        TopicReader(broker, "events.accepted", never).run(),
    ):
        with pytest.raises(WrongSetting, match="refuses user door") as refused:
            await attempt
        refusals.append(repr(refused.value))

    told = capfd.readouterr()
    for text in (*refusals, repr(broker), caplog.text, told.out, told.err):
        assert WRONG not in text
