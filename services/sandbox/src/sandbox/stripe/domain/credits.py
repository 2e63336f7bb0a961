"""What credit notes and customer balances come to, in minor units."""

from __future__ import annotations

from fractions import Fraction

from sandbox.stripe.domain.amounts import whole


def split(total: int, remaining: int) -> tuple[int, int]:
    """A credit as what lowers the open amount, which goes first, and what is left for the time after payment."""
    before = min(total, remaining)
    return before, total - before


def part_of(amount: int, part: int | Fraction, of: int | Fraction) -> int:
    """The part of an amount, rounded; 0 of nothing."""
    return whole(Fraction(amount) * Fraction(part) / Fraction(of)) if of else 0


def apply_balance(total: int, balance: int) -> tuple[int, int]:
    """
    What is due of an invoice, and the balance after it. Negative balances are the customer's credit.

    Credit is used as far as the total goes, a debt is added to it, and a negative total becomes credit.
    """
    left = total + balance
    return max(left, 0), min(left, 0)
