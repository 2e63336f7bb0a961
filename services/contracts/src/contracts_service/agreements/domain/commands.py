"""
The commands, the same for both channels, for the console and for a migration.

Each says when (`at`; None: now), who, why, and a `key` of the caller's own: sending it again gives the same answer.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from event_schemas.contract_v2.billing import Address, CorrectionTerms, Exemption, LineText, TaxId
from event_schemas.contract_v2.parts import MOST_MINOR, MOST_SEATS, MOST_UNITS, Revision, Units, VersionText
from event_schemas.contract_v2.prices import Price, PriceText
from event_schemas.contracts import EmailText, SlugText
from event_schemas.sentences import WORDS
from event_schemas.times import Instant
from event_schemas.values import Currency

YEARS = range(2000, 2201)  # beyond them nobody means what is written, and no calendar need reckon


def _in_these_years(instant: datetime) -> datetime:
    if instant.year not in YEARS:
        raise ValueError(f"must lie between {YEARS[0]} and {YEARS[-1]}")
    return instant


When = Annotated[Instant, AfterValidator(_in_these_years)]
IssuerText = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,49}$")]
ReasonText = Annotated[str, Field(min_length=1, max_length=500, pattern=WORDS)]
Quantity = Annotated[int, Field(strict=True, ge=0, le=MOST_SEATS)]
Minor = Annotated[int, Field(strict=True, ge=1, le=MOST_MINOR)]
Channel = Literal["self_serve", "sales_led", "console", "migration"]


class Asked(BaseModel):
    """Base of all that is asked for: an unknown field is refused, since it might mean money."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Command(Asked):
    """What every command says. `expected_revision`: refuse it if the contract has moved on since you looked."""

    key: VersionText
    actor: VersionText
    reason: ReasonText
    channel: Channel = "self_serve"
    at: When | None = None
    expected_revision: Revision | None = None


class Correctable(Command):
    """
    A command about money that may also say what should have been billed in a period that has ended.

    `as_correction` allows such an `at`: that period, and those since, are rated again, and the difference is credited
    or on the next invoice.
    """

    as_correction: bool = Field(False, strict=True)


class AddOnWanted(Asked):
    """An add-on of the catalogue, and how many units of it."""

    add_on: SlugText
    quantity: Quantity = 1


class RampStep(Asked):
    """Units for each period from a billing day on."""

    at: When
    quantity: Units


class CommitmentTerms(Asked):
    """Units of a meter paid for in each period from `at` on, used or not, at this price; `currency` the contract's."""

    meter: SlugText
    unit_price: PriceText
    currency: Currency | None = None  # said only to be held against the contract's, as a deal on paper says it
    bill: Literal["advance", "arrears", "shortfall"]
    ramp: tuple[RampStep, ...] = Field(min_length=1, max_length=120)
    until: When | None = None


class Terms(Asked):
    """What a customer signs for, through either channel."""

    name: LineText
    issuer: IssuerText
    currency: Currency
    plan: SlugText
    seats: Quantity = 1
    add_ons: tuple[AddOnWanted, ...] = Field((), max_length=50)
    coupon: SlugText | None = None
    trial: bool = False  # the plan's own, if it has one
    billing_email: EmailText | None = None
    collection_method: Literal["send_invoice", "charge_automatically"] = "send_invoice"
    payment_terms_days: int | None = Field(None, strict=True, ge=0, le=365)
    purchase_order: LineText | None = None
    tax_address: Address | None = None
    tax_ids: tuple[TaxId, ...] = Field((), max_length=5)
    exemption: Exemption | None = None
    corrections: CorrectionTerms | None = None
    proration: Literal["second", "day", "none"] = "second"


class DealTerms(Terms):
    """What a deal agrees beside: prices of its own by product, and commitments."""

    prices: dict[SlugText, Price] = Field({}, max_length=50)
    commitments: tuple[CommitmentTerms, ...] = Field((), max_length=20)


class SignUp(Command):
    """Agree on a first contract on the catalogue's terms. Its periods count from `at`, or from a trial's end."""

    do: Literal["sign_up"]
    terms: Terms


class Sign(Command):
    """Agree on what was quoted: the terms of the quote, at the prices of the catalogue as it was then."""

    do: Literal["sign"]
    quote: VersionText
    channel: Channel = "sales_led"


class ChangePlan(Correctable):
    """Another plan, or the newest version of the same one. `seats` None: as many as there are."""

    do: Literal["change_plan"]
    plan: SlugText
    seats: Quantity | None = None
    keep_policy: bool = False  # or the policy of the new plan holds from then on


class ChangeSeats(Correctable):
    """So many seats of the plan, or units of `product`, from an instant on."""

    do: Literal["change_seats"]
    quantity: Quantity
    product: SlugText | None = None


class AddAddOn(Correctable):
    """An add-on of the catalogue from an instant on."""

    do: Literal["add_add_on"]
    add_on: SlugText
    quantity: Quantity = 1


class RemoveAddOn(Correctable):
    """The add-on ends at an instant."""

    do: Literal["remove_add_on"]
    add_on: SlugText


class GiveDiscount(Correctable):
    """A coupon, a percent or an amount off; `product` None: off the invoice. Without an end it holds for ever."""

    do: Literal["give_discount"]
    coupon: SlugText | None = None
    percent: PriceText | None = None
    amount_minor: Minor | None = None
    product: SlugText | None = None
    invoices: int | None = Field(None, strict=True, ge=1, le=1200)
    until: When | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if sum(value is not None for value in (self.coupon, self.percent, self.amount_minor)) != 1:
            raise ValueError("must name a coupon, a percent or amount_minor, and one of them alone")
        if self.coupon is not None and (self.product, self.invoices, self.until) != (None, None, None):
            raise ValueError("must leave out product, invoices and until beside a coupon, which says them itself")
        return self


class Commit(Command):
    """A commitment."""

    do: Literal["commit"]
    commitment: CommitmentTerms


class GiveCredit(Command):
    """Prepaid credit that pays usage until it expires."""

    do: Literal["give_credit"]
    amount_minor: Minor
    until: When | None = None


class GiveAllowance(Correctable):
    """Units of a meter that cost nothing in each period, beside those that the plan includes."""

    do: Literal["give_allowance"]
    meter: SlugText
    quantity: Annotated[int, Field(strict=True, ge=1, le=MOST_UNITS)]
    until: When | None = None


class SetMinimum(Correctable):
    """What a meter comes to at least in each period, from a billing day on; `amount_minor` None: no more."""

    do: Literal["set_minimum"]
    meter: SlugText
    amount_minor: Minor | None
    currency: Currency | None = None  # said only to be held against the contract's


class SetLimit(Command):
    """Units of a meter charged at most in a period; what is above is recorded and free. `quantity` None: no more."""

    do: Literal["set_limit"]
    meter: SlugText
    quantity: Units | None


class SetAlerts(Command):
    """Units of a meter in a period at which somebody is told, growing; none: no more."""

    do: Literal["set_alerts"]
    meter: SlugText
    thresholds: tuple[Annotated[int, Field(strict=True, ge=1, le=MOST_UNITS)], ...] = Field(max_length=20)


class ChangePolicy(Command):
    """Another outcome policy of the catalogue, for answers from an instant on."""

    do: Literal["change_policy"]
    policy: SlugText


class ChangeBilling(Command):
    """Whom and how to bill; what is left out stays as it is."""

    do: Literal["change_billing"]
    name: LineText | None = None
    billing_email: EmailText | None = None
    collection_method: Literal["send_invoice", "charge_automatically"] | None = None
    payment_terms_days: int | None = Field(None, strict=True, ge=0, le=365)
    purchase_order: LineText | None = None
    corrections: CorrectionTerms | None = None


class ChangeTax(Command):
    """Where the customer is and how it is taxed, whole: what is left out is taken away."""

    do: Literal["change_tax"]
    tax_address: Address | None = None
    tax_ids: tuple[TaxId, ...] = Field((), max_length=5)
    exemption: Exemption | None = None


class MoveIssuer(Command):
    """Another legal entity issues the invoices, from a billing day on."""

    do: Literal["move_issuer"]
    issuer: IssuerText


class Cancel(Command):
    """The contract ends: at `at`, or at the end of what is paid ahead."""

    do: Literal["cancel"]
    when: Literal["at", "period_end"] = "at"

    @model_validator(mode="after")
    def _one_instant(self) -> Self:
        if self.when == "period_end" and self.at is not None:
            raise ValueError("must leave out at where it says when: period_end, which is an instant of its own")
        return self


class Undo(Command):
    """Take a revision back before it takes effect."""

    do: Literal["undo"]
    revision: Revision


class Agree(Command):
    """Take a whole contract, of version 1 or 2, as it stands; its `revision` says which one it is."""

    do: Literal["agree"]
    contract: dict[str, Any]
    channel: Channel = "console"


AnyCommand = Annotated[
    SignUp
    | Sign
    | Agree
    | ChangePlan
    | ChangeSeats
    | AddAddOn
    | RemoveAddOn
    | GiveDiscount
    | Commit
    | GiveCredit
    | GiveAllowance
    | SetMinimum
    | SetLimit
    | SetAlerts
    | ChangePolicy
    | ChangeBilling
    | ChangeTax
    | MoveIssuer
    | Cancel
    | Undo,
    Field(discriminator="do"),
]


class Quote(Asked):
    """Terms offered to a customer until an instant; `deal` names it in the CRM."""

    quote: VersionText
    customer: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$")]
    deal: Annotated[str, Field(min_length=1, max_length=90, pattern=r"^[\x21-\x7e]+$")]
    actor: VersionText
    valid_until: When
    terms: DealTerms
