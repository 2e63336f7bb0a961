"""Positive corrections of earlier periods, priced and discounted there. Source: golden rule R9, case G23."""

from __future__ import annotations

from pricing.draft import Basis, Draft


def prior_periods(basis: Basis, draft: Draft) -> Draft:
    """
    A line for each item of each correction that is owed.

    Raises:
        ValueError: a correction is no prior-period line: it is negative and belongs into a credit note.
    """
    for correction in basis.before.owed:
        draft = draft.plus(correction.prior_period_lines())
    return draft
