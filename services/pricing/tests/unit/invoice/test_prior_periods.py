"""Positive corrections of earlier periods."""

from decimal import Decimal

import pytest

from pricing.corrections import correction
from pricing.engine import expected_invoice
from pricing.terms import Discount, PrepaidCredit, Scope, Taxes, TaxRate
from pricing.testing import DAY, on, outcomes, shown, some_terms, usd, used
from pricing.usage import BilledBefore

TERMS = some_terms(outcomes("1"))


def test_no_later_discount_credit_or_rate_touches_them() -> None:
    vat = Taxes((TaxRate("VAT", Decimal(10)),))
    late = correction(
        expected_invoice(TERMS, DAY, [used(10)], taxes=vat), expected_invoice(TERMS, DAY, [used(14)], taxes=vat)
    )
    terms = some_terms(
        outcomes("1"),
        discounts=(
            Discount("d", Scope.ITEM, "outcome", Decimal(50)),
            Discount("i", Scope.INVOICE, percent=Decimal(50)),
        ),
        prepaid=(PrepaidCredit("c", usd(99999)),),
    )

    invoice = expected_invoice(
        terms, on(1, 4), (), BilledBefore(owed=(late,)), taxes=Taxes((TaxRate("VAT", Decimal(20)),))
    )

    assert shown(invoice) == [("outcome", "prior_period", 400)]
    assert [(row.percent, row.amount.minor) for row in invoice.tax] == [(20, 0), (10, 40)]
    assert invoice.total.minor == 440


def test_a_credit_note_is_refused() -> None:
    early = correction(expected_invoice(TERMS, DAY, [used(10)]), expected_invoice(TERMS, DAY, [used(7)]))

    with pytest.raises(ValueError, match=r"comes to USD -3\.00: that is a credit note"):
        expected_invoice(TERMS, on(1, 4), (), BilledBefore(owed=(early,)))


def test_they_are_owed_once() -> None:
    late = correction(expected_invoice(TERMS, DAY, [used(10)]), expected_invoice(TERMS, DAY, [used(14)]))
    before = BilledBefore(owed=(late,))

    assert before.plus(expected_invoice(TERMS, on(1, 4), (), before)).owed == ()
