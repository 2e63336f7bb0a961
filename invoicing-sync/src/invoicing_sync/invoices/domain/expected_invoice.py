"""
The lines that an invoice must have, from the contract and the frozen ledger alone.

It shares nothing with the code that makes Stripe's amounts: the gate compares the two to the cent.
Source: golden-invoices.yaml, rules R1, R2, R5 and R12.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from event_schemas.values import Currency, Money, decimal_text, round_line
from invoicing_sync.contracts.domain.terms import LicensedTerm, MeteredTerm, Terms


@dataclass(frozen=True, slots=True)
class Line:
    """One invoice line: a licensed item in advance, or one tier of a meter's usage. `amount` in minor units."""

    kind: Literal["advance", "usage"]
    item: str
    quantity: Decimal
    amount: Money


def expected_lines(terms: Terms, *, usage: Mapping[str, Decimal] | None, advance: bool = True) -> tuple[Line, ...]:
    """
    The lines of one invoice: licensed items for the period that starts, usage of the period that ended.

    Args:
        usage: net quantity of each meter in the frozen ledger; None on a first invoice, which has no usage.
        advance: whether licensed items are billed for the period that starts.
    """
    lines = [_advance_line(term, terms.currency) for term in terms.licensed] if advance else []
    for term in terms.metered:
        quantity = (usage or {}).get(term.meter, Decimal(0))
        lines += usage_lines(term, quantity, terms.currency)
    return tuple(line for line in lines if line.quantity != 0)


def usage_lines(term: MeteredTerm, quantity: Decimal, currency: Currency) -> tuple[Line, ...]:
    """
    The usage lines of one meter: one for each tier reached, each rounded by itself; a net below zero bills as zero.

    Tier bounds are inclusive. Source: golden rules R1 and R5; Stripe bills a negative total as quantity 0.
    """
    lines: list[Line] = []
    below = Decimal(0)  # units in the tiers before
    for tier in term.tiers:
        bound = quantity if tier.up_to is None else min(quantity, Decimal(tier.up_to))
        units = bound - below
        if units <= 0:
            break
        amount = round_line(units * tier.unit_price, currency)
        lines.append(Line("usage", term.meter, units, amount))
        below = bound
    return tuple(lines)


def differences(expected: Iterable[Line], found: Iterable[Line]) -> tuple[str, ...]:
    """
    What stands between an invoice and its expectation, as sentences; empty when they agree to the cent.

    Compared as multisets of (kind, item, quantity, amount). Lines of amount 0 are ignored on both sides: Stripe writes
    some (an item without usage, a free tier) and leaves others out, and they bill nothing.
    """
    wanted = Counter(line for line in expected if line.amount.minor != 0)
    there = Counter(line for line in found if line.amount.minor != 0)
    missing = [f"missing: {_say(line)}" for line in (wanted - there).elements()]
    surplus = [f"not expected: {_say(line)}" for line in (there - wanted).elements()]
    return tuple(sorted(missing) + sorted(surplus))


def total(lines: Iterable[Line], currency: Currency) -> Money:
    """The net of an invoice: the sum of its rounded lines."""
    return sum((line.amount for line in lines), Money(0, currency))


def _advance_line(term: LicensedTerm, currency: Currency) -> Line:
    quantity = Decimal(term.quantity)
    return Line("advance", term.item, quantity, round_line(quantity * term.unit_price, currency))


def _say(line: Line) -> str:
    return f"{line.kind} {line.item}, {decimal_text(line.quantity)} for {line.amount}"
