"""Money, currencies and the one rounding: exact decimals inside, integer minor units at rest and on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from enum import StrEnum

# 15 digits of quantity times 12 decimals of price fit with room to spare; nothing is rounded before round_line.
EXACT = Context(prec=60)


class Currency(StrEnum):
    """The currencies an invoice may be in (ISO 4217)."""

    USD = "USD"
    EUR = "EUR"
    GBP = "GBP"
    JPY = "JPY"
    KWD = "KWD"

    @property
    def minor_digits(self) -> int:
        """Decimals of the minor unit: 2 for most, 0 for the yen, 3 for the dinar. Source: golden rule R12."""
        return _MINOR_DIGITS[self]


_MINOR_DIGITS = {Currency.USD: 2, Currency.EUR: 2, Currency.GBP: 2, Currency.JPY: 0, Currency.KWD: 3}


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in integer minor units of one currency. Two currencies never add up."""

    minor: int
    currency: Currency

    def __add__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __str__(self) -> str:
        """The amount in major units with the currency's decimals: `USD 12.30`, `JPY 1200`."""
        digits = self.currency.minor_digits
        return f"{self.currency.value} {Decimal(self.minor).scaleb(-digits):,.{digits}f}"

    def _same_currency(self, other: Money) -> None:
        if self.currency is not other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")


def round_line(exact: Decimal, currency: Currency) -> Money:
    """
    Round an exact amount in major units to the minor unit, half away from zero.

    The only rounding of a line; a unit price is never rounded before it.

    Raises:
        ValueError: `exact` is not finite.

    Source: golden-invoices.yaml, rules R1 and R12.
    """
    if not exact.is_finite():
        raise ValueError(f"not a finite amount: {exact}")
    with localcontext(EXACT):
        minor = exact.scaleb(currency.minor_digits).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return Money(int(minor), currency)


def parse_decimal(text: str, *, max_digits: int = 15, max_places: int = 12) -> Decimal:
    """
    Read a plain non-negative decimal string such as `0.0175`: no sign, no exponent, no white space.

    Raises:
        ValueError: not of that form, or longer than `max_digits` digits or `max_places` decimals.
    """
    whole, _, places = text.partition(".")
    well_formed = whole.isascii() and whole.isdigit() and (("." not in text) or (places.isascii() and places.isdigit()))
    if not well_formed:
        raise ValueError("must be a plain decimal such as 12 or 0.0175")
    if len(whole.lstrip("0")) + len(places) > max_digits or len(places) > max_places:
        raise ValueError(f"at most {max_digits} digits and {max_places} decimals")
    return Decimal(text)


def decimal_text(value: Decimal) -> str:
    """The shortest plain form of a decimal: `1`, `0.5`, `-2`; never an exponent."""
    normal = format(value.normalize(EXACT), "f")
    return "0" if normal in ("-0", "") else normal


def allocate(total: Money, weights: Sequence[int]) -> tuple[Money, ...]:
    """
    Split `total` in proportion to `weights` by largest remainder; the parts sum to the total, ties go to the earlier.

    Raises:
        ValueError: no weight is positive, or one is negative.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("weights must be non-negative with a positive sum")
    sign = -1 if total.minor < 0 else 1
    magnitude = abs(total.minor)
    floors = [magnitude * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(magnitude * weights[i] % whole), i))
    for index in by_remainder[: magnitude - sum(floors)]:
        floors[index] += 1
    return tuple(Money(sign * part, total.currency) for part in floors)
