"""The contract, version 2: all that one customer has agreed to, by value, over time."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from event_schemas.contract_v2.billing import BillingFrom
from event_schemas.contract_v2.checks import contradictions
from event_schemas.contract_v2.clauses import (
    Alert,
    Allowance,
    Commitment,
    Discount,
    FreeMeter,
    HardLimit,
    Minimum,
    PrepaidCredit,
    Trial,
)
from event_schemas.contract_v2.flaws import Contradicts
from event_schemas.contract_v2.items import Item
from event_schemas.contract_v2.parts import Entry, Part, Revision, VersionText, in_time
from event_schemas.contracts import CustomerIdText, OutcomePolicy, PolicyFrom, SlugText
from event_schemas.times import Instant, Period, period_containing, period_number
from event_schemas.values import Currency


class PolicyEntry(Entry):
    """
    The outcome policy from an instant on. `charges` names the outcome types that it can charge.

    Each of them has a price, or is free, for as long as the policy is in force and the contract has items. Empty says
    nothing, as contracts of version 1 do: what comes without a price holds the invoice.
    """

    policy: OutcomePolicy
    charges: tuple[SlugText, ...]


class Change(Part):
    """One revision: when it was agreed, from when it holds, by whom, why, and through which channel."""

    revision: Revision
    agreed_at: Instant
    effective_at: Instant
    actor: VersionText  # an id, such as `person:anna` or `self-serve`
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*\S[^\x00]*$")]
    channel: Literal["self_serve", "sales_led", "console", "migration"]


class ContractV2(Part):
    """
    Whole and self-contained: no reader asks a catalogue. `customer`, `currency`, `billing_anchor`, `channel`, `trial`,
    `proration` and `card_step` never change; all else is dated, and a later revision only adds (`rewritten`).

    Periods are months counted from `billing_anchor`. What contradicts itself is refused, with each `Flaw`.
    """

    schema_version: Literal[2]
    customer: CustomerIdText
    channel: Literal["self_serve", "sales_led"]  # how the contract came about
    currency: Currency
    billing_anchor: Instant
    revision: Revision
    history: tuple[Change, ...] = Field(min_length=1)
    billing: tuple[BillingFrom, ...] = Field(min_length=1)
    policies: tuple[PolicyEntry, ...] = Field(min_length=1)
    items: tuple[Item, ...] = ()
    discounts: tuple[Discount, ...] = ()
    commitments: tuple[Commitment, ...] = ()
    minimums: tuple[Minimum, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    limits: tuple[HardLimit, ...] = ()
    alerts: tuple[Alert, ...] = ()
    prepaid: tuple[PrepaidCredit, ...] = ()
    free_meters: tuple[FreeMeter, ...] = ()
    trial: Trial | None = None
    proration: Literal["second", "day", "none"] = "second"  # Source: golden rule R3
    card_step: int = Field(1, strict=True, ge=1, le=1000)  # minor units in which a card can pay. Source: R12

    @model_validator(mode="after")
    def _can_be_meant(self) -> Self:
        if found := contradictions(self):
            raise Contradicts(found)
        return self

    @property
    def timeline(self) -> tuple[PolicyFrom, ...]:
        """The policies as a contract of version 1 has them: sorted, one for each instant."""
        return tuple(PolicyFrom(effective_from=entry.at, policy=entry.policy) for entry in in_time(self.policies))

    def policy_at(self, instant: datetime) -> OutcomePolicy | None:
        """The policy in force at an instant; None before the first."""
        return next((entry.policy for entry in reversed(self.timeline) if entry.effective_from <= instant), None)

    def period_of(self, instant: datetime) -> Period:
        """The billing period that holds an instant."""
        return period_containing(self.billing_anchor, instant)

    def period(self, number: int) -> Period:
        """The billing period `number`, 0 being the first."""
        return period_number(self.billing_anchor, number)
