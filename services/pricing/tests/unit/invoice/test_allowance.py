"""Units that a plan, an add-on or a trial includes."""

from decimal import Decimal

from event_schemas.times import Period
from pricing.engine import expected_invoice
from pricing.prices import Graduated, Tier
from pricing.terms import Allowance, HardLimit, Trial
from pricing.testing import DAY, on, outcomes, shown, some_terms, used

PLAN = Allowance("plan", "outcome", 50)


def test_covered_units_show_at_nothing_and_the_rest_is_billed() -> None:
    invoice = expected_invoice(some_terms(outcomes(), allowances=(PLAN,)), DAY, [used(163)])

    assert shown(invoice) == [("outcome", "included", 0), ("outcome", "usage", 11187)]
    assert invoice.lines[0].quantity == 50


def test_what_is_not_used_lapses() -> None:
    invoice = expected_invoice(some_terms(outcomes(), allowances=(PLAN,)), DAY, [used(31)])

    assert [(line.kind.value, line.quantity) for line in invoice.lines] == [("included", 31)]


def test_two_allowances_add_up_in_the_contracts_order() -> None:
    terms = some_terms(outcomes("1"), allowances=(PLAN, Allowance("addon", "outcome", 20)))

    invoice = expected_invoice(terms, DAY, [used(60)])

    assert [(line.why.clause, line.quantity) for line in invoice.lines] == [
        ("allowances.plan", 50),
        ("allowances.addon", 10),
    ]


def test_an_allowance_covers_units_of_its_own_life_and_is_not_prorated() -> None:
    terms = some_terms(outcomes("1"), allowances=(Allowance("addon", "outcome", 50, start=on(20)),))
    early, late = Period(on(1), on(20)), Period(on(20), DAY)

    invoice = expected_invoice(terms, DAY, [used(30, span=early), used(60, span=late)])

    assert shown(invoice) == [("outcome", "included", 0), ("outcome", "usage", 4000)]


def test_parts_of_one_item_use_up_one_allowance() -> None:
    terms = some_terms(outcomes("1"), allowances=(PLAN,), limits=(HardLimit("l", "outcome", 999, start=on(20)),))
    early, late = Period(on(1), on(20)), Period(on(20), DAY)

    invoice = expected_invoice(terms, DAY, [used(30, span=early), used(60, span=late)])

    assert [(line.kind.value, line.quantity) for line in invoice.lines] == [("included", 50), ("usage", 40)]


def test_tiers_begin_with_the_first_unit_that_is_not_covered() -> None:
    tiers = Graduated((Tier(10, Decimal(2)), Tier(None, Decimal(1))))

    invoice = expected_invoice(some_terms(outcomes(tiers), allowances=(PLAN,)), DAY, [used(65)])

    assert [(line.tier, line.amount.minor) for line in invoice.lines[1:]] == [("1-10", 2000), ("11-15", 500)]


def test_in_a_trial_its_own_allowances_are_the_only_ones() -> None:
    trial = Trial(on(1), on(15), (Allowance("trial", "outcome", 10),))
    terms = some_terms(outcomes("1"), allowances=(PLAN,), trial=trial, anchor=on(15))

    first = expected_invoice(terms, on(15), [used(30, span=Period(on(1), on(15)))])
    second = expected_invoice(terms, on(15, 3), [used(30, span=Period(on(15), on(15, 3)))])

    assert shown(first) == [("outcome", "included", 0), ("outcome", "usage", 2000)]
    assert [line.why.clause for line in second.lines] == ["allowances.plan"]
