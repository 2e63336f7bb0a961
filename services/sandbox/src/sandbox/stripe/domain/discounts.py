"""
What discounts take off an invoice's lines.

Those of a line go first, then those of the invoice, each in the order of its list. A fixed amount is shared out in
proportion, each share rounded down and the rest given to the last line: 5.00 of 10.00 and 20.00 are 1.66 and 3.34.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain

from sandbox.stripe.domain.amounts import whole


@dataclass(frozen=True, slots=True)
class Off:
    """A discount: a percentage, or an amount in minor units; of some products only where they are named."""

    id: str
    percent: Fraction | None = None
    amount: int | None = None
    products: frozenset[str] | None = None


@dataclass(slots=True)
class Line:
    """A line before discounts, what is `left` of it, and what each discount took."""

    amount: int
    product: str | None
    discountable: bool = True
    own: tuple[str, ...] = ()  # ids of its own discounts
    left: int = field(init=False)
    taken: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.left = self.amount


def take_off(
    lines: Sequence[Line], own: Sequence[Off], common: Sequence[Off], *, of_the_whole: bool, per_line: bool
) -> None:
    """
    Fill `taken` and `left` of each line.

    `of_the_whole`: a percentage is of what stood before its level began, else of what the discounts before it left.
    `per_line`: a percentage is rounded on each line, else once on their sum and shared out.
    """
    for level in (own, common):
        begun = [line.left for line in lines]
        for off in level:
            reached = [
                place
                for place, line in enumerate(lines)
                if _reaches(off, line) and (level is common or off.id in line.own)
            ]
            base = [begun[place] if of_the_whole else lines[place].left for place in reached]
            left = [lines[place].left for place in reached]
            for place, cut in zip(reached, _cuts(off, base, left, per_line=per_line), strict=True):
                lines[place].left -= cut
                lines[place].taken[off.id] = cut


def _reaches(off: Off, line: Line) -> bool:
    return line.discountable and line.left > 0 and (off.products is None or line.product in off.products)


def _cuts(off: Off, base: list[int], left: list[int], *, per_line: bool) -> list[int]:
    if off.percent is None:
        return share_out(min(off.amount or 0, sum(left)), left)
    if per_line:
        return [min(whole(amount * off.percent / 100), rest) for amount, rest in zip(base, left, strict=True)]
    return share_out(min(whole(sum(base) * off.percent / 100), sum(left)), left)


def share_out(total: int, rooms: Sequence[int]) -> list[int]:
    """
    A total in proportion to positive amounts, none above its amount: rounded down, the rest to the last ones.

    The parts sum to the total, which is at most the amounts' sum.
    """
    whole_sum = sum(rooms)
    if total <= 0 or whole_sum == 0:
        return [0] * len(rooms)
    parts = [total * room // whole_sum for room in rooms]
    rest = total - sum(parts)
    for place in reversed(range(len(parts))):
        more = min(rest, rooms[place] - parts[place])
        parts[place] += more
        rest -= more
    return parts


def by_discount(lines: Iterable[Line]) -> dict[str, int]:
    """What each discount took in all, in the order in which they first took anything."""
    sums: dict[str, int] = {}
    for id_, cut in chain.from_iterable(line.taken.items() for line in lines):
        sums[id_] = sums.get(id_, 0) + cut
    return sums
