"""`expected_invoice`: terms, usage and what was billed before in; the invoice of a billing day out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from event_schemas.values import Money
from pricing.account import account
from pricing.draft import Basis, Draft, net_minor
from pricing.lines import Invoice
from pricing.periods import beside, in_trial
from pricing.steps import STEPS
from pricing.terms import NO_TAX, Metered, Taxes, Terms
from pricing.usage import NOTHING_BEFORE, BilledBefore, Used


def expected_invoice(
    terms: Terms,
    billing_day: datetime,
    usage: Iterable[Used] = (),
    billed_before: BilledBefore = NOTHING_BEFORE,
    *,
    taxes: Taxes = NO_TAX,
) -> Invoice:
    """
    The invoice of one billing day: what the terms ask for, line by line, and where every unit of the usage went.

    Licensed items for the term that starts, metered items and prorations for the period that ended. The same arguments
    give the same invoice. The terms are taken at their word: what contradicts itself is found by `contradictions`.

    Args:
        usage: entries, or sums over `usage_spans`, of the period that ended on `billing_day`.
        taxes: the rates that hold for this invoice, found elsewhere.

    Raises:
        ValueError: `billing_day` is none of these terms, or the usage is not of that period; says which.
    """
    ended, starts = beside(terms, billing_day)
    by_meter: dict[str, list[Metered]] = {}
    for item in terms.metered:
        by_meter.setdefault(item.meter, []).append(item)
    basis = Basis(
        terms, billing_day, ended, starts, in_trial(terms, ended), tuple(usage), billed_before, taxes, by_meter
    )
    draft = Draft()
    for step in STEPS:
        draft = step.run(basis, draft)
    return _invoice(basis, draft)


def _invoice(basis: Basis, draft: Draft) -> Invoice:
    settled = draft.settlement
    assert settled is not None  # customer credit is one of the steps
    return Invoice(
        billing_day=basis.billing_day,
        ended=basis.ended,
        starts=basis.starts,
        lines=draft.lines,
        net=Money(net_minor(draft.lines), basis.currency),
        tax=draft.tax,
        total=settled.total,
        balance_applied=settled.balance_applied,
        amount_due=settled.amount_due,
        customer_credit_after=settled.customer_credit_after,
        payable=settled.payable,
        payment_rounding=settled.payable - settled.amount_due,
        drawn=draft.drawn,
        account=account(draft),
    )
