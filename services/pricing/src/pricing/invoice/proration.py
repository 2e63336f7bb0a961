"""Changes of licensed quantities in the period that ended: a credit and a debit each. Source: golden rule R3."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from event_schemas.times import MICROSECOND, Period
from event_schemas.values import EXACT
from pricing.amounts import money, part_of
from pricing.draft import Basis, Draft
from pricing.lines import ZERO, Factor, Kind, Line, Why
from pricing.models import priced
from pricing.periods import say, say_instant
from pricing.terms import Licensed, Proration

DAY = timedelta(days=1)


def proration(basis: Basis, draft: Draft) -> Draft:
    """
    Each change makes a credit for the old quantity and a debit for the new one, over what is left of the item's term.

    In order of time, credits before debits; a side with quantity 0 is left out. A trial has none: seats are free in it.
    """
    if basis.in_trial or basis.terms.proration is Proration.NONE:
        return draft
    lines = [line for item in basis.terms.licensed for line in _lines(basis, item)]
    lines.sort(key=lambda line: (line.at, line.kind is Kind.PRORATION_DEBIT))  # stable: then in the contract's order
    return draft.plus(lines)


def factor(rule: Proration, term: Period, at: datetime) -> Factor:
    """
    What is left of a term at an instant in it.

    By second it is measured to the microsecond. By day the day of the change counts as left: seats are paid for each
    day on which they are held. Days are counted from the start of the term.
    """
    if rule is Proration.DAY:
        return Factor((term.end - term.start) // DAY - (at - term.start) // DAY, (term.end - term.start) // DAY)
    return Factor((term.end - at) // MICROSECOND, (term.end - term.start) // MICROSECOND)


def _lines(basis: Basis, item: Licensed) -> list[Line]:
    changes = {entry.at for entry in item.quantities} | {item.start, item.until}
    lines: list[Line] = []
    for at in sorted(at for at in changes if at is not None and at in basis.ended):
        term = basis.term(item, at)
        if at == term.start:
            continue  # the advance line of that day has the new quantity
        old, new = item.quantity_at(at - MICROSECOND), item.quantity_at(at)
        if old == new:
            continue
        lines += [
            _line(basis, item, term, at, quantity, kind)
            for quantity, kind in ((old, Kind.PRORATION_CREDIT), (new, Kind.PRORATION_DEBIT))
            if quantity
        ]
    return lines


def _line(basis: Basis, item: Licensed, term: Period, at: datetime, quantity: int, kind: Kind) -> Line:
    charges = priced(item.price, Decimal(quantity)).charges
    whole = ZERO
    for charge in charges:
        whole = EXACT.add(whole, charge.exact)
    left = factor(basis.terms.proration, term, at)
    exact = part_of(whole, left.left, left.whole)
    sign = ""
    if kind is Kind.PRORATION_CREDIT:
        exact, sign = exact.copy_negate(), "-"  # a unary minus would round to the context of the thread
    formula = " + ".join(charge.formula for charge in charges)
    unit = "days" if basis.terms.proration is Proration.DAY else "microseconds"
    return Line(
        item=item.key,
        kind=kind,
        amount=money(exact, basis.currency),
        period=Period(at, term.end),
        why=Why(
            f"items.{item.key}",
            f"{quantity} {'until' if sign else 'from'} {say_instant(at)}, paid for {say(term)}",
            f"{sign}({formula}) × {left.left} / {left.whole} {unit}",
            exact,
            item.price_version,
        ),
        quantity=Decimal(quantity),
        unit_price=charges[0].unit_price if len(charges) == 1 else None,
        at=at,
        factor=left,
    )
