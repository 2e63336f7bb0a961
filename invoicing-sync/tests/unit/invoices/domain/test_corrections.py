"""What came after a freeze is worth the difference of its period, with the prices and tiers that held there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_schemas.times import Period
from event_schemas.values import Currency
from invoicing_sync.contracts.domain.terms import LicensedTerm, MeteredTerm, Terms, Tier
from invoicing_sync.invoices.domain.corrections import Change, LateEntry, Priced, price
from invoicing_sync.invoices.domain.engine import engine_terms
from invoicing_sync.invoices.domain.expected_invoice import expected
from pricing.corrections import Document
from pricing.usage import Used

ANCHOR = datetime(2026, 4, 1, tzinfo=UTC)
APRIL = Period(ANCHOR, datetime(2026, 5, 1, tzinfo=UTC))
TIERED = (Tier(1000, Decimal("0.99")), Tier(5000, Decimal("0.89")), Tier(None, Decimal("0.79")))


def the_terms(*tiers: Tier, currency: Currency = Currency.USD, free: tuple[str, ...] = ()) -> Terms:
    scheme = "graduated" if len(tiers) > 1 else "per_unit"
    metered = MeteredTerm("outcome", scheme, tiers or (Tier(None, Decimal("0.99")),))  # type: ignore[arg-type]
    return Terms(currency, ANCHOR, (metered,), (LicensedTerm("outcome", 2, Decimal(39)),), free)


def late(number: int, value: str, meter: str = "outcome") -> LateEntry:
    return LateEntry(f"e{number}", meter, Decimal(value), ANCHOR + timedelta(days=3))


def priced(terms: Terms, frozen: int, *entries: LateEntry) -> Priced:
    usage = [Used("outcome", APRIL, Decimal(frozen))] if frozen else []
    return price(engine_terms(terms, revision=1), APRIL, usage, entries)


def minors(found: Priced) -> tuple[list[int], int]:
    return [step.minor for step in found.steps], found.difference.minor


class TestPrice:
    def test_golden_g23_late_units_that_cross_a_tier_are_worth_what_they_would_have_cost_there(self) -> None:
        """996 charged and nine more: four at 0.99 and five at 0.89."""
        found = priced(the_terms(*TIERED), 996, *(late(n, "1") for n in range(9)))

        assert minors(found) == ([99, 99, 99, 99, 89, 89, 89, 89, 89], 841)
        assert found.document is Document.PRIOR_PERIOD
        assert [(str(line.quantity), line.amount.minor) for line in found.before] == [("996", 98_604)]
        assert [(str(line.quantity), line.amount.minor) for line in found.after] == [("1000", 99_000), ("5", 445)]
        assert found.changes == (Change("outcome", Decimal(996), Decimal(1005), found.difference),)

    def test_a_reversal_takes_the_price_of_the_last_units_and_becomes_a_credit_note(self) -> None:
        found = priced(the_terms(*TIERED), 1001, late(1, "-1"), late(2, "-1"))

        assert (minors(found), found.document) == (([-89, -99], -188), Document.CREDIT_NOTE)
        assert found.why == (
            "2026-04-01 to 2026-05-01 rated with what came after its freeze, less the same rated without"
        )

    def test_what_cancels_out_changes_nothing(self) -> None:
        found = priced(the_terms(), 5, late(1, "-1"), late(2, "1"))

        assert (minors(found), found.document) == (([-99, 99], 0), Document.NOTHING)
        assert (found.before, found.after, found.changes) == ((), (), ())

    def test_the_whole_is_rounded_as_one_line_and_not_entry_by_entry(self) -> None:
        """A third of a cent each: 0.004, 0.008, 0.012, of which only the third is a cent more."""
        found = priced(the_terms(Tier(None, Decimal("0.004"))), 0, *(late(n, "1") for n in range(3)))

        assert minors(found) == ([0, 1, 0], 1)

    def test_a_reversal_before_its_charge_is_worth_nothing_until_the_charge_has_come(self) -> None:
        found = priced(the_terms(), 0, late(1, "-1"), late(2, "1"), late(3, "1"))

        assert minors(found) == ([0, 0, 99], 99)

    def test_free_units_change_nothing_and_unpriced_ones_are_told(self) -> None:
        found = priced(the_terms(free=("shown",)), 1, late(1, "5", "shown"), late(2, "2", "unknown"))

        assert (minors(found), found.unpriced) == (([0, 0], 0), {"unknown": Decimal(2)})

    def test_what_happened_before_the_contract_began_has_no_price(self) -> None:
        march = Period(datetime(2026, 3, 1, tzinfo=UTC), ANCHOR)
        entry = LateEntry("e1", "outcome", Decimal(1), ANCHOR - timedelta(days=1))

        found = price(engine_terms(the_terms(), revision=1), march, (), [entry])

        assert (found.difference.minor, found.unpriced) == (0, {"outcome": Decimal(1)})

    def test_entries_of_another_period_are_refused(self) -> None:
        with pytest.raises(ValueError, match="is not of this period"):
            price(engine_terms(the_terms(), revision=1), APRIL, (), [LateEntry("e1", "outcome", Decimal(1), APRIL.end)])


@settings(max_examples=150, deadline=None)
@given(
    currency=st.sampled_from(Currency),
    prices=st.lists(st.decimals("0", "3", places=4), min_size=1, max_size=4),
    bounds=st.lists(st.integers(1, 40), min_size=3, max_size=3, unique=True).map(sorted),
    frozen=st.integers(0, 40),
    charges=st.lists(st.sampled_from(["0.25", "1", "7", "30"]), max_size=8),
    taken_back=st.integers(0, 8),
    seed=st.randoms(use_true_random=False),
)
def test_in_any_order_of_arrival_the_sum_is_the_period_rated_right_at_once(
    currency: Currency,
    prices: list[Decimal],
    bounds: list[int],
    frozen: int,
    charges: list[str],
    taken_back: int,
    seed: Random,
) -> None:
    """
    Late charges, reversals of late ones and of frozen ones, in any order, in tiers and five currencies.

    Seen to fail when reversals are cut off at each step instead of at the end, when each entry is priced from the
    first tier on, and when an entry is rounded by itself.
    """
    tiers = [*(Tier(bound, each) for bound, each in zip(bounds, prices[:-1], strict=False)), Tier(None, prices[-1])]
    terms = the_terms(*tiers, currency=currency)
    values = charges + [f"-{value}" for value in charges[:taken_back]] + ["-1"] * min(taken_back, frozen)
    entries = [late(number, value) for number, value in enumerate(values)]
    seed.shuffle(entries)

    found = priced(terms, frozen, *entries)

    at_once = frozen + sum(Decimal(value) for value in values)
    usage = {count: [Used("outcome", APRIL, Decimal(count))] for count in (frozen, at_once)}
    right, billed = (expected(terms, APRIL, usage[count], revision=1).total.minor for count in (at_once, frozen))
    assert found.difference.minor == right - billed
    assert sum(step.minor for step in found.steps) == found.difference.minor
    assert sum(line.amount.minor for line in found.after) - sum(line.amount.minor for line in found.before) == (
        right - billed
    )
