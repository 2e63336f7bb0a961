"""To whom invoices go, from whom, how they are taxed and paid: a timeline, since a customer moves and is renamed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from event_schemas.contract_v2.parts import MOST_MINOR, Entry, Part, VersionText
from event_schemas.contracts import EmailText

LineText = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*\S[^\x00]*$")]
CountryText = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class Address(Part):
    """Where the customer is, for tax. `country` is ISO 3166-1, two letters."""

    country: CountryText
    region: LineText | None = None
    postal_code: LineText | None = None
    city: LineText | None = None
    line1: LineText | None = None
    line2: LineText | None = None


class TaxId(Part):
    """A number that an authority gave to the customer, such as kind `eu_vat`, value `DE123456789`."""

    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]
    value: VersionText


class Exemption(Part):
    """Why no tax is due, and the certificate that says so; whether it counts, the tax door decides."""

    reason: Literal["exempt", "reverse_charge", "resale", "government", "non_profit"]
    certificate: VersionText | None = None


class CorrectionTerms(Part):
    """
    How corrections of invoices that are issued reach the customer; what is None is as the issuer has it.

    `settle_hours`: from the first correction of a period to the document that gathers them. `smallest_minor`: less is
    not worth a document and waits for more. `paid`: where what is given back of a paid invoice goes.
    """

    settle_hours: int | None = Field(None, strict=True, ge=0, le=8784)
    smallest_minor: int | None = Field(None, strict=True, ge=1, le=MOST_MINOR)
    paid: Literal["balance", "refund"] = "balance"


class BillingFrom(Entry):
    """
    Whom and how to bill from an instant on, whole. `payment_terms_days` None: as the issuer has it.

    `corrections`: of all that is corrected from now on, the newest entry counts, whatever its instant.
    """

    name: LineText
    issuer: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,49}$")]
    collection_method: Literal["send_invoice", "charge_automatically"] = "send_invoice"
    payment_terms_days: int | None = Field(None, strict=True, ge=0, le=365)
    billing_email: EmailText | None = None
    purchase_order: LineText | None = None
    tax_address: Address | None = None
    tax_ids: tuple[TaxId, ...] = Field((), max_length=5)
    exemption: Exemption | None = None
    corrections: CorrectionTerms | None = None
    stripe_customer: Annotated[str, Field(max_length=255)] | None = None
