"""A change to a closed period is the difference of that period rated before and after."""

from dataclasses import replace
from decimal import Decimal

import pytest

from pricing.corrections import Document, correction
from pricing.engine import expected_invoice
from pricing.prices import Graduated, Tier
from pricing.terms import Allowance, PrepaidCredit, Taxes, TaxRate
from pricing.testing import DAY, on, outcomes, seats, some_terms, usd, used
from pricing.usage import BilledBefore

TIERS = Graduated((Tier(10, Decimal(2)), Tier(None, Decimal(1))))


def test_late_units_are_priced_in_the_tiers_of_their_own_period() -> None:
    terms = some_terms(outcomes(TIERS))

    late = correction(expected_invoice(terms, DAY, [used(8)]), expected_invoice(terms, DAY, [used(13)]))

    assert (late.document, late.total.minor) == (Document.PRIOR_PERIOD, 700)
    assert [(line.quantity, line.amount.minor) for line in late.prior_period_lines()] == [(5, 700)]


def test_a_credit_note_uses_the_rate_of_its_invoice() -> None:
    vat = Taxes((TaxRate("VAT", Decimal(23)),))
    terms = some_terms(outcomes("1"))

    note = correction(
        expected_invoice(terms, DAY, [used(8)], taxes=vat), expected_invoice(terms, DAY, [used(5)], taxes=vat)
    )

    assert (note.document, note.net.minor, note.total.minor) == (Document.CREDIT_NOTE, -300, -369)


def test_a_reversal_restores_the_allowance_and_costs_nothing() -> None:
    terms = some_terms(outcomes("1"), allowances=(Allowance("a", "outcome", 50),))

    note = correction(expected_invoice(terms, DAY, [used(40)]), expected_invoice(terms, DAY, [used(30)]))

    assert (note.document, note.items) == (Document.NOTHING, ())


def test_a_reversal_restores_the_prepaid_credit() -> None:
    terms = some_terms(outcomes("1"), prepaid=(PrepaidCredit("c", usd(1000)),))

    note = correction(expected_invoice(terms, DAY, [used(8)]), expected_invoice(terms, DAY, [used(5)]))

    assert (note.total.minor, dict(note.prepaid)) == (0, {"c": -300})


def test_late_units_are_not_paid_by_a_credit_that_later_invoices_spent() -> None:
    terms = some_terms(outcomes("1"), prepaid=(PrepaidCredit("c", usd(1000)),))
    rated_with = BilledBefore()
    stands = expected_invoice(terms, DAY, [used(8)], rated_with)  # draws 800; 200 are left, and drawn later

    reopened = rated_with.reopened(stands, drawn_by_now={"c": 1000})
    late = correction(stands, expected_invoice(terms, DAY, [used(11)], reopened))

    assert (late.total.minor, dict(late.prepaid)) == (300, {})


def test_terms_changed_afterwards_are_corrected_too() -> None:
    was, should_be = some_terms(seats((on(1), 5))), some_terms(seats((on(1), 5), (on(15), 4)))

    note = correction(expected_invoice(was, DAY), expected_invoice(should_be, DAY))

    assert note.total.minor == -3000 - 1500  # a seat of March, and half of one of February


def test_two_billing_days_are_not_compared() -> None:
    terms = some_terms(outcomes())

    with pytest.raises(ValueError, match="compares one billing day with itself"):
        correction(expected_invoice(terms, DAY), expected_invoice(terms, on(1, 4)))


def test_prior_periods_on_the_invoice_are_no_part_of_it() -> None:
    terms, march = some_terms(outcomes("1")), on(1, 4)
    late = correction(expected_invoice(terms, DAY, [used(1)]), expected_invoice(terms, DAY, [used(3)]))
    stands = expected_invoice(terms, march, (), BilledBefore(owed=(late,)))

    assert correction(stands, replace(expected_invoice(terms, march), billing_day=march)).document is Document.NOTHING
