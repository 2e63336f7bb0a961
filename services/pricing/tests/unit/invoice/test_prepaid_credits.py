"""Credits paid ahead."""

from decimal import Decimal

from pricing.engine import expected_invoice
from pricing.terms import Discount, PrepaidCredit, Scope, Taxes, TaxRate
from pricing.testing import DAY, on, outcomes, seats, shown, some_terms, usd, used
from pricing.usage import BilledBefore

TEN = PrepaidCredit("ten", usd(1000))


def test_pays_metered_items_and_no_seats() -> None:
    invoice = expected_invoice(some_terms(seats(), outcomes("1"), prepaid=(TEN,)), DAY, [used(7)])

    assert shown(invoice)[2:] == [("outcome", "credit_drawdown", -700)]
    assert (invoice.net.minor, dict(invoice.drawn)) == (6000, {"ten": 700})


def test_what_was_drawn_before_is_gone() -> None:
    before = BilledBefore(prepaid_drawn={"ten": 900})

    invoice = expected_invoice(some_terms(outcomes("1"), prepaid=(TEN,)), DAY, [used(7)], before)

    assert dict(invoice.drawn) == {"ten": 100}
    assert dict(before.plus(invoice).prepaid_drawn) == {"ten": 1000}


def test_comes_after_discounts_and_before_tax() -> None:
    half = Discount("d", Scope.ITEM, "outcome", Decimal(50))
    terms = some_terms(outcomes("1"), prepaid=(PrepaidCredit("c", usd(200)),), discounts=(half,))

    invoice = expected_invoice(terms, DAY, [used(10)], taxes=Taxes((TaxRate("VAT", Decimal(10)),)))

    assert (invoice.net.minor, invoice.total.minor) == (300, 330)


def test_the_first_to_expire_goes_first() -> None:
    later = PrepaidCredit("later", usd(500), until=on(1, 9))
    sooner = PrepaidCredit("sooner", usd(500), until=on(1, 6))

    invoice = expected_invoice(some_terms(outcomes("1"), prepaid=(TEN, later, sooner)), DAY, [used(7)])

    assert dict(invoice.drawn) == {"sooner": 500, "later": 200}


def test_an_expired_credit_pays_nothing() -> None:
    gone = PrepaidCredit("gone", usd(500), until=DAY)

    assert dict(expected_invoice(some_terms(outcomes("1"), prepaid=(gone,)), DAY, [used(7)]).drawn) == {}


def test_pays_only_the_items_that_it_names() -> None:
    sms = outcomes("1", key="sms", meter="sms")
    terms = some_terms(outcomes("1"), sms, prepaid=(PrepaidCredit("c", usd(1000), ("sms",)),))

    assert dict(expected_invoice(terms, DAY, [used(7), used(2, meter="sms")]).drawn) == {"c": 200}
