"""Hard limits: units above them are recorded, not charged."""

from event_schemas.times import Period
from pricing.engine import expected_invoice
from pricing.terms import Allowance, HardLimit
from pricing.testing import DAY, on, outcomes, shown, some_terms, used

EARLY, LATE = Period(on(1), on(11)), Period(on(11), DAY)


def test_units_above_the_limit_are_told_and_not_charged() -> None:
    invoice = expected_invoice(some_terms(outcomes(), limits=(HardLimit("l", "outcome", 500),)), DAY, [used(503)])

    (line,) = invoice.lines
    assert line.amount.minor == 49500
    assert line.counts is not None
    assert (line.counts.capped_at, line.counts.not_billed) == (500, 3)
    assert invoice.account[0].under_cap == 3


def test_a_reversal_makes_room_below_the_limit() -> None:
    terms = some_terms(outcomes("1"), limits=(HardLimit("l", "outcome", 500),))

    invoice = expected_invoice(terms, DAY, [used(503, reversed_=3)])

    assert shown(invoice) == [("outcome", "usage", 50000)]
    assert invoice.account[0].under_cap == 0


def test_a_raised_limit_counts_what_was_charged_under_the_lower_one() -> None:
    limits = (HardLimit("low", "outcome", 100, until=on(11)), HardLimit("high", "outcome", 150, start=on(11)))

    invoice = expected_invoice(
        some_terms(outcomes("1"), limits=limits), DAY, [used(120, span=EARLY), used(80, span=LATE)]
    )

    assert shown(invoice) == [("outcome", "usage", 15000)]
    assert invoice.account[0].under_cap == 50


def test_a_lowered_limit_takes_nothing_back() -> None:
    limits = (HardLimit("l", "outcome", 50, start=on(11)),)

    invoice = expected_invoice(
        some_terms(outcomes("1"), limits=limits), DAY, [used(120, span=EARLY), used(80, span=LATE)]
    )

    assert shown(invoice) == [("outcome", "usage", 12000)]


def test_units_above_the_limit_use_up_no_allowance() -> None:
    terms = some_terms(
        outcomes("1"), limits=(HardLimit("l", "outcome", 5),), allowances=(Allowance("a", "outcome", 8),)
    )

    invoice = expected_invoice(terms, DAY, [used(10)])

    assert (invoice.account[0].in_allowance, invoice.account[0].under_cap) == (5, 5)


def test_a_limit_of_another_meter_does_not_matter() -> None:
    terms = some_terms(outcomes("1"), limits=(HardLimit("l", "sms", 5),))

    assert shown(expected_invoice(terms, DAY, [used(10)])) == [("outcome", "usage", 1000)]
