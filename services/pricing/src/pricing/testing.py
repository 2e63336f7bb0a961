"""Builders with plain defaults for tests: 2026-03-01 is the billing day, February the period that ended."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from event_schemas.times import Period
from event_schemas.values import Currency, Money
from pricing.lines import Invoice
from pricing.prices import PerUnit, Price
from pricing.terms import Licensed, Metered, QuantityFrom, Terms
from pricing.usage import Used

FEBRUARY = Period(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
MARCH = Period(FEBRUARY.end, datetime(2026, 4, 1, tzinfo=UTC))
DAY = FEBRUARY.end


def on(day: int, month: int = 2, hour: int = 0) -> datetime:
    """An instant of 2026."""
    return datetime(2026, month, day, hour, tzinfo=UTC)


def some_terms(*items: Licensed | Metered, currency: Currency = Currency.USD, **clauses: Any) -> Terms:
    """Terms with these items, monthly from 2026-02-01."""
    return Terms(currency=currency, billing_anchor=clauses.pop("anchor", FEBRUARY.start), items=items, **clauses)


def seats(
    *changes: tuple[datetime, int],
    key: str = "seat",
    price: Price | str = "30",
    start: datetime = FEBRUARY.start,
    **fields: Any,
) -> Licensed:
    """A licensed item; without changes 2 seats from the start."""
    timeline = tuple(QuantityFrom(at, quantity) for at, quantity in changes or [(start, 2)])
    return Licensed(key, PerUnit(Decimal(price)) if isinstance(price, str) else price, timeline, start, **fields)


def outcomes(price: Price | str = "0.99", *, key: str = "outcome", meter: str = "outcome", **fields: Any) -> Metered:
    """A metered item."""
    model = PerUnit(Decimal(price)) if isinstance(price, str) else price
    return Metered(key, meter, model, fields.pop("start", on(1)), **fields)


def used(charged: int | str, *, meter: str = "outcome", reversed_: int = 0, span: Period = FEBRUARY) -> Used:
    """Units of a meter, of all February if nothing else is said."""
    return Used(meter, span, Decimal(charged), Decimal(reversed_))


def usd(minor: int) -> Money:
    """Cents."""
    return Money(minor, Currency.USD)


def shown(invoice: Invoice) -> list[tuple[str, str, int]]:
    """Each line as (item, kind, minor units), in the invoice's order."""
    return [(line.item, line.kind.value, line.amount.minor) for line in invoice.lines]
