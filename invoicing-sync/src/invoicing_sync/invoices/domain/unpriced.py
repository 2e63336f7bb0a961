"""What is charged and has no price: nothing that was charged vanishes from an invoice in silence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from event_schemas.values import decimal_text


def unpriced_problems(unpriced: Mapping[str, Decimal]) -> tuple[str, ...]:
    """
    Why an invoice is held whose period holds a net of meters that the contract neither prices nor declares free.

    One sentence for each meter, by name; `unpriced` is the net by meter that the engine could not place.
    """
    return tuple(
        f"meter {meter}: {decimal_text(net)} charged, and the contract neither prices it nor declares it free"
        for meter, net in sorted(unpriced.items())
    )


def billed_meters(priced: Iterable[str], free: Iterable[str], ledger: Mapping[str, Decimal] | None) -> tuple[str, ...]:
    """The meters whose usage Stripe has and the gate compares: all but the free ones, of which Stripe never hears."""
    return tuple(sorted({*priced, *(ledger or {})} - set(free)))
