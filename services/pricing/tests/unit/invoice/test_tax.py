"""Tax on top of the net amount."""

from decimal import Decimal

from pricing.engine import expected_invoice
from pricing.terms import Taxes, TaxRate, TaxRounding
from pricing.testing import DAY, on, outcomes, seats, some_terms, used

VAT = TaxRate("VAT", Decimal(10))


def test_two_rates_have_a_row_each() -> None:
    taxes = Taxes((TaxRate("state", Decimal(6)), TaxRate("city", Decimal("2.5"))))

    invoice = expected_invoice(some_terms(seats()), DAY, taxes=taxes)

    assert [(row.name, row.base.minor, row.amount.minor) for row in invoice.tax] == [
        ("state", 6000, 360),
        ("city", 6000, 150),
    ]
    assert invoice.total.minor == 6510


def test_a_rate_may_cover_some_items_alone() -> None:
    taxes = Taxes((TaxRate("VAT", Decimal(10), ("seat",)),))

    invoice = expected_invoice(some_terms(seats(), outcomes("1")), DAY, [used(10)], taxes=taxes)

    assert (invoice.net.minor, invoice.total.minor) == (7000, 7600)


def test_by_line_each_printed_line_is_rounded() -> None:
    items = [outcomes("0.05", key=name, meter=name) for name in "abc"]
    usage = [used(1, meter=name) for name in "abc"]

    by_invoice = expected_invoice(some_terms(*items), DAY, usage, taxes=Taxes((VAT,)))
    by_line = expected_invoice(some_terms(*items), DAY, usage, taxes=Taxes((VAT,), TaxRounding.LINE))

    assert (by_invoice.tax[0].amount.minor, by_line.tax[0].amount.minor) == (2, 3)


def test_a_credit_has_its_tax_back() -> None:
    invoice = expected_invoice(some_terms(seats(until=on(15))), DAY, taxes=Taxes((VAT,)))

    assert (invoice.net.minor, invoice.total.minor) == (-3000, -3300)


def test_a_rate_of_nothing_is_told() -> None:
    invoice = expected_invoice(some_terms(seats()), DAY, taxes=Taxes((TaxRate("reverse charge", Decimal(0)),)))

    assert [(row.name, row.amount.minor) for row in invoice.tax] == [("reverse charge", 0)]
