"""Units paid for whether they are used or not."""

from decimal import Decimal

import pytest

from event_schemas.values import Currency
from pricing.engine import expected_invoice
from pricing.terms import Allowance, Commitment, CommitmentBilling, QuantityFrom
from pricing.testing import DAY, MARCH, on, outcomes, shown, some_terms, used


def committed(bill: CommitmentBilling, *ramp: tuple[int, int]) -> Commitment:
    steps = tuple(QuantityFrom(on(1, month), units) for month, units in ramp or [(2, 100)])
    return Commitment("c", "outcome", Decimal("0.9"), Currency.USD, steps, bill)


def test_in_advance_the_coming_month_is_billed_and_the_past_one_covered() -> None:
    terms = some_terms(outcomes("1"), commitments=(committed(CommitmentBilling.ADVANCE, (2, 100), (3, 200)),))

    invoice = expected_invoice(terms, DAY, [used(130)])

    assert shown(invoice) == [
        ("outcome", "commitment", 18000),
        ("outcome", "included", 0),
        ("outcome", "overage", 3000),
    ]
    assert (invoice.lines[0].period, invoice.lines[1].quantity) == (MARCH, 100)


def test_in_arrears_commitment_and_usage_are_of_one_month() -> None:
    terms = some_terms(outcomes("1"), commitments=(committed(CommitmentBilling.ARREARS, (2, 100), (3, 200)),))

    assert shown(expected_invoice(terms, DAY, [used(130)])) == [
        ("outcome", "commitment", 9000),
        ("outcome", "included", 0),
        ("outcome", "overage", 3000),
    ]


@pytest.mark.parametrize(
    ("units", "lines"),
    [
        (0, [("outcome", "shortfall", 9000)]),
        (70, [("outcome", "usage", 6300), ("outcome", "shortfall", 2700)]),
        (100, [("outcome", "usage", 9000)]),
        (130, [("outcome", "usage", 9000), ("outcome", "overage", 3000)]),
    ],
)
def test_as_a_shortfall_only_what_is_missing_is_billed_beside_usage(
    units: int, lines: list[tuple[str, str, int]]
) -> None:
    terms = some_terms(outcomes("1"), commitments=(committed(CommitmentBilling.SHORTFALL),))

    assert shown(expected_invoice(terms, DAY, [used(units)])) == lines


def test_an_allowance_is_used_before_the_commitment() -> None:
    terms = some_terms(
        outcomes("1"), commitments=(committed(CommitmentBilling.ARREARS),), allowances=(Allowance("a", "outcome", 40),)
    )

    account = expected_invoice(terms, DAY, [used(130)]).account[0]

    assert (account.in_allowance, account.in_commitment, account.on_lines) == (40, 90, 0)


def test_a_reversal_restores_the_commitment() -> None:
    terms = some_terms(outcomes("1"), commitments=(committed(CommitmentBilling.ARREARS),))

    assert shown(expected_invoice(terms, DAY, [used(130, reversed_=40)])) == [
        ("outcome", "commitment", 9000),
        ("outcome", "included", 0),
    ]


def test_before_the_ramp_begins_nothing_is_committed() -> None:
    terms = some_terms(outcomes("1"), commitments=(committed(CommitmentBilling.ARREARS, (3, 100)),))

    assert shown(expected_invoice(terms, DAY, [used(7)])) == [("outcome", "usage", 700)]
