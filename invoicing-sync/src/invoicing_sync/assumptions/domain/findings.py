"""What a check of an account has found: one finding for each assumption, and what the process says at its end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from event_schemas.values import Currency, decimal_text
from invoicing_sync.contracts.domain.terms import MeteredTerm
from invoicing_sync.invoices.domain.expected_invoice import usage_lines


class Verdict(StrEnum):
    """How an assumption fared."""

    HOLDS = "holds"
    DIFFERS = "differs"
    UNKNOWN = "unknown"  # it could not be tried to its end


@dataclass(frozen=True, slots=True)
class Finding:
    """One assumption's verdict; `seen` is a sentence on what the account did."""

    number: str
    verdict: Verdict
    seen: str


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A usage line as Stripe bills it; `amount` in minor units."""

    quantity: Decimal
    amount: int


def differs(findings: Iterable[Finding]) -> bool:
    """Whether any assumption fell. What is unknown is said, and is no failure."""
    return any(finding.verdict is Verdict.DIFFERS for finding in findings)


def quantity_of(lines: Iterable[BilledLine]) -> Decimal:
    """The units on some lines."""
    return sum((line.quantity for line in lines), Decimal(0))


def amount_of(lines: Iterable[BilledLine]) -> int:
    """What some lines bill, in minor units."""
    return sum(line.amount for line in lines)


def rounding(number: str, term: MeteredTerm, currency: Currency, lines: tuple[BilledLine, ...]) -> Finding:
    """Whether what Stripe bills for the units that it found is what our own rule makes of them."""
    quantity, billed = quantity_of(lines), amount_of(lines)
    expected = sum(line.amount.minor for line in usage_lines(term, quantity, currency))
    price = decimal_text(term.tiers[0].unit_price.scaleb(currency.minor_digits))
    seen = f"{_plain(quantity)} units at {price} minor units are {billed}, by our rule {expected}"
    return Finding(number, Verdict.HOLDS if billed == expected else Verdict.DIFFERS, seen)


def tiers(number: str, term: MeteredTerm, currency: Currency, lines: tuple[BilledLine, ...]) -> Finding:
    """Whether each tier that was reached is a line with its own units."""
    found = sorted(line.quantity for line in lines)
    expected = sorted(line.quantity for line in usage_lines(term, quantity_of(lines), currency))
    said = ", ".join(map(_plain, found)) or "none"
    seen = f"lines of {said} units, by our rule of {', '.join(map(_plain, expected)) or 'none'}"
    return Finding(number, Verdict.HOLDS if found == expected else Verdict.DIFFERS, seen)


def _plain(value: Decimal) -> str:
    return decimal_text(value)
