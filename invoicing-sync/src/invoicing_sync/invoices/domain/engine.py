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


def summed(terms: engine.Terms, usage: Iterable[Used], period: Period) -> tuple[Used, ...]:
    """
    One sum for each meter and part of the period, in which no more is reversed than was charged.

    More reversals than charges can only be a charge that has not come yet: they bill nothing, as at Stripe.

    Raises:
        ValueError: usage of another period.
    """
    spans: dict[str, tuple[Period, ...]] = {}
    sums: dict[tuple[str, Period], tuple[Decimal, Decimal]] = {}
    for used in usage:
        if used.meter not in spans:
            spans[used.meter] = usage_spans(terms, used.meter, period)
        key = used.meter, _span_of(used, spans[used.meter])
        charged, reversed_ = sums.get(key, (Decimal(0), Decimal(0)))
        sums[key] = (charged + used.charged, reversed_ + used.reversed)
    return tuple(
        Used(meter, span, charged, min(charged, reversed_))
        for (meter, span), (charged, reversed_) in sorted(sums.items(), key=lambda each: (each[0][0], each[0][1].start))
    )


def _span_of(used: Used, spans: Iterable[Period]) -> Period:
    for span in spans:
        if used.span.start in span:
            return span
    raise ValueError(f"usage of {used.meter} from {iso(used.span.start)} is not of this period")
