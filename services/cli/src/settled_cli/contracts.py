"""Whole contracts, from a file to the service `contracts`: read and checked whole, then agreed on."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from event_schemas.contract_v2 import ContractV2
from event_schemas.contract_v2.file import ContractFile
from event_schemas.contracts import Contract
from settled_cli import contract_faults
from settled_cli.line import Line, LineError

AT_ONCE = 1000  # of one request, which is one transaction
LONG_AGO = "2000-01-01T00:00:00Z"  # business time is later everywhere: what a service waits for is its own work
PATIENCE_S = 60.0  # for the bus, beside a hundredth of a second for each contract

AnyContract = Contract | ContractV2


class ContractRefused(Exception):
    """The file does not hold sound contracts; the message names the place and what is wrong."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the service made of a contract. `waits`: why it stays off the bus until readers bill version 2."""

    customer: str
    revision: int
    repeated: bool
    waits: str | None


def read(path: Path) -> tuple[AnyContract, ...]:
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


async def agree(
    line: Line, contracts: Sequence[AnyContract], *, actor: str = "cli", reason: str = "agreed at the terminal"
) -> list[Agreed]:
    """
    Agree on contracts through the service, and return when what may go to the bus is there. Again: nothing is done.

    Up to AT_ONCE of them are agreed on all or none. More are tried first, all of them, and then agreed on part by part.

    Raises:
        Refused: the service says no to some, each told with its customer.
        LineError: it does not answer, or does not publish.
    """
    run = uuid.uuid4().hex
    who = {"actor": actor, "reason": reason}
    commands = [
        {"do": "agree", "key": f"apply-{run}-{place}", **who, "contract": _document(contract)}
        for place, contract in enumerate(contracts)
    ]
    parts = [commands[start : start + AT_ONCE] for start in range(0, len(commands), AT_ONCE)]
    if len(parts) > 1:
        for part in parts:
            await line.post("contracts", "/v1/contracts?dry_run=true", {"commands": part})
    answers = [await line.post("contracts", "/v1/contracts", {"commands": part}) for part in parts]
    await _published(line, len(commands))
    return [Agreed(**row) for answer in answers for row in answer["contracts"]]


def _document(contract: AnyContract) -> dict[str, Any]:
    document: dict[str, Any] = contract.model_dump(mode="json", exclude_none=True)
    return document


async def _published(line: Line, contracts: int) -> None:
    """Return when the service has nothing left to put on the bus."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + PATIENCE_S + contracts / 100
    while not (found := await line.get("contracts", "/quiet", at=LONG_AGO))["quiet"]:
        if clock() > deadline:
            raise LineError(f"contracts has not put on the bus what was agreed: {'; '.join(found['waiting_for'])}")
        await asyncio.sleep(0.03)
