"""The account of the entries: where each unit of each meter went. Source: design, nothing that was charged vanishes."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from pricing.draft import Draft, Segment
from pricing.lines import ZERO, CoveredBy, Kind, Line, MeterAccount

BILLED = (Kind.USAGE, Kind.OVERAGE)


def account(draft: Draft) -> tuple[MeterAccount, ...]:
    """
    One account per meter with usage, made of the lines as they are, not of what the steps believe to have written.

    Raises:
        AssertionError: units are missing or told twice. It is a fault of the engine, never of what it was given.
    """
    lines: dict[str, list[Line]] = {}
    for line in draft.lines:
        lines.setdefault(line.meter, []).append(line)
    segments: dict[str, list[Segment]] = {}
    for segment in draft.segments:
        segments.setdefault(segment.meter, []).append(segment)
    accounts = tuple(_of_meter(meter, segments[meter], lines.get(meter, []), draft) for meter in segments)
    for one in accounts:
        if one.net != one.told:
            raise AssertionError(f"{one.meter}: {one.net} units were charged and {one.told} are accounted for")
    return accounts


def _of_meter(meter: str, segments: list[Segment], lines: list[Line], draft: Draft) -> MeterAccount:
    unpriced = [segment for segment in segments if segment.item is None and not segment.free]
    return MeterAccount(
        meter=meter,
        charged=sum((segment.charged for segment in segments), ZERO),
        reversed=sum((segment.reversed for segment in segments), ZERO),
        on_lines=_units(line for line in lines if line.kind in BILLED),
        in_price=draft.in_price.get(meter, ZERO) + _covered(lines, CoveredBy.PRICE),
        in_allowance=_covered(lines, CoveredBy.ALLOWANCE),
        in_commitment=_covered(lines, CoveredBy.COMMITMENT),
        under_cap=sum((segment.capped for segment in segments), ZERO),
        free=sum((segment.left for segment in segments if segment.free), ZERO),
        unpriced=sum((segment.left for segment in unpriced), ZERO),
        unpriced_in=tuple(segment.span for segment in unpriced if segment.left),
    )


def _covered(lines: list[Line], by: CoveredBy) -> Decimal:
    return _units(line for line in lines if line.covered_by is by)


def _units(lines: Iterable[Line]) -> Decimal:
    return sum((line.quantity for line in lines if line.quantity is not None), ZERO)
