"""What a catalogue holds: sections of entries by key; what has a price or a definition has a version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from event_schemas.contract_v2.billing import CountryText, LineText
from event_schemas.contract_v2.parts import MOST_SEATS, Units, VersionText
from event_schemas.contract_v2.prices import Price, PriceText
from event_schemas.contracts import OutcomePolicy, SlugText, WindowHours
from event_schemas.times import Instant
from event_schemas.values import Currency
from event_schemas.vocabulary import DecidedBy

# What may change without a new version: no customer pays otherwise for it.
LABELS = frozenset({"name", "new_customers", "sold_in", "plans", "redeem_until"})


def _in_text(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError('write a price in quotes, such as "0.99": a bare number may be rounded')
    return value


def _one_price(value: object) -> object:
    """`"39"` is short for so much per unit."""
    value = _in_text(value)
    return {"scheme": "per_unit", "unit_price": value} if isinstance(value, str) else value


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)


PriceOf = Annotated[Price, BeforeValidator(_one_price)]
AmountText = Annotated[PriceText, BeforeValidator(_in_text)]
IssuerText = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,49}$")]
UtcInstant = Annotated[Instant, AfterValidator(_utc)]
Version = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]


class Offered(BaseModel):
    """Base of all that stands in a catalogue: frozen, and an unknown field is refused, since it might mean money."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: LineText


class Versioned(Offered):
    """What contracts take by value. Its terms never change within a version that somebody has agreed to."""

    version: Version = 1


class Issuer(Offered):
    """A legal entity that issues invoices."""

    country: CountryText
    currency: Currency  # the one it proposes
    payment_terms_days: int = Field(30, strict=True, ge=0, le=365)


class Meter(Offered):
    """What is counted: an outcome of a conversation, or a usage that a product reports."""

    kind: Literal["outcome", "usage"]
    unit: LineText


class Policy(Versioned):
    """A definition of what is charged. `charges` names the outcome types that it can charge."""

    charges: tuple[SlugText, ...] = Field(min_length=1)
    window_hours: WindowHours = WindowHours()
    teammate_takeover_voids: bool = False
    return_horizon_days: int | None = Field(None, strict=True, ge=0, le=3650)
    decided_by: DecidedBy = DecidedBy.SIGNALS
    type_precedence: tuple[SlugText, ...] = ()

    def outcome_policy(self, key: str) -> OutcomePolicy:
        """As a contract carries it; its version names the catalogue's entry."""
        return OutcomePolicy(
            version=f"{key}/{self.version}",
            window_hours=self.window_hours,
            teammate_takeover_voids=self.teammate_takeover_voids,
            return_horizon_days=self.return_horizon_days,
            decided_by=self.decided_by,
            type_precedence=self.type_precedence,
        )


class MeterPrice(Versioned):
    """The price of a meter, by currency."""

    meter: SlugText
    prices: dict[Currency, PriceOf] = Field(min_length=1)
    tax_code: VersionText | None = None


class Sold(Versioned):
    """What a plan and an add-on have in common. `new_customers` false: who has it keeps it, nobody else gets it."""

    new_customers: bool = True
    sold_in: tuple[Currency, ...] = Field(min_length=1)
    rhythm: Literal["month", "year"] = "month"
    prices: dict[Currency, PriceOf] = {}  # of one seat or unit, for a month or a year
    usage: tuple[SlugText, ...] = ()  # keys of usage_prices
    allowances: dict[SlugText, Units] = {}  # units of a meter that each period includes
    tax_code: VersionText | None = None


class Plan(Sold):
    """A plan: seats of a product, the prices of outcomes and usage, and the policy that decides what an outcome is."""

    product: SlugText
    least_seats: int = Field(1, strict=True, ge=0, le=MOST_SEATS)
    outcomes: tuple[SlugText, ...] = ()  # keys of outcome_prices
    free_meters: tuple[SlugText, ...] = ()  # counted and on no invoice
    policy: SlugText
    trial: SlugText | None = None


class AddOn(Sold):
    """An add-on; its product is its key. `plans` None: whatever the plan."""

    plans: tuple[SlugText, ...] | None = None


class Coupon(Versioned):
    """Percent or amount off the invoice, or off the named products, for so many invoices or months, or for ever."""

    percent: AmountText | None = None
    amounts: dict[Currency, AmountText] = {}
    products: tuple[SlugText, ...] = ()
    invoices: int | None = Field(None, strict=True, ge=1, le=1200)
    months: int | None = Field(None, strict=True, ge=1, le=1200)
    redeem_until: UtcInstant | None = None


class TrialOffer(Versioned):
    """Days before the first paid period, and what they include."""

    days: int = Field(strict=True, ge=1, le=365)
    allowances: dict[SlugText, Units] = {}


class Catalog(BaseModel):
    """All that is offered: the sections, each with its entries by key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    currencies: tuple[Currency, ...] = ()
    issuers: dict[IssuerText, Issuer] = {}
    meters: dict[SlugText, Meter] = {}
    policies: dict[SlugText, Policy] = {}
    outcome_prices: dict[SlugText, MeterPrice] = {}
    usage_prices: dict[SlugText, MeterPrice] = {}
    plans: dict[SlugText, Plan] = {}
    add_ons: dict[SlugText, AddOn] = {}
    coupons: dict[SlugText, Coupon] = {}
    trials: dict[SlugText, TrialOffer] = {}


# Section -> the model of its entries, and what people call one of them.
SECTIONS: dict[str, tuple[type[Offered], str]] = {
    "issuers": (Issuer, "issuer"),
    "meters": (Meter, "meter"),
    "policies": (Policy, "policy"),
    "outcome_prices": (MeterPrice, "outcome price"),
    "usage_prices": (MeterPrice, "usage price"),
    "plans": (Plan, "plan"),
    "add_ons": (AddOn, "add-on"),
    "coupons": (Coupon, "coupon"),
    "trials": (TrialOffer, "trial"),
}
VERSIONED = tuple(name for name, (model, _) in SECTIONS.items() if issubclass(model, Versioned))


def content_of(entry: BaseModel) -> dict[str, Any]:
    """An entry or a whole catalogue as JSON, without what holds its default."""
    content: dict[str, Any] = entry.model_dump(mode="json", exclude_defaults=True)
    return content


def price_version(section: str, key: str, version: int) -> str:
    """How a contract names the entry that a price came from, such as `plans/essential_monthly/2`."""
    return f"{section}/{key}/{version}"
