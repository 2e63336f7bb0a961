"""What a contract says about money, as the rules of this service need it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from event_schemas.contracts import Contract
from event_schemas.values import Currency

NO_ADDRESS = "billing_email is missing: publish a revision with the address to which invoices are sent"


@dataclass(frozen=True, slots=True)
class Tier:
    """Units up to and including `up_to` (None: no bound) at `unit_price` in major units."""

    up_to: int | None
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class MeteredTerm:
    """The price of one meter. `per_unit` has exactly one tier, without a bound."""

    meter: str
    scheme: Literal["per_unit", "graduated"]
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class LicensedTerm:
    """An item paid in advance: `quantity` units at `unit_price` in major units for each period."""

    item: str
    quantity: int
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class Terms:
    """What is billed, and from when: monthly periods count from `billing_anchor`."""

    currency: Currency
    billing_anchor: datetime
    metered: tuple[MeteredTerm, ...]
    licensed: tuple[LicensedTerm, ...]
    free: tuple[str, ...] = ()  # meters that are agreed to be on no invoice

    @property
    def meters(self) -> tuple[str, ...]:
        """The meters that have a price."""
        return tuple(term.meter for term in self.metered)


def lacks_address(contract: Contract, *, to_be_made: bool) -> bool:
    """
    Whether the contract needs a `billing_email` and has none.

    Invoices that are sent need it; and every subscription is made as one that sends, see decision 0012.
    """
    return contract.billing_email is None and (to_be_made or contract.collection_method == "send_invoice")


def changes_billing(before: Terms, after: Terms) -> bool:
    """Whether a new revision changes what Stripe bills: currency, anchor, a price, a quantity or the set of items."""
    return (
        before.currency is not after.currency
        or before.billing_anchor != after.billing_anchor
        or set(before.metered) != set(after.metered)
        or set(before.licensed) != set(after.licensed)
    )
