"""What a past period comes to, as agreed and by a draft: units, lines and sums, by the pricing engine alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from event_schemas.contract_v2 import ContractV2
from event_schemas.times import Period, month_after
from event_schemas.values import Currency
from pricing.agreed import terms_of
from pricing.engine import expected_invoice
from pricing.invoice.metering import usage_spans
from pricing.lines import Invoice, Kind
from pricing.periods import number_of
from pricing.terms import Terms
from pricing.usage import BilledBefore, Used

Units = Mapping[str, Decimal]  # by meter
ZERO = Decimal(0)
COUNTED = (Kind.ADVANCE, Kind.USAGE, Kind.OVERAGE, Kind.INCLUDED)


class CannotTry(Exception):
    """This customer's period cannot be reckoned; the message says why, and what is done with the others."""


@dataclass(frozen=True, slots=True)
class Item:
    """What one item comes to on the invoice, its discounts taken off; `quantity` of the units or seats on its lines."""

    quantity: Decimal
    minor: int


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: units by meter, the invoice before taxes by item, and units that no item prices."""

    units: Units
    items: Mapping[str, Item]
    minor: int
    unpriced: Units


@dataclass(frozen=True, slots=True)
class Tried:
    """One customer's period, before and after."""

    customer: str
    currency: Currency
    period: Period
    before: Side
    after: Side

    @property
    def difference(self) -> int:
        """Minor units that the draft brings more, or, below 0, less."""
        return self.after.minor - self.before.minor

    @property
    def items(self) -> tuple[str, ...]:
        """The items of either side, in the order of the invoices."""
        return tuple(dict.fromkeys([*self.before.items, *self.after.items]))


def side(contract: ContractV2, period: Period, units: Units) -> Side:
    """
    The invoice that closes a period: its usage, and what is paid ahead for the next one. No taxes, no earlier credit.

    Raises:
        CannotTry: it is none of the contract's periods, or its terms change within it.
    """
    terms = terms_of(contract)
    used = [Used(meter, period, max(net, ZERO)) for meter, net in sorted(units.items()) if net]
    for one in used:
        if len(usage_spans(terms, one.meter, period)) > 1:
            raise CannotTry(f"the terms of {one.meter} change within the period, and its usage is known as one sum")
    try:
        invoice = expected_invoice(terms, period.end, used, _before(terms, period))
    except ValueError as error:
        raise CannotTry(str(error)) from None
    unpriced = {meter.meter: meter.unpriced for meter in invoice.unpriced}
    return Side(dict(units), _items(invoice), invoice.net.minor, unpriced)


def _before(terms: Terms, period: Period) -> BilledBefore:
    """Each earlier billing day had its invoice, which is what discounts by count of invoices count."""
    count = number_of(terms.billing_anchor, period.end)
    return BilledBefore(invoice_days=tuple(month_after(terms.billing_anchor, number) for number in range(count)))


def _items(invoice: Invoice) -> dict[str, Item]:
    minor: Counter[str] = Counter()
    quantity: dict[str, Decimal] = {}
    for line in invoice.lines:
        minor[line.item] += line.amount.minor
        counted = line.quantity if line.kind in COUNTED and line.quantity is not None else ZERO
        quantity[line.item] = quantity.get(line.item, ZERO) + counted
    return {item: Item(quantity[item], minor[item]) for item in quantity}


def after_policy(ledger: Units, counted: Iterable[Mapping[str, int | str]]) -> dict[str, Decimal]:
    """
    The units of a period had another policy held: the ledger's, moved by what deciding twice differs by.

    Args:
        counted: rating's sums, one for each meter: `meter`, `before`, `after`.
    """
    units = dict(ledger)
    for meter in counted:
        moved = units.get(str(meter["meter"]), ZERO) + int(meter["after"]) - int(meter["before"])
        units[str(meter["meter"])] = moved
    return {meter: net for meter, net in units.items() if net or meter in ledger}


def decided_otherwise(ledger: Units, counted: Iterable[Mapping[str, int | str]]) -> list[str]:
    """Meters that come to something else than the ledger froze when decided again by the own policy; in words."""
    return [
        f"{meter['meter']}: {meter['before']} by its own policy as it is now, {ledger.get(str(meter['meter']), ZERO):f}"
        " in the frozen ledger"
        for meter in counted
        if Decimal(int(meter["before"])) != ledger.get(str(meter["meter"]), ZERO)
    ]


@dataclass(frozen=True, slots=True)
class Sum:
    """All customers of a currency."""

    customers: int
    units_before: Decimal
    units_after: Decimal
    before: int
    after: int


def sums(tried: Iterable[Tried]) -> dict[Currency, Sum]:
    """By currency, in the order of the currencies; two of them never add up."""
    of: dict[Currency, list[Tried]] = {}
    for one in tried:
        of.setdefault(one.currency, []).append(one)
    return {
        currency: Sum(
            len(of[currency]),
            sum((sum(one.before.units.values(), ZERO) for one in of[currency]), ZERO),
            sum((sum(one.after.units.values(), ZERO) for one in of[currency]), ZERO),
            sum(one.before.minor for one in of[currency]),
            sum(one.after.minor for one in of[currency]),
        )
        for currency in Currency
        if currency in of
    }
