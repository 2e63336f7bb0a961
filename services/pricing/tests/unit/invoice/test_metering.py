"""The units of each meter, in parts over which its terms do not change."""

from decimal import Decimal

import pytest

from event_schemas.times import Period
from pricing.engine import expected_invoice
from pricing.invoice.metering import usage_spans
from pricing.terms import Allowance, HardLimit
from pricing.testing import DAY, FEBRUARY, MARCH, on, outcomes, shown, some_terms, used
from pricing.usage import used_at

OLD = outcomes("1", key="old", until=on(11))
NEW = outcomes("2", key="new", start=on(11))


def test_an_entry_is_billed_by_the_item_alive_at_its_instant() -> None:
    entries = [used_at("outcome", on(10, hour=23), Decimal(3)), used_at("outcome", on(11), Decimal(5))]

    invoice = expected_invoice(some_terms(OLD, NEW), DAY, entries)

    assert shown(invoice) == [("old", "usage", 300), ("new", "usage", 1000)]


def test_spans_end_where_items_allowances_and_limits_do() -> None:
    terms = some_terms(
        OLD,
        NEW,
        allowances=(Allowance("a", "outcome", 5, start=on(14)), Allowance("b", "sms", 5, start=on(15))),
        limits=(HardLimit("l", "outcome", 100, until=on(20)),),
    )

    spans = usage_spans(terms, "outcome", FEBRUARY)

    assert [span.start.day for span in spans] == [1, 11, 14, 20]
    assert spans[-1].end == DAY


def test_usage_summed_over_a_change_is_refused() -> None:
    with pytest.raises(ValueError, match=r"usage\.outcome: its terms change within a span"):
        expected_invoice(some_terms(OLD, NEW), DAY, [used(7)])


def test_usage_of_another_period_is_refused() -> None:
    with pytest.raises(ValueError, match="not within 2026-02-01 to 2026-03-01, which is billed"):
        expected_invoice(some_terms(outcomes()), DAY, [used(7, span=MARCH)])


def test_more_reversed_than_charged_is_refused() -> None:
    with pytest.raises(ValueError, match="3 reversed and 2 charged"):
        expected_invoice(some_terms(outcomes()), DAY, [used(2, reversed_=3)])


def test_two_prices_at_one_instant_are_refused() -> None:
    with pytest.raises(ValueError, match="outcome has a price already, by a"):
        expected_invoice(some_terms(outcomes(key="a"), outcomes(key="b")), DAY, [used(2)])


def test_units_without_a_price_are_named() -> None:
    span = Period(on(1), on(11))

    invoice = expected_invoice(some_terms(NEW), DAY, [used(4, span=span), used(6, meter="fax")])

    assert [(meter.meter, meter.unpriced, meter.unpriced_in) for meter in invoice.unpriced] == [
        ("fax", 6, (FEBRUARY,)),
        ("outcome", 4, (span,)),
    ]


def test_a_day_that_is_no_billing_day_is_refused() -> None:
    with pytest.raises(ValueError, match="no period starts at 2026-03-02"):
        expected_invoice(some_terms(outcomes()), on(2, 3))
