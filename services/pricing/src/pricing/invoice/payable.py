"""What a card can pay, where payments go in steps. Source: golden rule R12, case G14."""

from __future__ import annotations

from dataclasses import replace

from event_schemas.values import Money
from pricing.draft import Basis, Draft


def payable(basis: Basis, draft: Draft) -> Draft:
    """The amount due, rounded half up to the step; the invoice does not change, the gap is told."""
    assert draft.settlement is not None  # customer credit comes before
    step = basis.terms.card_step
    rounded = (2 * draft.settlement.amount_due.minor + step) // (2 * step) * step
    return replace(draft, settlement=replace(draft.settlement, payable=Money(rounded, basis.currency)))
