"""
How usage comes onto an invoice, by issuer.

    stripe      Stripe prices what its meters have counted, and the gate compares
    explicit    Stripe counts at price zero; the amounts are invoice items of ours, from the expected invoice

The second rests on nothing that Stripe computes. A subscription keeps the way it was made with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, get_args

from event_schemas.contract_v2 import ContractV2
from event_schemas.contract_v2.items import MeteredItem
from event_schemas.contract_v2.prices import Included
from invoicing_sync.contracts.domain.terms import MeteredTerm, Terms, Tier

UsageLines = Literal["stripe", "explicit"]
WAYS: tuple[UsageLines, ...] = get_args(UsageLines)


@dataclass(frozen=True, slots=True)
class WaysOfUsage:
    """The default, and what issuers have instead."""

    default: UsageLines
    by_issuer: Mapping[str, UsageLines]

    def of(self, issuer: str) -> UsageLines:
        """An issuer's way."""
        return self.by_issuer.get(issuer, self.default)


def read_usage_lines(text: str) -> WaysOfUsage:
    """
    From the setting: `explicit` for all, `settled-ie=explicit` for one issuer, with commas between several.

    Raises:
        ValueError: a part cannot be read, or something stands there twice; a sentence that says which.
    """
    default: UsageLines | None = None
    by_issuer: dict[str, UsageLines] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        issuer, is_of_one, word = part.rpartition("=")
        way = next((way for way in WAYS if way == word.strip()), None)
        if way is None or (is_of_one and not issuer.strip()):
            raise ValueError(f"{part!r} is no way: write explicit, stripe, or issuer=explicit, with commas between")
        if issuer.strip() in by_issuer or (not issuer and default is not None):
            raise ValueError(f"{issuer.strip() or 'the default'} stands there twice")
        if issuer:
            by_issuer[issuer.strip()] = way
        else:
            default = way
    return WaysOfUsage(default or "stripe", by_issuer)


def terms_at_stripe(terms: Terms, way: UsageLines) -> Terms:
    """The terms as Stripe is told them."""
    if way == "stripe":
        return terms
    return replace(terms, metered=tuple(_at_zero(term) for term in terms.metered))


def contract_at_stripe(contract: ContractV2, way: UsageLines) -> ContractV2:
    """The same of a contract of version 2."""
    if way == "stripe":
        return contract
    items = tuple(
        item.model_copy(update={"price": Included(scheme="included")}) if isinstance(item, MeteredItem) else item
        for item in contract.items
    )
    return contract.model_copy(update={"items": items})


def _at_zero(term: MeteredTerm) -> MeteredTerm:
    return MeteredTerm(term.meter, "per_unit", (Tier(None, Decimal(0)),))
