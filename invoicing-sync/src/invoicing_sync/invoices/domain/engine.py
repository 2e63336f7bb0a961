"""From the terms of a contract, version 1, to those of the pricing engine: the same money in the engine's words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import pricing.prices as models
import pricing.terms as engine
from event_schemas.times import Period, iso
from invoicing_sync.contracts.domain.terms import MeteredTerm, Terms
from pricing.invoice.metering import usage_spans
from pricing.usage import Used

LICENSED, METERED = "licensed.", "metered."  # keys of items: the list of the contract in which they stand, and the name


def engine_terms(terms: Terms, *, revision: int) -> engine.Terms:
    """
    What version 1 can say: licensed items and meters at one price each, from the billing anchor on and for good.

    An item's key is its place in the contract (`licensed.essential_seat`, `metered.resolution`), so that an item and a
    meter of one name stay apart; its price version is the contract's revision.
    """
    start, version = terms.billing_anchor, f"contract revision {revision}"
    licensed = [
        engine.Licensed(
            key=LICENSED + term.item,
            price=models.PerUnit(term.unit_price),
            quantities=(engine.QuantityFrom(start, term.quantity),),
            start=start,
            price_version=version,
        )
        for term in terms.licensed
    ]
    metered = [
        engine.Metered(METERED + term.meter, term.meter, engine_price(term), start, price_version=version)
        for term in terms.metered
    ]
    return engine.Terms(terms.currency, start, (*licensed, *metered), free_meters=terms.free)


def engine_price(term: MeteredTerm) -> models.Price:
    """The price of a meter."""
    if term.scheme == "per_unit":
        return models.PerUnit(term.tiers[0].unit_price)
    return models.Graduated(tuple(models.Tier(tier.up_to, tier.unit_price) for tier in term.tiers))


def cuts(terms: engine.Terms, period: Period) -> list[datetime]:
    """Where usage must be summed apart: the starts of all parts of a period over which each meter's terms hold."""
    meters = {item.meter for item in terms.metered}
    return sorted({period.start, *(span.start for meter in meters for span in usage_spans(terms, meter, period))})


class Sums:
    """
    The usage of a period, one sum for each meter and part of it over which the meter's terms hold. It only grows, and
    the order in which usage comes does not matter.
    """

    def __init__(self, terms: engine.Terms, period: Period, usage: Iterable[Used] = ()) -> None:
        self._terms, self._period = terms, period
        self._spans: dict[str, tuple[Period, ...]] = {}
        self._sums: dict[tuple[str, Period], tuple[Decimal, Decimal]] = {}
        for used in usage:
            self.add(used)

    def add(self, used: Used) -> None:
        """
        Count an entry, or a sum over one of the parts.

        Raises:
            ValueError: it is of another period.
        """
        if used.meter not in self._spans:
            self._spans[used.meter] = usage_spans(self._terms, used.meter, self._period)
        span = next((span for span in self._spans[used.meter] if used.span.start in span), None)
        if span is None:
            raise ValueError(f"usage of {used.meter} from {iso(used.span.start)} is not of this period")
        charged, reversed_ = self._sums.get((used.meter, span), (Decimal(0), Decimal(0)))
        self._sums[used.meter, span] = charged + used.charged, reversed_ + used.reversed

    def billable(self) -> tuple[Used, ...]:
        """
        The sums for the engine, in which no more is reversed than was charged.

        More reversals than charges can only be a charge that has not come yet: they bill nothing, as at Stripe.
        """
        return tuple(
            Used(meter, span, charged, min(charged, reversed_))
            for (meter, span), (charged, reversed_) in self._sums.items()
        )
