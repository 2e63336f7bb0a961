"""Units that a plan, an add-on or a trial includes. Source: golden rule R7, cases G15, G17 and G19."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from pricing.draft import Basis, Draft, Segment
from pricing.invoice.covered import included_line
from pricing.invoice.metering import allowances_in
from pricing.lines import ZERO, CoveredBy
from pricing.terms import in_force


def allowance(basis: Basis, draft: Draft) -> Draft:
    """Take off what allowances cover, the earliest units first; what is not used lapses, nothing is prorated."""
    allowances = allowances_in(basis.terms, basis.ended)
    if not allowances:
        return draft
    room = {clause.key: Decimal(clause.quantity) for clause in allowances}
    taken: dict[tuple[str, str], Decimal] = {}
    segments: list[Segment] = []
    for segment in draft.segments:
        left = segment.left
        for clause in allowances:
            if segment.item is None or clause.meter != segment.meter or not in_force(clause, segment.span.start):
                continue
            covered = min(left, room[clause.key])
            left -= covered
            room[clause.key] -= covered
            taken[clause.key, segment.item.key] = taken.get((clause.key, segment.item.key), ZERO) + covered
        if left != segment.left:
            segment = replace(segment, left=left, included=segment.left - left)
        segments.append(segment)
    by_key = {clause.key: clause for clause in allowances}
    return draft.with_segments(segments).plus(
        included_line(
            basis,
            item=item,
            meter=by_key[key].meter,
            quantity=quantity,
            covered_by=CoveredBy.ALLOWANCE,
            clause=f"allowances.{key}",
            of=by_key[key].quantity,
        )
        for (key, item), quantity in taken.items()
        if quantity
    )
