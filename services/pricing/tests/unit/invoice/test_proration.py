"""Changes of licensed quantities in the period that ended."""

from decimal import Decimal

import pytest

from event_schemas.times import Period
from pricing.engine import expected_invoice
from pricing.invoice.proration import factor
from pricing.lines import Factor
from pricing.prices import Graduated, Tier
from pricing.terms import Proration, Rhythm, Trial
from pricing.testing import DAY, FEBRUARY, on, seats, shown, some_terms

HALF = on(15)  # February 2026 has 28 days


def test_a_change_is_a_credit_and_a_debit_over_what_is_left() -> None:
    assert shown(expected_invoice(some_terms(seats((on(1), 2), (HALF, 3), (DAY, 0))), DAY)) == [
        ("seat", "proration_credit", -3000),
        ("seat", "proration_debit", 4500),
    ]


def test_a_side_without_quantity_is_left_out() -> None:
    added, removed = seats(key="new", start=HALF, until=DAY), seats(key="old", until=HALF)

    assert shown(expected_invoice(some_terms(added, removed), DAY)) == [
        ("old", "proration_credit", -3000),
        ("new", "proration_debit", 3000),
    ]


def test_changes_come_in_order_of_time() -> None:
    first = seats((on(1), 2), (on(8), 4), (DAY, 0), key="a")
    second = seats((on(1), 2), (on(3), 4), (DAY, 0), key="b")

    lines = expected_invoice(some_terms(first, second), DAY).lines

    assert [line.item for line in lines] == ["b", "b", "a", "a"]


def test_a_change_on_the_billing_day_is_no_proration() -> None:
    assert shown(expected_invoice(some_terms(seats((on(1), 2), (DAY, 3))), DAY)) == [("seat", "advance", 9000)]


def test_the_same_quantity_again_is_no_change() -> None:
    assert shown(expected_invoice(some_terms(seats((on(1), 2), (HALF, 2), (DAY, 0))), DAY)) == []


def test_a_yearly_item_is_prorated_to_the_end_of_its_own_term() -> None:
    terms = some_terms(seats((on(1), 1), (on(1, 8), 2), rhythm=Rhythm.YEAR, price="365"))

    lines = expected_invoice(terms, on(1, 9)).lines

    assert [line.amount.minor for line in lines] == [-18400, 36800]  # 184 days to 1 February


def test_a_change_of_a_yearly_item_on_a_billing_day_within_its_term_comes_a_month_later() -> None:
    terms = some_terms(seats((on(1), 1), (on(1, 8), 2), rhythm=Rhythm.YEAR))

    assert expected_invoice(terms, on(1, 8)).lines == ()
    assert len(expected_invoice(terms, on(1, 9)).lines) == 2


def test_a_tiered_price_is_prorated_as_a_whole() -> None:
    tiers = Graduated((Tier(1, Decimal(40)), Tier(None, Decimal(20))))

    assert shown(expected_invoice(some_terms(seats((on(1), 1), (HALF, 2), (DAY, 0), price=tiers)), DAY)) == [
        ("seat", "proration_credit", -2000),
        ("seat", "proration_debit", 3000),
    ]


@pytest.mark.parametrize(
    ("at", "left"), [(on(1, hour=1), 28), (on(15), 14), (on(15, hour=23), 14), (on(28, hour=23), 1)]
)
def test_by_day_the_day_of_the_change_counts_whole(at: object, left: int) -> None:
    assert factor(Proration.DAY, FEBRUARY, at) == Factor(left, 28)  # type: ignore[arg-type]  # parametrize is untyped


def test_by_day_days_are_counted_from_the_start_of_the_term() -> None:
    term = Period(on(1, hour=15), on(1, 3, hour=15))

    assert factor(Proration.DAY, term, on(2, hour=14)) == Factor(28, 28)
    assert factor(Proration.DAY, term, on(2, hour=15)) == Factor(27, 28)


def test_without_proration_a_change_waits_for_the_next_term() -> None:
    terms = some_terms(seats((on(1), 2), (HALF, 3)), proration=Proration.NONE)

    assert shown(expected_invoice(terms, DAY)) == [("seat", "advance", 9000)]


def test_seats_are_free_in_a_trial() -> None:
    terms = some_terms(seats((on(1), 2), (on(8), 3)), trial=Trial(on(1), HALF), anchor=HALF)

    assert shown(expected_invoice(terms, HALF)) == [("seat", "advance", 9000)]


def test_the_line_tells_its_why() -> None:
    credit, _ = expected_invoice(some_terms(seats((on(1), 2), (HALF, 3), (DAY, 0)), proration=Proration.DAY), DAY).lines

    assert credit.why.quantity == "2 until 2026-02-15, paid for 2026-02-01 to 2026-03-01"
    assert credit.why.formula == "-(2 × 30) × 14 / 28 days"
