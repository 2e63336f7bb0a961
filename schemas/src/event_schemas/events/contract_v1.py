"""`contract`: what one customer has agreed to, on the compacted topic `contracts`."""

from __future__ import annotations

from typing import Literal

from event_schemas.contracts import Contract
from event_schemas.events.envelope import Envelope


class ContractEvent(Envelope):
    """`subject` and the record's key are the customer; a later revision replaces an earlier one."""

    type: Literal["contract"]
    data: Contract
