"""
Being let in by the broker, and the reason where it does not.

Kafka's clients only say that they could not connect, some of them after half a minute of trying. Here a broker is asked
once, and what it answers becomes a sentence about a setting. A broker that does not answer is away and may come.
"""

from __future__ import annotations

import asyncio
import ssl

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.conn import AIOKafkaConnection, collect_hosts, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.admin import SaslHandShakeRequest
from aiokafka.protocol.metadata import MetadataRequest

from chassis.broker import Broker
from chassis.errors import WrongSetting
from chassis.tls import Trust

_ANSWER_WITHIN_MS = 5_000
_ALERT_WITHIN_S = 2.0
_AWAY = (OSError, KafkaError)  # a time-out is an OSError


async def connect(client: AIOKafkaProducer | AIOKafkaConsumer, broker: Broker) -> None:
    """
    Start a client; where that fails it is stopped again.

    Raises:
        WrongSetting: the broker refuses us, or we do not trust it.
        KafkaError: it does not answer.
    """
    try:
        await client.start()
    except BaseException as error:
        await client.stop()
        if isinstance(error, KafkaError):
            await must_be_let_in(broker)
        raise


async def must_be_let_in(broker: Broker) -> None:
    """
    Return when one of the brokers answers us, and also when none is there.

    Raises:
        WrongSetting: those that are there refuse us, or we do not trust them.
    """
    refusals = []
    for host, port, _ in collect_hosts(broker.servers, randomize=False):
        try:
            connection = await _open(broker, host, port)
        except _AWAY as error:
            refusals.append(await _why_not(broker, error, host, port))
            continue
        answered = await _answers(connection)
        connection.close()
        if answered:
            return
        refusals.append(await _asks_who_we_are(broker, host, port))
    for sentence in filter(None, refusals):
        raise WrongSetting(sentence)


async def _open(broker: Broker, host: str, port: int) -> AIOKafkaConnection:
    return await create_conn(host, port, request_timeout_ms=_ANSWER_WITHIN_MS, **broker.access())


async def _answers(connection: AIOKafkaConnection) -> bool:
    """A broker tells its versions to everybody, and where its topics are to those whom it has let in."""
    try:
        await connection.send(MetadataRequest([]))
    except _AWAY:
        return False
    return True


async def _why_not(broker: Broker, error: Exception, host: str, port: int) -> str | None:
    """A sentence where something answered and a setting is the reason; None where nothing is known."""
    who = f"the broker at {host}:{port}"
    login, trust = broker.login, broker.trust
    match error:
        case SaslAuthenticationFailed() | AuthenticationFailedError() if login:
            return f"{who} refuses user {login.username}: look at KAFKA_USERNAME and KAFKA_PASSWORD"
        case UnsupportedSaslMechanismError() if login:
            return f"{who} does not offer {login.mechanism}: look at KAFKA_SASL_MECHANISM"
        case IllegalSaslStateError():
            return f"{who} asks nobody who they are: KAFKA_SECURITY_PROTOCOL must not be {broker.protocol}"
        case ssl.SSLCertVerificationError() if trust:
            return trust.why_not(error, who, address_setting="KAFKA_BOOTSTRAP_SERVERS")
    if trust is None:
        if await _speaks_tls(host, port):
            return f"{who} takes TLS only: KAFKA_SECURITY_PROTOCOL must be SSL or SASL_SSL, not {broker.protocol}"
        return None
    if await _speaks_plain_text(host, port):
        return f"{who} speaks plain text: KAFKA_SECURITY_PROTOCOL is {broker.protocol}, so nothing was sent to it"
    told = error if isinstance(error, ssl.SSLError) else await _alert(trust, host, port)
    return trust.why_not(told, who, address_setting="KAFKA_BOOTSTRAP_SERVERS") if told else None


async def _alert(trust: Trust, host: str, port: int) -> ssl.SSLError | None:
    """What the broker has against our side of the handshake: in TLS 1.3 it says so only after ours has ended well."""
    try:
        async with asyncio.timeout(_ALERT_WITHIN_S):
            reader, writer = await asyncio.open_connection(host, port, ssl=trust.context())
            try:
                await reader.read(1)
            finally:
                writer.close()
    except ssl.SSLError as alert:
        return alert
    except OSError:
        return None
    return None


async def _speaks_tls(host: str, port: int) -> bool:
    """Whether a TLS handshake gets through; nothing is sent after it, so that its certificate does not matter."""
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(_ANSWER_WITHIN_MS / 1000):
            _, writer = await asyncio.open_connection(host, port, ssl=anyone)
    except OSError:
        return False
    writer.close()
    return True


async def _speaks_plain_text(host: str, port: int) -> bool:
    try:
        connection = await _open(Broker(f"{host}:{port}"), host, port)
    except _AWAY:
        return False
    connection.close()
    return True


async def _asks_who_we_are(broker: Broker, host: str, port: int) -> str | None:
    if broker.login:
        return None
    try:
        connection = await _open(broker, host, port)
        offered = (await connection.send(SaslHandShakeRequest("SCRAM-SHA-512"))).enabled_mechanisms
    except _AWAY:
        return None
    connection.close()
    if not offered:
        return None
    wanted = "SASL_SSL" if broker.trust else "SASL_PLAINTEXT"
    return f"the broker at {host}:{port} wants to know who we are: KAFKA_SECURITY_PROTOCOL must be {wanted}"
