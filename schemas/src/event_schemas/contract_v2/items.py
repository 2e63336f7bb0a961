"""What is sold to the customer: licensed items paid ahead, metered items billed for what was used."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from event_schemas.contract_v2.parts import Dated, SeatsFrom, VersionText
from event_schemas.contract_v2.prices import Price
from event_schemas.contracts import SlugText
from event_schemas.times import Instant
from event_schemas.values import Currency


class _Item(Dated):
    """Its price holds by value, for its whole life; `price_version` says where in the catalogue it came from."""

    product: SlugText  # as the catalogue names it; several items of one contract may be the same product
    plan: SlugText | None = None  # the plan that it belongs to; at any instant there is one plan at most
    currency: Currency
    price: Price
    price_version: VersionText
    tax_code: VersionText | None = None


class LicensedItem(_Item):
    """Paid ahead for the seats then in force. Years count from `term_anchor`, else from the period it begins in."""

    kind: Literal["licensed"]
    rhythm: Literal["month", "year"] = "month"
    term_anchor: Instant | None = None
    quantities: tuple[SeatsFrom, ...] = Field(min_length=1)


class MeteredItem(_Item):
    """Billed in arrears, each month, for the entries of a meter whose `effective_at` lies in its life."""

    kind: Literal["metered"]
    meter: SlugText


Item = Annotated[LicensedItem | MeteredItem, Field(discriminator="kind")]
