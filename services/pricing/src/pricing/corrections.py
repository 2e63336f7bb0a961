"""A change to a closed period: the difference of that period rated before and after. Source: golden rule R9."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from event_schemas.times import Period
from event_schemas.values import Money
from pricing.account import BILLED
from pricing.amounts import major
from pricing.lines import ZERO, Invoice, Kind, Line, TaxRow, Why
from pricing.periods import say

GROSS = tuple(kind for kind in Kind if kind not in (Kind.DISCOUNT, Kind.CREDIT_DRAWDOWN, Kind.PRIOR_PERIOD))


class Document(StrEnum):
    """What a correction becomes."""

    CREDIT_NOTE = "credit_note"
    PRIOR_PERIOD = "prior_period"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class ItemDifference:
    """What changes on one item: net = gross + discount + drawdown, all signed; quantities are those on its lines."""

    item: str
    quantity_before: Decimal
    quantity_after: Decimal
    gross: Money
    discount: Money
    drawdown: Money

    @property
    def net(self) -> Money:
        """What it changes before tax."""
        return self.gross + self.discount + self.drawdown


@dataclass(frozen=True, slots=True)
class Correction:
    """
    The difference of one closed period, with its own prices, tiers, discounts and tax rates.

    A chain of corrections sums to the period rated right at once, in whatever order its causes came.
    """

    for_invoice: datetime
    period: Period
    items: tuple[ItemDifference, ...]
    tax: tuple[TaxRow, ...]
    net: Money
    total: Money
    prepaid: Mapping[str, int]  # minor units that each credit pays more than before; less than 0: restored

    @property
    def document(self) -> Document:
        """A credit note when the total is negative, a line on the next invoice when it is positive."""
        if not self.total.minor:
            return Document.NOTHING
        return Document.CREDIT_NOTE if self.total.minor < 0 else Document.PRIOR_PERIOD

    def prior_period_lines(self) -> tuple[Line, ...]:
        """
        The lines that carry it on the next invoice; their tax is `tax`.

        Raises:
            ValueError: it is no prior-period correction.
        """
        if self.document is not Document.PRIOR_PERIOD:
            raise ValueError(f"owed: the correction of {say(self.period)} comes to {self.total}: that is a credit note")
        return tuple(self._line(difference) for difference in self.items)

    def _line(self, difference: ItemDifference) -> Line:
        return Line(
            item=difference.item,
            kind=Kind.PRIOR_PERIOD,
            amount=difference.net,
            period=self.period,
            why=Why(
                f"correction of {say(self.period)}",
                f"{difference.quantity_before:f} before, {difference.quantity_after:f} after",
                "that period rated after less rated before",
                major(difference.net),
            ),
            quantity=difference.quantity_after - difference.quantity_before,
        )


def correction(before: Invoice, after: Invoice) -> Correction:
    """
    What a closed period owes or is owed: `after` less `before`, both rated on the same billing day.

    `before` is how the period stands, with its earlier corrections; `after` is rated with `BilledBefore.reopened`.
    Prior-period lines that stood on the invoice are no part of its own period and are left out.

    Raises:
        ValueError: the two are not of one billing day.
    """
    if before.billing_day != after.billing_day:
        raise ValueError("a correction compares one billing day with itself")
    names = dict.fromkeys(line.item for line in (*before.lines, *after.lines) if line.kind is not Kind.PRIOR_PERIOD)
    items = tuple(_difference(name, before, after) for name in names)
    changed = tuple(item for item in items if item.net.minor or item.quantity_before != item.quantity_after)
    rows = _tax(before, after)
    net = sum((item.net for item in items), Money(0, before.net.currency))
    total = sum((row.amount for row in rows), net)
    return Correction(before.billing_day, before.ended, changed, rows, net, total, _prepaid(before, after))


def _prepaid(before: Invoice, after: Invoice) -> dict[str, int]:
    changes = {key: after.drawn.get(key, 0) - before.drawn.get(key, 0) for key in {**before.drawn, **after.drawn}}
    return {key: change for key, change in changes.items() if change}


def _difference(item: str, before: Invoice, after: Invoice) -> ItemDifference:
    old = [line for line in before.lines if line.item == item]
    new = [line for line in after.lines if line.item == item]
    zero = Money(0, before.net.currency)

    def changed(kinds: Collection[Kind]) -> Money:
        return _sum(new, kinds, zero) - _sum(old, kinds, zero)

    return ItemDifference(
        item=item,
        quantity_before=_units(old),
        quantity_after=_units(new),
        gross=changed(GROSS),
        discount=changed((Kind.DISCOUNT,)),
        drawdown=changed((Kind.CREDIT_DRAWDOWN,)),
    )


def _sum(lines: list[Line], kinds: Collection[Kind], zero: Money) -> Money:
    return sum((line.amount for line in lines if line.kind in kinds), zero)


def _units(lines: list[Line]) -> Decimal:
    """Units billed: of a metered item those of its usage, of a licensed one none."""
    return sum((line.quantity for line in lines if line.quantity is not None and line.kind in BILLED), ZERO)


def _tax(before: Invoice, after: Invoice) -> tuple[TaxRow, ...]:
    """A row for each rate whose tax changes; a rate of 0 whose base changes is told too."""
    old = {(row.name, row.percent): row for row in before.tax if row.period is None}
    new = {(row.name, row.percent): row for row in after.tax if row.period is None}
    zero = Money(0, before.net.currency)
    rows = []
    for key in dict.fromkeys([*old, *new]):
        was, now = old.get(key), new.get(key)
        base = (now.base if now else zero) - (was.base if was else zero)
        amount = (now.amount if now else zero) - (was.amount if was else zero)
        if base.minor or amount.minor:
            rounding = (now or old[key]).rounding
            rows.append(TaxRow(key[0], key[1], base, rounding, amount, before.ended))
    return tuple(rows)
