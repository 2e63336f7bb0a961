"""
Corrections that come to more than was billed, as items of a later invoice. Source: golden rule R9, case G23.

They were priced, discounted and drawn on in their own period; a later invoice carries what came of it and changes
nothing about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from event_schemas.times import Period
from event_schemas.values import Currency, Money
from invoicing_sync.invoices.domain.corrections import Change, Priced
from invoicing_sync.invoices.domain.expected_invoice import Line, Reason
from invoicing_sync.invoices.domain.issuing import Shares
from pricing.amounts import major
from pricing.periods import say

KIND: Final = "prior_period"


@dataclass(frozen=True, slots=True)
class CarriedLine:
    """
    One item of a period's corrections on a later invoice; `amount_minor` is signed, since another item may owe less.

    Attributes:
        before: units that its own invoice billed; `after`: with all that came since.
        source: what came since, in words.
    """

    item: str
    amount_minor: int
    before: Decimal
    after: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class Carried:
    """What one period's corrections put onto a later invoice; `place` is the count of the period's documents."""

    number: int
    place: int
    period: Period
    currency: Currency
    lines: tuple[CarriedLine, ...]

    @property
    def amount(self) -> Money:
        """What they sum to: more than 0."""
        return Money(sum(line.amount_minor for line in self.lines), self.currency)


def carried_lines(priced: Priced, open_: Shares, *, late: int, revisions: Sequence[int]) -> tuple[CarriedLine, ...]:
    """
    The lines of what is to be billed.

    Args:
        open_: what no document has settled yet, by item.
        late: how many entries came late.
        revisions: those of the contract that came since the period was billed and that concern it.
    """
    changes = {change.item: change for change in priced.changes}
    causes = [f"{late} {'entry that' if late == 1 else 'entries that'} came late"] if late else []
    if revisions:
        causes.append(f"revision {' and '.join(str(number) for number in revisions)} of the contract")
    source = " and ".join(causes)
    return tuple(_line(item, minor, changes.get(item), source) for item, minor in sorted(open_.items()))


def _line(item: str, minor: int, change: Change | None, source: str) -> CarriedLine:
    if change is None:  # an earlier document settled what nothing asks for any more
        return CarriedLine(item, minor, Decimal(0), Decimal(0), source)
    if change.difference.minor != minor:
        source += f", less {Money(change.difference.minor - minor, change.difference.currency)} settled before"
    return CarriedLine(item, minor, change.quantity_before, change.quantity_after, source)


def on_invoice(all_carried: Iterable[Carried]) -> tuple[Line, ...]:
    """The lines that an invoice carries of earlier periods, in the gate's words, with their natural keys."""
    return tuple(
        Line(
            KIND,
            line.item,
            line.after - line.before or Decimal(1),
            Money(line.amount_minor, one.currency),
            _why(one, line),
            key=f"{KIND}/{line.item}/{one.number}.{one.place}",
            period=one.period,
        )
        for one in all_carried
        for line in one.lines
    )


def _why(one: Carried, line: CarriedLine) -> Reason:
    amount = Money(line.amount_minor, one.currency)
    return Reason(
        clause=f"correction of {say(one.period)}",
        quantity=f"{line.after:f} instead of {line.before:f}, by {line.source}",
        price_version="",
        formula=f"correction of {say(one.period)}: that period rated again, less as it was billed",
        exact=major(amount),
        rounding="exact",
    )


def place_of(key: str) -> tuple[int, int]:
    """The number of the period and the count of its documents that a key names."""
    number, _, place = key.rpartition("/")[2].partition(".")
    return int(number), int(place)


def by_item(lines: Iterable[CarriedLine]) -> Mapping[str, int]:
    """What lines settle of each item."""
    return {line.item: line.amount_minor for line in lines}
