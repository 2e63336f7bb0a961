"""What a card can pay, where payments go in steps."""

import pytest

from event_schemas.values import Currency
from pricing.engine import expected_invoice
from pricing.testing import DAY, seats, some_terms


@pytest.mark.parametrize(
    ("price", "payable"), [("0.002", 0), ("0.0025", 10), ("0.005", 10), ("0.007", 10), ("0.0075", 20)]
)
def test_is_rounded_half_up_to_the_step(price: str, payable: int) -> None:
    invoice = expected_invoice(some_terms(seats(price=price), currency=Currency.KWD, card_step=10), DAY)

    assert invoice.payable.minor == payable
    assert invoice.amount_due.minor + invoice.payment_rounding.minor == payable


def test_a_step_of_one_changes_nothing() -> None:
    invoice = expected_invoice(some_terms(seats(price="1.01")), DAY)

    assert (invoice.payable, invoice.payment_rounding.minor) == (invoice.amount_due, 0)
