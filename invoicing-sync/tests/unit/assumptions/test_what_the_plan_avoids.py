"""A26 and A27 change nothing: what the plan makes coupons of comes to the same whichever way Stripe has it."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.stripe.domain.discounts import Line, Off, take_off

AMOUNTS = st.integers(1, 100_000)
PERCENTS = st.integers(1, 1000).map(lambda tenths: Fraction(tenths, 10))


def left(of_item: int, others: list[int], own: list[Off], common: list[Off]) -> set[tuple[int, ...]]:
    """What each line has left, under every position of both switches: an item of one line, and lines of others."""
    found = set()
    for of_the_whole, per_line in product((False, True), repeat=2):
        lines = [Line(of_item, None, own=tuple(off.id for off in own)), *(Line(amount, None) for amount in others)]
        take_off(lines, own, common, of_the_whole=of_the_whole, per_line=per_line)
        found.add(tuple(line.left for line in lines))
    return found


@settings(max_examples=50)
@given(AMOUNTS, st.lists(AMOUNTS, max_size=4), PERCENTS, AMOUNTS)
def test_one_percentage_on_one_line_and_one_amount_on_the_invoice(
    of_item: int, others: list[int], percent: Fraction, amount: int
) -> None:
    """As `ways.discount_reason` lets through. Seen to fail with a second percentage on either level, as below."""
    assert len(left(of_item, others, [Off("item", percent)], [Off("invoice", amount=amount)])) == 1


def test_what_the_plan_makes_explicit_is_told_apart() -> None:
    """Two discounts on a level, by A26; a percentage on two lines, by A27."""
    tenth = Fraction(10)

    assert left(10_000, [], [Off("first", tenth), Off("second", tenth)], []) == {(8_100,), (8_000,)}
    assert left(15, [15], [], [Off("invoice", tenth)]) == {(13, 13), (14, 13)}
