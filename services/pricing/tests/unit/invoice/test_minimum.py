"""Minimums: the gap to the agreed amount."""

from decimal import Decimal

import pytest

from event_schemas.times import Period
from pricing.engine import expected_invoice
from pricing.terms import Discount, Minimum, Scope, Trial
from pricing.testing import DAY, on, outcomes, shown, some_terms, usd, used

FIVE = Minimum("m", "outcome", usd(500))


@pytest.mark.parametrize(("units", "gap"), [(0, 500), (1, 400), (5, None), (6, None)])
def test_bills_the_gap_and_nothing_above(units: int, gap: int | None) -> None:
    lines = shown(expected_invoice(some_terms(outcomes("1"), minimums=(FIVE,)), DAY, [used(units)]))

    assert [line for line in lines if line[1] == "shortfall"] == ([("outcome", "shortfall", gap)] if gap else [])


def test_a_discount_on_the_item_does_not_lower_the_minimum() -> None:
    half = Discount("d", Scope.ITEM, "outcome", Decimal(50))
    terms = some_terms(outcomes("1"), minimums=(FIVE,), discounts=(half,))

    invoice = expected_invoice(terms, DAY, [used(6)])

    assert shown(invoice)[-1] == ("outcome", "shortfall", 200)
    assert invoice.net.minor == 500


def test_all_items_of_the_meter_count_and_the_last_shows_the_gap() -> None:
    old, new = outcomes("1", key="old", until=on(11)), outcomes("2", key="new", start=on(11))
    entries = [used(1, span=Period(on(1), on(11))), used(1, span=Period(on(11), DAY))]

    lines = shown(expected_invoice(some_terms(old, new, minimums=(FIVE,)), DAY, entries))

    assert lines[-1] == ("new", "shortfall", 200)


def test_before_the_contract_and_in_a_trial_there_is_none() -> None:
    trial = some_terms(outcomes("1"), minimums=(FIVE,), trial=Trial(on(1), on(15)), anchor=on(15))

    assert expected_invoice(some_terms(outcomes("1"), minimums=(FIVE,)), on(1)).lines == ()
    assert expected_invoice(trial, on(15)).lines == ()
