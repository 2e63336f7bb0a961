"""Credit that earlier invoices left, and what this one leaves. Source: golden rule R10, case G24."""

from __future__ import annotations

from dataclasses import replace

from event_schemas.values import Money
from pricing.draft import Basis, Draft, Settlement, net_minor


def customer_credit(basis: Basis, draft: Draft) -> Draft:
    """Credit pays after tax. A negative total becomes credit; nothing is paid out by itself."""
    total = net_minor(draft.lines) + sum(row.amount.minor for row in draft.tax)
    credit = basis.before.customer_credit
    applied = min(credit, max(total, 0))
    due = max(total, 0) - applied
    after = credit - applied + max(-total, 0)
    amounts = (Money(minor, basis.currency) for minor in (total, -applied, due, after, due))
    return replace(draft, settlement=Settlement(*amounts))
