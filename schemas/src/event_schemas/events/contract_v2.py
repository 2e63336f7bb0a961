"""`contract`, version 2; and a record of the topic `contracts` of either version."""

from __future__ import annotations

from typing import Literal

from event_schemas.contract_v2 import AnyContract, ContractV2
from event_schemas.events.envelope import Envelope


class ContractEventV2(Envelope):
    """`subject` and the record's key are the customer; `data.schema_version` tells it from version 1."""

    type: Literal["contract"]
    data: ContractV2


class AnyContractEvent(Envelope):
    """What readers of the topic take: a contract of either version."""

    type: Literal["contract"]
    data: AnyContract
