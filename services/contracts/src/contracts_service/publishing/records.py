"""A revision as records of the bus: the contract, in the version that its readers take, and what changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from contracts_service.agreements.domain.as_version_1 import as_version_1
from contracts_service.agreements.domain.changes import changes_of
from event_schemas.contract_v2 import ContractV2
from event_schemas.contracts import Contract
from event_schemas.events.contract_change_v1 import ContractChangeData, ContractChangeEvent
from event_schemas.events.contract_v1 import ContractEvent
from event_schemas.events.contract_v2 import ContractEventV2

SOURCE = "urn:settled:contracts"


@dataclass(frozen=True, slots=True)
class Said:
    """A contract as a record, and its version; or why version 1 cannot say it."""

    record: bytes | None
    version: int
    why: str | None = None


def contract_record(contract: ContractV2, *, version_2: bool, stays: bool = False) -> Said:
    """
    The contract for the topic `contracts`, in the lowest version that says all of it.

    That is version 1 where it can. What it cannot say goes as version 2 where readers take that (`version_2`), and is
    held back where they do not. `stays`: an earlier revision of it went out as version 2, and so do all later ones.
    """
    said = as_version_1(contract)
    if isinstance(said, Contract) and not stays:
        return Said(_encoded(ContractEvent(**_envelope(contract, "contract"), data=said)), 1)
    if version_2 or stays:
        return Said(_encoded(ContractEventV2(**_envelope(contract, "contract"), data=contract)), 2)
    return Said(None, 2, str(said))


def change_record(contract: ContractV2, command: dict[str, Any]) -> bytes:
    """What the newest revision changed, for the topic `contract.changes`."""
    change = contract.history[-1]
    data = ContractChangeData(
        customer=contract.customer,
        revision=contract.revision,
        command=command["do"],
        agreed_at=change.agreed_at,
        effective_at=change.effective_at,
        actor=change.actor,
        reason=change.reason,
        channel=change.channel,
        undoes=command.get("revision"),  # only an undo names one
        changes=changes_of(contract),
    )
    return _encoded(ContractChangeEvent(**_envelope(contract, "contract.change"), data=data))


def _envelope(contract: ContractV2, kind: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{contract.customer}/{contract.revision}",
        "source": SOURCE,
        "type": kind,
        "subject": contract.customer,
        "time": contract.history[-1].agreed_at,
    }


def _encoded(event: BaseModel) -> bytes:
    return json.dumps(event.model_dump(mode="json", exclude_none=True)).encode()
