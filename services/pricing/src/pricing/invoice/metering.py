"""The units of each meter, in parts over which its terms do not change; not priced yet."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from event_schemas.times import Period
from pricing.draft import Basis, Draft, Segment
from pricing.periods import in_trial, say
from pricing.terms import Allowance, Metered, Spanned, Terms
from pricing.usage import Used


def metering(basis: Basis, draft: Draft) -> Draft:
    """
    A segment for each part of the period with units in it; each belongs to the item alive there, if there is one.

    Raises:
        ValueError: usage outside the period, over an instant at which the terms change, or reversed more than charged.
    """
    by_meter: dict[str, list[Used]] = {}
    for used in basis.usage:
        if used.span.start < basis.ended.start or used.span.end > basis.ended.end:
            raise ValueError(f"usage.{used.meter}: {say(used.span)} is not within {say(basis.ended)}, which is billed")
        by_meter.setdefault(used.meter, []).append(used)
    return draft.with_segments(
        segment for meter in sorted(by_meter) for segment in _segments(basis, meter, by_meter[meter])
    )


def usage_spans(terms: Terms, meter: str, period: Period) -> tuple[Period, ...]:
    """The parts of a period over which a meter's items, allowances and limits stay the same: sum usage within these."""
    return _spans(terms, [item for item in terms.metered if item.meter == meter], meter, period)


def _spans(terms: Terms, items: Iterable[Metered], meter: str, period: Period) -> tuple[Period, ...]:
    clauses: list[Spanned] = [*items]
    clauses += [clause for clause in allowances_in(terms, period) if clause.meter == meter]
    clauses += [clause for clause in terms.limits if clause.meter == meter]
    return tuple(_cut(period, clauses))


def allowances_in(terms: Terms, period: Period) -> tuple[Allowance, ...]:
    """The allowances of a period: in the trial its own, and only those."""
    if terms.trial is not None and in_trial(terms, period):
        return terms.trial.allowances
    return terms.allowances


def _cut(period: Period, clauses: Iterable[Spanned]) -> Sequence[Period]:
    bounds: set[datetime] = {period.start, period.end}
    for clause in clauses:
        bounds.update(at for at in (clause.start, clause.until) if at is not None and at in period)
    ordered = sorted(bounds)
    return [Period(start, end) for start, end in itertools.pairwise(ordered)]


def _segments(basis: Basis, meter: str, useds: list[Used]) -> Iterable[Segment]:
    free = meter in basis.terms.free_meters
    placed = 0
    for span in _spans(basis.terms, basis.by_meter.get(meter, ()), meter, basis.ended):
        inside = [used for used in useds if span.start <= used.span.start and used.span.end <= span.end]
        placed += len(inside)
        charged = sum((used.charged for used in inside), Decimal(0))
        reversed_ = sum((used.reversed for used in inside), Decimal(0))
        if charged < reversed_:
            raise ValueError(f"usage.{meter}: {reversed_} reversed and {charged} charged in {say(span)}")
        if charged:
            item = None if free else basis.item_of(meter, span.start)
            yield Segment(meter, span, item, free, charged, reversed_, charged - reversed_)
    if placed != len(useds):
        raise ValueError(f"usage.{meter}: its terms change within a span that it is summed over; sum by usage_spans")
