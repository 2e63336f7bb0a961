"""What terms say that cannot be meant: each is told by its field, a stable code and a sentence."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from event_schemas.values import Currency, Money
from pricing.checking import Contradiction, contradictions
from pricing.prices import Graduated, Included, Package, PerUnit, Tier
from pricing.terms import (
    Allowance,
    Commitment,
    CommitmentBilling,
    Discount,
    HardLimit,
    Minimum,
    PrepaidCredit,
    QuantityFrom,
    Rhythm,
    Scope,
    Terms,
    Trial,
)
from pricing.testing import FEBRUARY, on, outcomes, seats, some_terms, usd


def tiers(*bounds: int | None) -> Graduated:
    return Graduated(tuple(Tier(bound, Decimal(1)) for bound in bounds))


def off(key: str = "d", percent: str | None = "10", **fields: object) -> Discount:
    scope = Scope.INVOICE if fields.get("item") is None else Scope.ITEM
    return Discount(key, scope, percent=Decimal(percent) if percent else None, **fields)  # type: ignore[arg-type]


def committed(
    currency: Currency = Currency.USD, at: datetime = FEBRUARY.start, key: str = "c", units: int = 5
) -> Commitment:
    ramp = (QuantityFrom(at, units),)
    return Commitment(key, "outcome", Decimal(1), currency, ramp, CommitmentBilling.ARREARS)


EUROS = Money(100, Currency.EUR)
FIN = outcomes()
CASES = [
    (some_terms(seats(), seats()), "duplicate_key", "items.seat", "2 items have this key"),
    (some_terms(seats(until=on(1))), "empty_life", "items.seat.until", "not after its start"),
    (some_terms(seats((on(1), -1))), "negative_quantity", "items.seat.quantities", "-1 at 2026-02-01"),
    (some_terms(seats((on(1), 10**9))), "quantity_too_large", "items.seat.quantities", "1000000000 at 2026-02-01"),
    (some_terms(seats((on(2), 1), (on(2), 2))), "timeline_unsorted", "items.seat.quantities", "sort the timeline"),
    (some_terms(seats(price="-1")), "negative_price", "items.seat.price", "0 or more, not -1"),
    (some_terms(seats(price="NaN")), "negative_price", "items.seat.price", "not NaN"),
    (some_terms(seats(price="0.0000000000001")), "price_too_long", "items.seat.price", "at most 15 digits"),
    (some_terms(seats(price=Included())), "included_licensed", "items.seat.price", "only a meter can be included"),
    (some_terms(outcomes(tiers(10, 50))), "tiers_with_a_hole", "items.outcome.price", "above the last tier"),
    (some_terms(outcomes(tiers(50, 10, None))), "tiers_with_a_hole", "items.outcome.price", "10 comes after 50"),
    (some_terms(outcomes(tiers(10, 10, None))), "tiers_with_a_hole", "items.outcome.price", "10 comes after 10"),
    (some_terms(outcomes(tiers(0, None))), "tiers_with_a_hole", "items.outcome.price", "0 comes after 0"),
    (some_terms(outcomes(tiers(None, None))), "tiers_with_a_hole", "items.outcome.price", "which no unit can reach"),
    (some_terms(outcomes(tiers())), "tiers_with_a_hole", "items.outcome.price", "above the last tier"),
    (some_terms(outcomes(Package(0, Decimal(1)))), "package_size", "items.outcome.price", "1 unit or more"),
    (
        some_terms(seats(rhythm=Rhythm.YEAR, term_anchor=on(9))),
        "not_a_billing_day",
        "items.seat.term_anchor",
        "2026-02-09 is no billing day",
    ),
    (
        some_terms(outcomes(until=on(9)), outcomes(key="new", start=on(8))),
        "meter_priced_twice",
        "items.new.meter",
        "outcome has two prices at 2026-02-08, by outcome and new",
    ),
    (some_terms(FIN, free_meters=("outcome",)), "free_meter_priced", "free_meters", "declared free and has a price"),
    (some_terms(FIN, discounts=(off(percent="100.01"),)), "discount_percent", "discounts.d.percent", "100.01 % off"),
    (some_terms(FIN, discounts=(off(percent="-5"),)), "discount_percent", "discounts.d.percent", "more than 0"),
    (some_terms(FIN, discounts=(off(percent=None),)), "discount_form", "discounts.d", "either a percent or an amount"),
    (some_terms(FIN, discounts=(off(amount=usd(5)),)), "discount_form", "discounts.d", "either a percent or an amount"),
    (some_terms(FIN, discounts=(off(percent=None, amount=EUROS),)), "other_currency", "discounts.d.amount", "EUR off"),
    (some_terms(FIN, discounts=(off(percent=None, amount=usd(-5)),)), "discount_amount", "discounts.d.amount", "more"),
    (some_terms(FIN, discounts=(off(item="seat"),)), "unknown_item", "discounts.d.item", "there is no item seat"),
    (some_terms(FIN, discounts=(off(invoices=0),)), "discount_invoices", "discounts.d.invoices", "1 invoice or more"),
    (
        some_terms(FIN, discounts=(off(), off("e"))),
        "discounts_overlap",
        "discounts.e",
        "d takes a percent off the same",
    ),
    (some_terms(FIN, discounts=(off(), off())), "duplicate_key", "discounts.d", "two discounts have this key"),
    (
        some_terms(FIN, discounts=(off(start=on(1), invoices=2), off("e", start=on(1, 3)))),
        "discounts_overlap",
        "discounts.e",
        "end one where the other begins",
    ),
    (some_terms(FIN, commitments=(committed(Currency.EUR),)), "other_currency", "commitments.c.currency", "in EUR"),
    (some_terms(FIN, commitments=(committed(at=on(9)),)), "not_a_billing_day", "commitments.c.ramp", "2026-02-09"),
    (some_terms(FIN, commitments=(committed(units=-1),)), "negative_quantity", "commitments.c.ramp", "-1 at"),
    (some_terms(seats(), commitments=(committed(),)), "unknown_meter", "commitments.c.meter", "no item prices outcome"),
    (
        some_terms(FIN, commitments=(committed(), committed(key="e"))),
        "commitments_overlap",
        "commitments.e",
        "c speaks of outcome at the same time",
    ),
    (
        some_terms(FIN, commitments=(replace(committed(), ramp=()),)),
        "empty_ramp",
        "commitments.c.ramp",
        "for no instant",
    ),
    (
        some_terms(FIN, commitments=(committed(),), minimums=(Minimum("m", "outcome", usd(1)),)),
        "minimum_beside_commitment",
        "minimums.m",
        "agree on one of them",
    ),
    (some_terms(FIN, minimums=(Minimum("m", "outcome", EUROS),)), "other_currency", "minimums.m.amount", "in EUR"),
    (
        some_terms(FIN, minimums=(Minimum("m", "outcome", usd(0)),)),
        "minimum_amount",
        "minimums.m.amount",
        "more than 0",
    ),
    (
        some_terms(FIN, minimums=(Minimum("m", "outcome", usd(1), start=on(9)),)),
        "not_a_billing_day",
        "minimums.m",
        "2026-02-09",
    ),
    (
        some_terms(FIN, allowances=(Allowance("a", "sms", 5),)),
        "unknown_meter",
        "allowances.a.meter",
        "no item prices sms",
    ),
    (
        some_terms(FIN, allowances=(Allowance("a", "outcome", -5),)),
        "units",
        "allowances.a.quantity",
        "-5 is not within",
    ),
    (some_terms(FIN, limits=(HardLimit("l", "outcome", -5),)), "units", "limits.l.quantity", "-5 is not within"),
    (
        some_terms(FIN, limits=(HardLimit("l", "outcome", 5), HardLimit("k", "outcome", 6))),
        "limits_overlap",
        "limits.k",
        "l speaks of outcome",
    ),
    (some_terms(FIN, prepaid=(PrepaidCredit("p", EUROS),)), "other_currency", "prepaid.p.amount", "paid in EUR"),
    (some_terms(FIN, prepaid=(PrepaidCredit("p", usd(0)),)), "prepaid_amount", "prepaid.p.amount", "more than 0"),
    (
        some_terms(seats(), FIN, prepaid=(PrepaidCredit("p", usd(5), ("seat",)),)),
        "prepaid_item",
        "prepaid.p.items",
        "seat is no metered item",
    ),
    (some_terms(FIN, trial=Trial(on(1), on(15))), "trial_ends_elsewhere", "trial.until", "they must be one instant"),
    (some_terms(FIN, trial=Trial(on(9), on(1))), "empty_life", "trial.until", "ends before it begins"),
    (some_terms(FIN, card_step=0), "card_step", "card_step", "1 minor unit or more, not 0"),
    (some_terms(FIN, anchor=on(1).replace(microsecond=5)), "anchor_within_a_second", "billing_anchor", "whole second"),
    (some_terms(outcomes(until=datetime(2026, 3, 9))), "no_offset", "items.outcome.until", "has no offset"),  # noqa: DTZ001
]


@pytest.mark.parametrize(("terms", "code", "field", "words"), CASES, ids=[f"{c[1]}-{c[3]}" for c in CASES])
def test_is_told_with_its_field_and_a_sentence(terms: Terms, code: str, field: str, words: str) -> None:
    (found,) = [one for one in contradictions(terms) if one.code == code and words in one.sentence]

    assert found.field == field


def test_terms_that_can_be_billed_have_none() -> None:
    terms = some_terms(
        seats((on(1), 1_000_000), rhythm=Rhythm.YEAR, term_anchor=on(1, 6)),
        outcomes(tiers(1, 2, None), until=on(9)),
        outcomes(PerUnit(Decimal("0.000000000001")), key="new", start=on(9)),
        discounts=(
            off(start=on(1), invoices=1),
            off("e", start=on(2)),
            off("i", item="seat", percent="100"),
            off("j", item="seat", percent=None, amount=usd(5)),
        ),
        commitments=(committed(),),
        allowances=(Allowance("a", "outcome", 5), Allowance("b", "outcome", 5)),
        limits=(HardLimit("l", "outcome", 5, until=on(7)), HardLimit("k", "outcome", 6, start=on(7))),
        prepaid=(PrepaidCredit("p", usd(5), ("new",)),),
    )

    assert contradictions(terms) == ()


def test_all_are_told_in_the_order_of_their_fields() -> None:
    terms = some_terms(seats((on(1), -1)), discounts=(off(percent="200"),))

    assert [one.code for one in contradictions(terms)] == ["negative_quantity", "discount_percent"]
    assert isinstance(contradictions(terms)[0], Contradiction)
