"""The clauses of a golden case beside its items, from commitments to the trial."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from event_schemas.times import month_after, parse_instant
from pricing.terms import (
    Allowance,
    Commitment,
    CommitmentBilling,
    Discount,
    HardLimit,
    Minimum,
    PrepaidCredit,
    QuantityFrom,
    Scope,
    Trial,
)

if TYPE_CHECKING:
    from pricing.golden.case import Case


def clauses(case: Case) -> dict[str, Any]:
    """The fields of `Terms` that a case has something to say about."""
    given = case.inputs
    found: dict[str, Any] = {"discounts": tuple(_discounts(case))}
    if commitment := given.get("commitment"):
        found["commitments"] = (_commitment(case, commitment),)
    if minimum := given.get("minimum"):
        found["minimums"] = (Minimum("minimum", minimum["item"], case.money(minimum["amount"])),)
    if limit := given.get("hard_limit"):
        found["limits"] = (HardLimit("hard_limit", limit["item"], limit["qty"]),)
    if credit := given.get("prepaid_credits"):
        found["prepaid"] = (PrepaidCredit("prepaid", case.money(credit["amount"]), tuple(credit["applies_to"])),)
    if included := given.get("included"):
        found["allowances"] = _allowances(included)
    if trial := given.get("trial"):
        start, until = map(parse_instant, trial)
        found["trial"] = Trial(start, until, _allowances(given.get("trial_included", {})))
    return found


def _allowances(included: dict[str, Any]) -> tuple[Allowance, ...]:
    return tuple(Allowance(meter, meter, units) for meter, units in included.items() if meter != "rollover")


def _discounts(case: Case) -> Iterator[Discount]:
    for place, given in enumerate(case.inputs.get("discounts", ())):
        yield Discount(
            key=f"discount-{place}",
            scope=Scope.ITEM if given["scope"] == "line" else Scope.INVOICE,
            item=given.get("item"),
            percent=Decimal(given["percent"]),
            start=parse_instant(f"{given['from']}T00:00:00Z") if "from" in given else None,
            invoices=given.get("invoices"),
        )


def _commitment(case: Case, given: dict[str, Any]) -> Commitment:
    if "ramp" in given:  # the file dates a step by its invoice, which comes at the end of the month committed
        ramp = tuple(
            QuantityFrom(month_after(parse_instant(f"{step['date']}T00:00:00Z"), -1), step["qty"])
            for step in given["ramp"]
        )
    else:
        ramp = (QuantityFrom(case.anchor, given["qty"]),)
    bill = CommitmentBilling(given["bill"])
    return Commitment("commitment", given["item"], Decimal(given["unit"]), case.currency, ramp, bill)
