"""Credits paid ahead: they pay metered items, after discounts and before tax. Source: golden rule R10, case G20."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from event_schemas.values import Money
from pricing.amounts import major
from pricing.draft import Basis, Draft, net_by_item
from pricing.lines import Kind, Line, Why
from pricing.terms import PrepaidCredit, in_force

NEVER = datetime.max.replace(tzinfo=UTC)


def prepaid_credits(basis: Basis, draft: Draft) -> Draft:
    """Draw on the credits alive on the billing day, the first to expire first, item by item in the contract's order."""
    metered = [item.key for item in basis.terms.metered]
    drawn: dict[str, int] = {}
    alive = [credit for credit in basis.terms.prepaid if in_force(credit, basis.billing_day)]
    for credit in sorted(alive, key=lambda credit: credit.until or NEVER):
        room = credit.amount.minor - basis.before.prepaid_drawn.get(credit.key, 0)
        left = net_by_item(basis, draft.lines)
        lines = []
        for item in metered:
            part = min(room, left.get(item, 0))
            if part <= 0 or (credit.items is not None and item not in credit.items):
                continue
            lines.append(_line(basis, credit, item, part, room))
            room -= part
            drawn[credit.key] = drawn.get(credit.key, 0) + part
        draft = draft.plus(lines)
    return replace(draft, drawn=drawn)


def _line(basis: Basis, credit: PrepaidCredit, item: str, part: int, room: int) -> Line:
    amount = Money(-part, basis.currency)
    return Line(
        item=item,
        kind=Kind.CREDIT_DRAWDOWN,
        amount=amount,
        period=basis.ended,
        why=Why(
            f"prepaid.{credit.key}",
            f"{Money(room, basis.currency)} left of {credit.amount}",
            f"the smaller of what is left and what {item} comes to",
            major(amount),
        ),
    )
