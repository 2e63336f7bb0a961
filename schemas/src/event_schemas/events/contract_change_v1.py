"""`contract.change`: what one revision of a contract changed, in words, for people and for systems that show it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from event_schemas.events.envelope import CustomerText, Envelope, Fact, IdentifierText
from event_schemas.times import Instant

RevisionNumber = Annotated[int, Field(strict=True, ge=1)]


class ClauseChange(Fact):
    """What the revision did to one clause or timeline: `path` such as `items.copilot`, `at` when it takes effect."""

    path: str
    what: Literal["began", "ended", "changed", "withdrawn"]
    at: Instant
    sentence: str


class ContractChangeData(Fact):
    """`command` is what was asked for, such as `change_seats`; `undoes` is the revision that an undo took back."""

    customer: CustomerText
    revision: RevisionNumber
    command: str
    agreed_at: Instant
    effective_at: Instant
    actor: IdentifierText
    reason: str
    channel: Literal["self_serve", "sales_led", "console", "migration"]
    undoes: RevisionNumber | None = None
    changes: tuple[ClauseChange, ...]


class ContractChangeEvent(Envelope):
    """`subject` and the record's key are the customer; `id` is customer and revision, so a reader knows a repeat."""

    type: Literal["contract.change"]
    data: ContractChangeData
