"""
The lines that an invoice must have, from the contract and the frozen ledger alone, as the pricing engine rates them.

It shares nothing with the code that makes Stripe's amounts: the gate compares the two to the cent. No price meets a
quantity here; that is the engine's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

import pricing.lines as engine
from event_schemas.times import Period
from event_schemas.values import Currency, Money, decimal_text
from invoicing_sync.contracts.domain.terms import MeteredTerm, Terms
from invoicing_sync.invoices.domain.engine import LICENSED, Sums, engine_price, engine_terms
from pricing.amounts import money
from pricing.engine import expected_invoice
from pricing.models import priced
from pricing.usage import Used

LineKind = Literal[
    "advance",
    "usage",
    "explicit",
    "proration",
    "discount",
    "included",
    "commitment",
    "overage",
    "shortfall",
    "credit_drawdown",
    "prior_period",
    "taken_back",
]


@dataclass(frozen=True, slots=True)
class Reason:
    """
    Why a line is what it is; `exact` is what the formula comes to in major units, before the one rounding.

    Attributes:
        clause: the item's place in the contract, such as `metered.resolution`.
        quantity: how much, and where it comes from, in words.
        rounding: `exact`, or from what to what it was rounded, in words.
    """

    clause: str
    quantity: str
    price_version: str
    formula: str
    exact: Decimal
    rounding: str


@dataclass(frozen=True, slots=True)
class Line:
    """
    One invoice line: a licensed item in advance, or one tier of a meter's usage. `amount` in minor units.

    Lines are the same whatever their reasons; a line that Stripe shows has none. Of kind `explicit` are Stripe's lines
    of invoice items of ours, named by their key.

    Attributes:
        key: of the invoice item that carries it; empty where Stripe makes the line by itself.
        period: what it bills, where that is not what its invoice bills.
    """

    kind: LineKind
    item: str
    quantity: Decimal
    amount: Money
    why: Reason | None = field(default=None, compare=False)
    key: str = field(default="", compare=False)
    period: Period | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Expected:
    """One invoice as it must be, and the net of meters that the contract neither prices nor declares free."""

    lines: tuple[Line, ...]
    total: Money
    unpriced: Mapping[str, Decimal]


def expected(terms: Terms, period: Period, usage: Iterable[Used], *, revision: int) -> Expected:
    """
    The invoice of the billing day on which a period ends: its usage, and licensed items for the period that starts.

    Args:
        period: the one that ended; of a first invoice it is empty, and so is the usage.
        usage: sums of the frozen ledger within the parts of the period over which the terms hold.
    """
    agreed = engine_terms(terms, revision=revision)
    return from_engine(expected_invoice(agreed, period.end, Sums(agreed, period, usage).billable()))


def from_engine(invoice: engine.Invoice) -> Expected:
    """What the gate compares, of the engine's answer."""
    return Expected(
        lines=tuple(from_engine_line(line) for line in invoice.lines),
        total=invoice.net,
        unpriced={account.meter: account.unpriced for account in invoice.unpriced},
    )


def from_engine_line(line: engine.Line) -> Line:
    """
    A line in the gate's words.

    Raises:
        ValueError: a line of a kind that no contract of version 1 can lead to.
    """
    if line.quantity is None or line.kind not in (engine.Kind.ADVANCE, engine.Kind.USAGE):
        raise ValueError(f"a line of kind {line.kind.value} for {line.item}: no contract of version 1 asks for it")
    why = reason_of(line, clause=line.why.clause.removeprefix("items."))
    kind: Literal["advance", "usage"] = "advance" if line.kind is engine.Kind.ADVANCE else "usage"
    return Line(kind, line.meter or line.item.removeprefix(LICENSED), line.quantity, line.amount, why)


def reason_of(line: engine.Line, *, clause: str) -> Reason:
    """The engine's reason of a line, with the clause as it is named here."""
    return Reason(
        clause=clause,
        quantity=line.why.quantity,
        price_version=line.why.price_version,
        formula=line.why.formula,
        exact=line.why.exact,
        rounding=line.rounding,
    )


def usage_lines(term: MeteredTerm, quantity: Decimal, currency: Currency) -> tuple[Line, ...]:
    """The usage lines of one meter alone, without a contract: one for each tier reached."""
    return tuple(
        Line("usage", term.meter, charge.quantity, money(charge.exact, currency))
        for charge in priced(engine_price(term), quantity).charges
    )


def net_usage(ledger: Mapping[str, Decimal], period: Period) -> tuple[Used, ...]:
    """Usage of which only the net of each meter is known."""
    return tuple(Used(meter, period, net) for meter, net in sorted(ledger.items()) if net > 0)


def differences(expected: Iterable[Line], found: Iterable[Line]) -> tuple[str, ...]:
    """
    What stands between an invoice and its expectation, as sentences; empty when they agree to the cent.

    """
    missing, surplus = unequal(expected, found)
    return tuple(
        sorted(f"missing: {_say(line)}" for line in missing) + sorted(f"not expected: {_say(line)}" for line in surplus)
    )


def unequal(expected: Iterable[Line], found: Iterable[Line]) -> tuple[list[Line], list[Line]]:
    """
    The lines that are missing, and those that nobody expects, each as often as it is.

    Compared as multisets of (kind, item, quantity, amount). Lines of amount 0 are ignored on both sides: Stripe writes
    some (an item without usage, a free tier) and leaves others out, and they bill nothing.
    """
    wanted = Counter(line for line in expected if line.amount.minor != 0)
    there = Counter(line for line in found if line.amount.minor != 0)
    return list((wanted - there).elements()), list((there - wanted).elements())


def by_item(lines: Iterable[Line]) -> dict[tuple[str, str], list[Line]]:
    """Lines by their kind and item, in their order."""
    found: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        found.setdefault((line.kind, line.item), []).append(line)
    return found


def _say(line: Line) -> str:
    return f"{line.kind} {line.item}, {decimal_text(line.quantity)} for {line.amount}"
