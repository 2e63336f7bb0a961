"""What is made of what a trial has seen."""

from __future__ import annotations

from decimal import Decimal

import pytest

from event_schemas.values import Currency
from invoicing_sync.assumptions.domain.findings import BilledLine, Finding, Verdict, differs, rounding, tiers
from invoicing_sync.contracts.domain.terms import MeteredTerm, Tier

HALF = MeteredTerm("m", "per_unit", (Tier(None, Decimal("0.005")),))
TIERED = MeteredTerm("m", "graduated", (Tier(3, Decimal("0.005")), Tier(None, Decimal("0.003"))))


def lines(*each: tuple[str, int]) -> tuple[BilledLine, ...]:
    return tuple(BilledLine(Decimal(quantity), amount) for quantity, amount in each)


class TestRounding:
    @pytest.mark.parametrize(("amount", "verdict"), [(3, Verdict.HOLDS), (2, Verdict.DIFFERS)])
    def test_is_held_against_our_own_rule(self, amount: int, verdict: Verdict) -> None:
        """5 units at half a cent are 2.5 cents."""
        found = rounding("A16", HALF, Currency.USD, lines(("5", amount)))

        assert (found.verdict, found.seen) == (verdict, f"5 units at 0.5 minor units are {amount}, by our rule 3")


class TestTiers:
    def test_are_a_line_each(self) -> None:
        assert tiers("A20", TIERED, Currency.USD, lines(("4", 1), ("3", 2))).verdict is Verdict.HOLDS

    def test_in_one_line_are_told_with_both_numbers(self) -> None:
        found = tiers("A20", TIERED, Currency.USD, lines(("7", 3)))

        assert (found.verdict, found.seen) == (Verdict.DIFFERS, "lines of 7 units, by our rule of 3, 4")


def test_what_is_unknown_is_no_failure() -> None:
    holds, unknown, other = (
        Finding("A1", verdict, "") for verdict in (Verdict.HOLDS, Verdict.UNKNOWN, Verdict.DIFFERS)
    )

    assert not differs([holds, unknown])
    assert differs([holds, other])
