"""Discounts on one item, and which hold."""

from decimal import Decimal

import pytest

from pricing.engine import expected_invoice
from pricing.prices import Graduated, Tier
from pricing.terms import Discount, Scope
from pricing.testing import DAY, on, outcomes, seats, shown, some_terms, usd, used
from pricing.usage import BilledBefore


def off(percent: str | None = None, amount: int | None = None, item: str = "outcome", **fields: object) -> Discount:
    key = str(fields.pop("key", "d"))
    return Discount(
        key,
        Scope.ITEM,
        item,
        Decimal(percent) if percent else None,
        usd(amount) if amount else None,
        **fields,  # type: ignore[arg-type]  # the builder's spans
    )


def test_other_lines_stay_whole() -> None:
    terms = some_terms(seats(), outcomes(), discounts=(off("20"),))

    assert shown(expected_invoice(terms, DAY, [used(1037)])) == [
        ("seat", "advance", 6000),
        ("outcome", "usage", 102663),
        ("outcome", "discount", -20533),
    ]


def test_all_tiers_of_an_item_count_as_one() -> None:
    tiers = Graduated((Tier(1, Decimal("0.05")), Tier(2, Decimal("0.05")), Tier(None, Decimal("0.05"))))
    terms = some_terms(outcomes(tiers), discounts=(off("10"),))

    assert shown(expected_invoice(terms, DAY, [used(3)]))[-1] == ("outcome", "discount", -2)  # 1.5; each alone: 3 × 1


def test_seats_given_back_are_credited_at_what_they_cost() -> None:
    terms = some_terms(seats(until=on(15)), discounts=(off("50", item="seat"),))

    assert shown(expected_invoice(terms, DAY)) == [("seat", "proration_credit", -3000), ("seat", "discount", 1500)]


@pytest.mark.parametrize(("amount", "taken"), [(500, -500), (5000, -990)])
def test_an_amount_takes_at_most_what_is_there(amount: int, taken: int) -> None:
    terms = some_terms(outcomes(), discounts=(off(amount=amount),))

    assert shown(expected_invoice(terms, DAY, [used(10)]))[-1] == ("outcome", "discount", taken)


@pytest.mark.parametrize(
    ("discount", "said"), [(off("12.5"), "12.5 % of USD 9.90"), (off(amount=5000), "USD 50.00 off, at most USD 9.90")]
)
def test_its_reason_says_what_it_takes_off(discount: Discount, said: str) -> None:
    invoice = expected_invoice(some_terms(outcomes(), discounts=(discount,)), DAY, [used(10)])

    assert invoice.lines[-1].why.formula == said


def test_a_percent_goes_before_an_amount() -> None:
    terms = some_terms(outcomes("1"), discounts=(off(amount=100, key="a"), off("50", key="p")))

    assert [amount for _, _, amount in shown(expected_invoice(terms, DAY, [used(10)]))] == [1000, -500, -100]


def test_a_counted_discount_counts_finalised_invoices_from_its_start() -> None:
    terms = some_terms(outcomes("1"), discounts=(off("50", start=on(1, 2), invoices=2),))
    days = (on(1, 1), on(1, 2))  # the first was before it began

    once, twice = BilledBefore(days), BilledBefore((*days, on(2, 2)))

    assert len(expected_invoice(terms, DAY, [used(10)], once).lines) == 2
    assert len(expected_invoice(terms, DAY, [used(10)], twice).lines) == 1


@pytest.mark.parametrize(
    ("start", "until", "lines"), [(DAY, None, 2), (on(2, 3), None, 1), (None, DAY, 1), (None, on(2, 3), 2)]
)
def test_the_billing_day_decides_whether_a_discount_holds(start: object, until: object, lines: int) -> None:
    terms = some_terms(outcomes("1"), discounts=(off("50", start=start, until=until),))

    assert len(expected_invoice(terms, DAY, [used(10)]).lines) == lines


def test_of_two_of_one_kind_the_earlier_goes_first() -> None:
    terms = some_terms(
        outcomes("1"), discounts=(off("10", key="late", start=on(9)), off("50", key="early", start=on(1)))
    )

    assert shown(expected_invoice(terms, DAY, [used(10)]))[1:] == [("outcome", "discount", -500)]


def test_without_a_line_there_is_no_discount() -> None:
    assert expected_invoice(some_terms(outcomes(), discounts=(off("20"),)), DAY).lines == ()
