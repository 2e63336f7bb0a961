"""Minimums: the gap to the agreed amount. Source: golden rule R7, case G07."""

from __future__ import annotations

from event_schemas.values import Money
from pricing.amounts import major
from pricing.draft import Basis, Draft
from pricing.lines import Kind, Line, Why
from pricing.periods import say
from pricing.terms import in_force


def minimum(basis: Basis, draft: Draft) -> Draft:
    """A shortfall line where the items of a meter come to less, after line discounts; in the trial there is none."""
    if basis.in_trial:
        return draft
    for clause in basis.terms.minimums:
        if not in_force(clause, basis.ended.start):
            continue
        items = [item.key for item in basis.alive(clause.meter, basis.ended)]
        if not items:
            continue  # the contract had not begun, or the meter is no longer sold
        net = Money(sum(line.amount.minor for line in draft.lines if line.item in items), basis.currency)
        gap = clause.amount - net
        if gap.minor <= 0:
            continue
        line = Line(
            item=items[-1],
            kind=Kind.SHORTFALL,
            amount=gap,
            period=basis.ended,
            why=Why(
                f"minimums.{clause.key}",
                f"{net} net of {clause.meter} in {say(basis.ended)}",
                f"{clause.amount} - {net}",
                major(gap),
            ),
            meter=clause.meter,
            minimum=clause.amount,
        )
        draft = draft.plus([line])
    return draft
