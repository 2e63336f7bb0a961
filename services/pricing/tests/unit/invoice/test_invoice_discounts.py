"""Discounts on the whole invoice."""

from decimal import Decimal

from pricing.engine import expected_invoice
from pricing.terms import Discount, Minimum, Scope
from pricing.testing import DAY, on, outcomes, seats, shown, some_terms, usd, used

TENTH = Discount("d", Scope.INVOICE, percent=Decimal(10))


def test_is_rounded_once_and_shared_by_largest_remainder() -> None:
    items = [outcomes("0.05", key=name, meter=name) for name in "abc"]

    invoice = expected_invoice(some_terms(*items, discounts=(TENTH,)), DAY, [used(1, meter=name) for name in "abc"])

    assert shown(invoice)[3:] == [("a", "discount", -1), ("b", "discount", -1)]  # 1.5 is 2; ties go to the earlier


def test_an_amount_is_shared_too_and_takes_at_most_what_is_there() -> None:
    big = Discount("d", Scope.INVOICE, amount=usd(99999))

    invoice = expected_invoice(some_terms(seats(), outcomes("1"), discounts=(big,)), DAY, [used(10)])

    assert invoice.net.minor == 0


def test_credits_for_seats_lower_what_it_is_taken_from() -> None:
    terms = some_terms(seats(until=on(15)), outcomes("1"), discounts=(TENTH,))

    assert shown(expected_invoice(terms, DAY, [used(50)]))[2:] == [
        ("seat", "discount", 300),
        ("outcome", "discount", -500),
    ]


def test_an_invoice_that_owes_nothing_has_none() -> None:
    assert len(expected_invoice(some_terms(seats(until=on(15)), discounts=(TENTH,)), DAY).lines) == 1


def test_a_shortfall_is_discounted_with_the_rest() -> None:
    terms = some_terms(outcomes("1"), minimums=(Minimum("m", "outcome", usd(500)),), discounts=(TENTH,))

    assert expected_invoice(terms, DAY).net.minor == 450
