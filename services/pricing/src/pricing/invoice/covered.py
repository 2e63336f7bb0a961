"""Lines of units that cost nothing because something else covers them. Source: golden rule R7."""

from __future__ import annotations

from decimal import Decimal

from pricing.amounts import money
from pricing.draft import Basis
from pricing.lines import ZERO, CoveredBy, Kind, Line, Why
from pricing.periods import say


def included_line(
    basis: Basis, *, item: str, meter: str, quantity: Decimal, covered_by: CoveredBy, clause: str, of: int
) -> Line:
    """Units shown as kind included, at 0."""
    source = f"{quantity:f} of {of} units of {meter} in {say(basis.ended)}"
    return Line(
        item=item,
        kind=Kind.INCLUDED,
        amount=money(ZERO, basis.currency),
        period=basis.ended,
        why=Why(clause, source, f"{quantity:f} × 0", ZERO),
        meter=meter,
        quantity=quantity,
        unit_price=ZERO,
        covered_by=covered_by,
    )
