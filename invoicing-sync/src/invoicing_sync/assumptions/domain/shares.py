"""What a change of seats within a term comes to by the rule that we count by, and instants that tell rules apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)
CLEAR = Fraction(1, 20)  # so far from half a minor unit, whichever way halves go
_LONGEST_SEARCH_S = 50_000


@dataclass(frozen=True, slots=True)
class Term:
    """[start, end) in unix seconds."""

    start: int
    end: int

    def left(self, at: int) -> Fraction:
        """The share of it that lies after an instant."""
        return Fraction(self.end - at, self.end - self.start)


def rounded(exact: Fraction) -> int:
    """The nearest whole minor unit; a half goes away from zero."""
    size = int(abs(exact) + HALF)
    return -size if exact < 0 else size


def telling_change(term: Term, old: int, new: int, after: int) -> int:
    """
    The first instant from `after` on at which a credit and a debit, rounded apart, are not their rounded sum.

    There the debit's own rounding is more than a quarter, so that what is counted from it later tells as well.

    Args:
        old, new: minor units for the whole term, before and after the change.
    """
    for at in _seconds(term, after):
        credit, debit = old * term.left(at), new * term.left(at)
        is_far = abs(rounded(debit) - debit) > QUARTER
        if (
            is_far
            and _clear(credit, debit, debit - credit)
            and rounded(debit) - rounded(credit) != rounded(debit - credit)
        ):
            return at
    raise ValueError(f"no second from {after} on tells the roundings apart")


def telling_credit(term: Term, whole: int, changed: int, debited: int, after: int) -> int:
    """
    The first instant from `after` on at which the unused share of a debit is not that of the whole price.

    Args:
        whole: minor units for the whole term.
        changed, debited: when the debit begins, and what it came to.
    """
    rest = Term(changed, term.end)
    for at in _seconds(term, after):
        of_debit, of_price = debited * rest.left(at), whole * term.left(at)
        if _clear(of_debit, of_price) and rounded(of_debit) != rounded(of_price):
            return at
    raise ValueError(f"no second from {after} on tells the credits apart")


def _seconds(term: Term, after: int) -> Iterator[int]:
    return iter(range(max(after, term.start), min(after + _LONGEST_SEARCH_S, term.end)))


def _clear(*amounts: Fraction) -> bool:
    return all(abs(abs(amount) % 1 - HALF) > CLEAR for amount in amounts)
