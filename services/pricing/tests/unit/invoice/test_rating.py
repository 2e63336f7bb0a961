"""Where a price meets a quantity."""

from decimal import Decimal

from event_schemas.times import Period
from event_schemas.values import Currency
from pricing.engine import expected_invoice
from pricing.prices import Graduated, Included, Package, Tier
from pricing.testing import DAY, on, outcomes, shown, some_terms, used

TIERS = Graduated((Tier(10, Decimal(2)), Tier(None, Decimal(1))))


def test_a_price_changed_under_way_has_tiers_of_its_own() -> None:
    old, new = outcomes(TIERS, key="old", until=on(11)), outcomes(TIERS, key="new", start=on(11))
    entries = [used(15, span=Period(on(1), on(11))), used(12, span=Period(on(11), DAY))]

    invoice = expected_invoice(some_terms(old, new), DAY, entries)

    assert [(line.item, line.tier, line.amount.minor) for line in invoice.lines] == [
        ("old", "1-10", 2000),
        ("old", "11-15", 500),
        ("new", "1-10", 2000),
        ("new", "11-12", 200),
    ]


def test_parts_of_one_item_share_its_tiers() -> None:
    entries = [used(6, span=Period(on(1), on(11))), used(6, span=Period(on(11), DAY))]

    invoice = expected_invoice(some_terms(outcomes(TIERS)), DAY, entries)

    assert [line.tier for line in invoice.lines] == ["1-10", "11-12"]


def test_a_line_is_rounded_once_and_half_away_from_zero() -> None:
    invoice = expected_invoice(some_terms(outcomes("148.5"), currency=Currency.JPY), DAY, [used(333)])

    assert invoice.lines[0].amount.minor == 49451
    assert invoice.lines[0].rounding == "49450.5 rounded half away from zero to JPY 49,451"


def test_gross_and_reversed_counts_stay_on_the_line() -> None:
    (line,) = expected_invoice(some_terms(outcomes()), DAY, [used(250, reversed_=9)]).lines

    assert line.counts is not None
    assert (line.quantity, line.counts.gross, line.counts.reversed) == (241, 250, 9)
    assert line.why.quantity == "250 charged for outcome in 2026-02-01 to 2026-03-01, less 9 reversed"


def test_an_included_meter_is_shown_at_nothing() -> None:
    invoice = expected_invoice(some_terms(outcomes(Included())), DAY, [used(31)])

    assert shown(invoice) == [("outcome", "included", 0)]
    assert invoice.account[0].in_price == 31


def test_units_that_the_price_lets_go_are_in_the_account() -> None:
    item = outcomes(Package(100, Decimal(10), free=200))

    assert expected_invoice(some_terms(item), DAY, [used(150)]).account[0].in_price == 150
    assert expected_invoice(some_terms(item), DAY, [used(250)]).account[0].in_price == 200


def test_a_free_meter_is_on_no_line_and_in_the_account() -> None:
    invoice = expected_invoice(some_terms(outcomes(), free_meters=("chat",)), DAY, [used(9, meter="chat")])

    assert (shown(invoice), invoice.account[0].free, invoice.unpriced) == ([], 9, ())


def test_nothing_used_is_no_line() -> None:
    assert shown(expected_invoice(some_terms(outcomes()), DAY, [used(4, reversed_=4)])) == []
