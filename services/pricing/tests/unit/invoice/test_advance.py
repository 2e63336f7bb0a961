"""Licensed items for the term that starts."""

from decimal import Decimal

from pricing.engine import expected_invoice
from pricing.prices import Flat, Graduated, Tier
from pricing.terms import Rhythm
from pricing.testing import DAY, MARCH, on, seats, shown, some_terms


def test_bills_the_quantity_in_force_on_the_day_for_the_month_that_starts() -> None:
    invoice = expected_invoice(some_terms(seats((on(1), 3), (DAY, 4), (on(2, 3), 9))), DAY)

    assert shown(invoice) == [("seat", "advance", 12000)]
    assert invoice.lines[0].period == MARCH


def test_an_item_that_ends_on_the_day_is_not_billed() -> None:
    assert shown(expected_invoice(some_terms(seats(until=DAY)), DAY)) == []


def test_a_yearly_item_is_billed_on_the_first_day_of_its_term_alone() -> None:
    terms = some_terms(seats(rhythm=Rhythm.YEAR))

    billed = {month: shown(expected_invoice(terms, on(1, month))) for month in range(2, 13)}

    assert billed == {2: [("seat", "advance", 6000)]} | {month: [] for month in range(3, 13)}


def test_a_yearly_term_is_counted_from_its_own_anchor() -> None:
    terms = some_terms(seats(rhythm=Rhythm.YEAR, term_anchor=on(1, 6)))

    assert shown(expected_invoice(terms, on(1, 5))) == []
    assert shown(expected_invoice(terms, on(1, 6))) == [("seat", "advance", 6000)]


def test_a_tiered_item_has_a_line_per_tier() -> None:
    tiers = Graduated((Tier(2, Decimal(40)), Tier(None, Decimal(30))))

    invoice = expected_invoice(some_terms(seats((on(1), 5), price=tiers)), DAY)

    assert [(line.tier, line.amount.minor) for line in invoice.lines] == [("1-2", 8000), ("3-5", 9000)]


def test_a_flat_item_costs_the_same_for_any_quantity() -> None:
    assert shown(expected_invoice(some_terms(seats((on(1), 5), price=Flat(Decimal(49)))), DAY)) == [
        ("seat", "advance", 4900)
    ]


def test_the_line_tells_its_why() -> None:
    invoice = expected_invoice(some_terms(seats(price_version="2026-1")), DAY)

    why = invoice.lines[0].why
    assert (why.clause, why.quantity, why.formula) == ("items.seat", "2 in force at 2026-03-01", "2 × 30")
    assert (why.price_version, invoice.lines[0].rounding) == ("2026-1", "exact")
