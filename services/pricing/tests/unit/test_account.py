"""The account of the entries catches an engine that loses units."""

from dataclasses import replace
from decimal import Decimal

import pytest

from pricing.account import account
from pricing.draft import Draft, Segment
from pricing.engine import expected_invoice
from pricing.terms import Allowance, HardLimit
from pricing.testing import DAY, FEBRUARY, outcomes, some_terms, used


def test_every_unit_is_somewhere() -> None:
    terms = some_terms(
        outcomes(),
        allowances=(Allowance("a", "outcome", 10),),
        limits=(HardLimit("l", "outcome", 100),),
        free_meters=("chat",),
    )

    usage = [used(130, reversed_=5), used(3, meter="chat"), used(2, meter="fax")]
    by_meter = {meter.meter: meter for meter in expected_invoice(terms, DAY, usage).account}

    outcome = by_meter["outcome"]
    assert (outcome.net, outcome.on_lines, outcome.in_allowance, outcome.under_cap) == (125, 90, 10, 25)
    assert (by_meter["chat"].free, by_meter["fax"].unpriced) == (3, 2)


def test_a_unit_that_is_nowhere_is_a_fault_of_the_engine() -> None:
    item = outcomes()
    lost = Segment("outcome", FEBRUARY, item, False, Decimal(5), Decimal(0), Decimal(5))

    with pytest.raises(AssertionError, match="5 units were charged and 0 are accounted for"):
        account(Draft(segments=(lost,)))


def test_a_unit_that_is_told_twice_is_one_too() -> None:
    invoice = expected_invoice(some_terms(outcomes()), DAY, [used(5)])
    segment = Segment("outcome", FEBRUARY, outcomes(), False, Decimal(5), Decimal(0), Decimal(5))
    doubled = tuple(replace(line, quantity=Decimal(10)) for line in invoice.lines)

    with pytest.raises(AssertionError, match="5 units were charged and 10 are accounted for"):
        account(Draft(lines=doubled, segments=(segment,)))
