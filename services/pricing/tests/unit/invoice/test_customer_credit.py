"""Credit that earlier invoices left, and what this one leaves."""

import pytest

from pricing.engine import expected_invoice
from pricing.testing import DAY, on, seats, some_terms
from pricing.usage import BilledBefore


def test_a_negative_total_becomes_credit_and_nothing_is_paid_out() -> None:
    invoice = expected_invoice(some_terms(seats(until=on(15))), DAY, (), BilledBefore(customer_credit=200))

    assert (invoice.total.minor, invoice.amount_due.minor, invoice.customer_credit_after.minor) == (-3000, 0, 3200)


@pytest.mark.parametrize(("credit", "due", "after"), [(0, 6000, 0), (1000, 5000, 0), (6000, 0, 0), (9000, 0, 3000)])
def test_credit_pays_after_tax(credit: int, due: int, after: int) -> None:
    invoice = expected_invoice(some_terms(seats()), DAY, (), BilledBefore(customer_credit=credit))

    assert (invoice.amount_due.minor, invoice.customer_credit_after.minor) == (due, after)
    assert invoice.total.minor + invoice.balance_applied.minor == invoice.amount_due.minor
