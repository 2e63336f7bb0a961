"""Units paid for whether they are used or not. Source: golden rule R7, cases G08 and G26."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from event_schemas.times import Period
from pricing.amounts import money
from pricing.draft import Basis, Draft
from pricing.invoice.covered import included_line
from pricing.lines import ZERO, CoveredBy, Kind, Line, Why
from pricing.models.charge import times
from pricing.periods import say
from pricing.terms import Commitment, CommitmentBilling


def commitment(basis: Basis, draft: Draft) -> Draft:
    """The commitments' own lines, and what they cover taken off; units above are overage, at the item's price."""
    for clause in basis.terms.commitments:
        if clause.bill is CommitmentBilling.ADVANCE and (units := clause.quantity_at(basis.billing_day)):
            draft = draft.plus([_line(basis, clause, Kind.COMMITMENT, Decimal(units), basis.starts)])
        units = committed_units(basis, clause)
        if units:
            draft = _cover(basis, draft, clause, units)
    return draft


def committed_units(basis: Basis, clause: Commitment) -> int:
    """Units that a commitment covers in the period that ended; a trial has none."""
    return 0 if basis.in_trial else clause.quantity_at(basis.ended.start)


def _cover(basis: Basis, draft: Draft, clause: Commitment, units: int) -> Draft:
    room = Decimal(units)
    taken: dict[str, Decimal] = {}
    segments = []
    for segment in draft.segments:
        if segment.meter == clause.meter and segment.item is not None:
            covered = min(segment.left, room)
            room -= covered
            taken[segment.item.key] = taken.get(segment.item.key, ZERO) + covered
            segments.append(replace(segment, left=segment.left - covered, committed=segment.committed + covered))
        else:
            segments.append(segment)
    used = {item: quantity for item, quantity in taken.items() if quantity}
    return draft.with_segments(segments).plus(_lines(basis, clause, units, used, room))


def _lines(basis: Basis, clause: Commitment, units: int, used: dict[str, Decimal], unused: Decimal) -> Iterator[Line]:
    if clause.bill is CommitmentBilling.SHORTFALL:
        for item, quantity in used.items():
            yield _line(basis, clause, Kind.USAGE, quantity, basis.ended, item)
        if unused:
            yield _line(basis, clause, Kind.SHORTFALL, unused, basis.ended)
        return
    if clause.bill is CommitmentBilling.ARREARS:
        yield _line(basis, clause, Kind.COMMITMENT, Decimal(units), basis.ended)
    for item, quantity in used.items():
        yield included_line(
            basis,
            item=item,
            meter=clause.meter,
            quantity=quantity,
            covered_by=CoveredBy.COMMITMENT,
            clause=f"commitments.{clause.key}",
            of=units,
        )


def _line(
    basis: Basis, clause: Commitment, kind: Kind, quantity: Decimal, period: Period, item: str | None = None
) -> Line:
    exact, formula = times(quantity, clause.unit_price)
    return Line(
        item=item or basis.name_of(clause.meter, period),
        kind=kind,
        amount=money(exact, basis.currency),
        period=period,
        why=Why(f"commitments.{clause.key}", f"committed for {say(period)}", formula, exact, clause.price_version),
        meter=clause.meter,
        quantity=quantity,
        unit_price=clause.unit_price,
    )
