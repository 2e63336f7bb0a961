"""`settled contracts apply`: from a file to the topic `contracts`, validated before anything is sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from chassis import settings
from chassis.bus import BatchProducer, confirmed, partition_of_key
from event_schemas.contracts import Contract, ContractFile
from event_schemas.events.contract_v1 import ContractEvent
from event_schemas.times import iso
from event_schemas.topics import CONTRACTS
from settled_cli import contract_faults


class ContractRefused(Exception):
    """The file does not hold sound contracts; the message names the place and what is wrong."""


def read(path: Path) -> tuple[Contract, ...]:
    """
    The contracts of a YAML or JSON file.

    Raises:
        ContractRefused: with every fault, the line on which it stands, and what to write there.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError):
        raise ContractRefused(f"{path} cannot be read as text: name a YAML or JSON file") from None
    document: Any = None
    try:
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return ContractFile.model_validate(document).contracts
    except yaml.YAMLError as error:
        raise ContractRefused(contract_faults.told_of_yaml(path, error)) from error
    except ValidationError as error:
        raise ContractRefused(contract_faults.told(path, text, document, error)) from error


async def publish(contracts: tuple[Contract, ...], bootstrap: str) -> None:
    """
    Send contracts to the bus and return when the broker has confirmed them. Sending again changes nothing.

    Raises:
        WrongSetting: the broker refuses us, or a KAFKA_… setting of the environment is wrong.
    """
    producer = BatchProducer(settings.read(settings.KafkaSettings, "cli", kafka_bootstrap_servers=bootstrap).broker)
    await producer.start()
    try:
        partitions = await producer.partitions_for(CONTRACTS.name)
        now = datetime.now(UTC)
        sent = []
        for contract in contracts:
            key = contract.customer.encode()
            place = partition_of_key(key, partitions)
            sent.append(producer.append(CONTRACTS.name, place, key, _record(contract, now)))
        await confirmed(sent)
    finally:
        await producer.stop()


def _record(contract: Contract, now: datetime) -> bytes:
    event = ContractEvent(
        specversion="1.0",
        id=f"{contract.customer}/{contract.revision}",
        source="urn:settled:cli",
        type="contract",
        subject=contract.customer,
        time=now,
        data=contract,
    )
    body = event.model_dump(mode="json", exclude_none=True)
    return json.dumps({**body, "time": iso(now)}, separators=(",", ":")).encode()
