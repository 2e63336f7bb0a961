"""What one customer has agreed to: version 1 of the contract on topic `contracts`."""

from __future__ import annotations

import itertools
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from event_schemas.times import Instant, Period, period_containing, period_number
from event_schemas.values import Currency, parse_decimal
from event_schemas.vocabulary import Channel, DecidedBy

CustomerIdText = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$")]
SlugText = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
# one @, no white space, a domain with a dot; whether it reaches anybody only a message can tell
EmailText = Annotated[str, Field(max_length=254, pattern=r"^[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+$")]


def _price_text(text: str) -> str:
    parse_decimal(text)
    return text


class Agreed(BaseModel):
    """Base of all that a contract holds: frozen, and an unknown field is refused, since it might mean money."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WindowHours(Agreed):
    """Hours of silence after an answer, by channel of that answer; `default` for channels that are not named."""

    default: int = Field(24, ge=1, le=24 * 180)
    chat: int | None = Field(None, ge=1, le=24 * 180)
    email: int | None = Field(None, ge=1, le=24 * 180)
    whatsapp: int | None = Field(None, ge=1, le=24 * 180)
    sms: int | None = Field(None, ge=1, le=24 * 180)
    voice: int | None = Field(None, ge=1, le=24 * 180)
    social: int | None = Field(None, ge=1, le=24 * 180)

    def of(self, channel: Channel) -> int:
        """Hours for one channel."""
        hours: int | None = getattr(self, channel.value)
        return self.default if hours is None else hours


class OutcomePolicy(Agreed):
    """One version of the definition of what is charged. Source of the defaults: golden file, outcome_policy."""

    version: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]
    window_hours: WindowHours = WindowHours()
    teammate_takeover_voids: bool = False
    return_horizon_days: int | None = Field(None, ge=0, le=3650)  # None: for ever
    decided_by: DecidedBy = DecidedBy.SIGNALS
    type_precedence: tuple[SlugText, ...] = ()  # lowest first: a later type of higher rank replaces the charged one


class PolicyFrom(Agreed):
    """A policy and the instant from which it is in force, until the next one of the timeline."""

    effective_from: Instant
    policy: OutcomePolicy


class PerUnitPrice(Agreed):
    """Every unit at one price, in major units of the contract's currency."""

    scheme: Literal["per_unit"]
    unit_price: str

    _price = field_validator("unit_price")(_price_text)


class Tier(Agreed):
    """Units up to and including `up_to` (None: no bound) at this price."""

    up_to: int | None = Field(None, ge=1)
    unit_price: str

    _price = field_validator("unit_price")(_price_text)


class GraduatedPrice(Agreed):
    """Each unit at the price of its own tier. Source: golden rule R5."""

    scheme: Literal["graduated"]
    tiers: tuple[Tier, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _bounds_grow(self) -> Self:
        bounds = [tier.up_to for tier in self.tiers]
        inner = bounds[:-1]
        if bounds[-1] is not None or None in inner or any(a >= b for a, b in itertools.pairwise(inner)):  # type: ignore[operator]
            raise ValueError("tier bounds must grow, and the last one alone has none")
        return self


Price = Annotated[PerUnitPrice | GraduatedPrice, Field(discriminator="scheme")]


class MeteredPrice(Agreed):
    """The price of a meter: an outcome type such as `resolution`, or a usage meter such as `sms_segment`."""

    meter: SlugText
    price: Price


class LicensedPrice(Agreed):
    """An item that is paid in advance for a number of seats or units."""

    item: SlugText
    quantity: int = Field(ge=0, le=1_000_000)
    unit_price: str

    _price = field_validator("unit_price")(_price_text)

    @property
    def exact_unit_price(self) -> Decimal:
        """The unit price in major units."""
        return Decimal(self.unit_price)


class Contract(Agreed):
    """
    What one customer has agreed to, whole: a later revision replaces an earlier one.

    Periods are months counted from `billing_anchor`. Before the first `effective_from` no contract is in force.
    """

    customer: CustomerIdText
    name: str = Field(min_length=1, max_length=200)
    issuer: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,49}$")]
    channel: Literal["self_serve", "sales_led"]
    currency: Currency
    billing_anchor: Instant
    stripe_customer: Annotated[str, Field(max_length=255)] | None = None
    collection_method: Literal["send_invoice", "charge_automatically"] = "send_invoice"
    billing_email: EmailText | None = None  # where invoices go; a contract file must have it
    revision: int = Field(ge=1)
    timeline: tuple[PolicyFrom, ...] = Field(min_length=1)
    metered: tuple[MeteredPrice, ...] = ()
    licensed: tuple[LicensedPrice, ...] = ()
    free_meters: tuple[SlugText, ...] = ()  # charged in the ledger and, as agreed, on no invoice

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        starts = [entry.effective_from for entry in self.timeline]
        if any(a >= b for a, b in itertools.pairwise(starts)):
            raise ValueError("the timeline must be sorted by effective_from, without repeats")
        for what, names in (("a meter", [m.meter for m in self.metered]), ("an item", [i.item for i in self.licensed])):
            if len(names) != len(set(names)):
                raise ValueError(f"{what} is priced twice")
        if both := {m.meter for m in self.metered} & set(self.free_meters):
            raise ValueError(f"free_meters: {min(both)} has a price in metered, so it is not free")
        if self.billing_anchor.microsecond:
            raise ValueError("billing_anchor is a whole second, as Stripe's is")
        return self

    def policy_at(self, instant: datetime) -> OutcomePolicy | None:
        """The policy in force at an instant; None before the first."""
        for entry in reversed(self.timeline):
            if entry.effective_from <= instant:
                return entry.policy
        return None

    def period_of(self, instant: datetime) -> Period:
        """The billing period that holds an instant."""
        return period_containing(self.billing_anchor, instant)

    def period(self, number: int) -> Period:
        """The billing period `number`, 0 being the first."""
        return period_number(self.billing_anchor, number)
