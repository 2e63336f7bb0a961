"""
What came after a freeze, priced: the difference of the period rated before and after it, by the engine.

The period's own prices and tiers hold, so what a late unit is worth depends on the units that were there. Each entry is
told what it changed in its order of arrival, and last what a change of the contract for this period adds; the whole is
the same in every order. Source: golden rule R9.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

import pricing.lines as engine
from event_schemas.times import Period
from event_schemas.values import Money
from invoicing_sync.contracts.domain.agreement import Agreement
from invoicing_sync.invoices.domain.engine import LICENSED, METERED, Sums
from invoicing_sync.invoices.domain.expected_invoice import Line, from_engine_line
from invoicing_sync.invoices.domain.sides import line_of
from pricing.corrections import Correction, Document, correction
from pricing.engine import expected_invoice
from pricing.periods import say
from pricing.terms import Terms
from pricing.usage import NOTHING_BEFORE, BilledBefore, Used, used_at


@dataclass(frozen=True, slots=True)
class LateEntry:
    """An entry of the ledger that is a correction; `value` is signed."""

    entry_id: str
    meter: str
    value: Decimal
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """What the corrections of a period change on one item: units on its lines, and money."""

    item: str
    quantity_before: Decimal
    quantity_after: Decimal
    difference: Money


@dataclass(frozen=True, slots=True)
class Priced:
    """
    The corrections of one period. `before` and `after` are the lines of the items that change.

    Attributes:
        steps: what each entry changed, in the order in which they were given.
        revised: what the contract as it says now changes, after them; with `steps` it sums to `difference`.
        drawn: minor units that the period draws of each prepaid credit after the corrections.
        unpriced: net units, after the corrections, that no item of the contract prices: in no line and no difference.
    """

    before: tuple[Line, ...]
    after: tuple[Line, ...]
    changes: tuple[Change, ...]
    steps: tuple[Money, ...]
    revised: Money
    difference: Money
    document: Document
    drawn: Mapping[str, int]
    unpriced: Mapping[str, Decimal]
    why: str


def name_of_version_1(key: str) -> str:
    """What an item of version 1 is sold as, without its place in the contract."""
    return key.removeprefix(METERED).removeprefix(LICENSED)


@dataclass(frozen=True, slots=True)
class Revised:
    """The contract as it says now, with the frozen usage summed over the parts in which its terms hold."""

    agreement: Agreement
    frozen: Sequence[Used]


def price_agreement(
    agreement: Agreement,
    period: Period,
    frozen: Sequence[Used],
    late: Sequence[LateEntry],
    before: BilledBefore = NOTHING_BEFORE,
    *,
    revised: Revised | None = None,
) -> Priced:
    """Price the corrections of a period by a contract, as it stood when the period was billed; see `price`."""
    newest = agreement if revised is None else revised.agreement
    say_line = from_engine_line if newest.version_2 is None else partial(line_of, newest)
    now = None if revised is None else (newest.terms, revised.frozen)
    return price(agreement.terms, period, frozen, late, before, revised=now, say_line=say_line, name_of=newest.name_of)


def price(
    agreed: Terms,
    period: Period,
    frozen: Sequence[Used],
    late: Sequence[LateEntry],
    billed: BilledBefore = NOTHING_BEFORE,
    *,
    revised: tuple[Terms, Sequence[Used]] | None = None,
    say_line: Callable[[engine.Line], Line] = from_engine_line,
    name_of: Callable[[str], str] = name_of_version_1,
) -> Priced:
    """
    Price the corrections of a period.

    Args:
        frozen: what its invoice was expected from; empty where it has none.
        late: its corrections in order of arrival.
        billed: what the invoices before its own left, and of prepaid credits what nobody has drawn by now.
        revised: the terms of today with the same frozen usage, where the contract was changed since.

    Raises:
        ValueError: usage of another period.
    """
    before, *between = _stages(agreed, period, frozen, late, billed)
    as_billed = between[-1] if between else before
    after = as_billed if revised is None else _rated(*revised, period, late, billed)
    whole = correction(before, after)
    nets = [stage.net for stage in (before, *between)]
    names = {item.item for item in whole.items}
    return Priced(
        before=_lines(before, names, say_line),
        after=_lines(after, names, say_line),
        changes=_by_name(whole, name_of),
        steps=tuple(now - was for was, now in itertools.pairwise(nets)),
        revised=after.net - as_billed.net,
        difference=whole.total,
        document=whole.document,
        drawn=after.drawn,
        unpriced={account.meter: account.unpriced for account in after.unpriced},
        why=f"{say(period)} rated with what came after its freeze, less the same rated without",
    )


def _by_name(whole: Correction, name_of: Callable[[str], str]) -> tuple[Change, ...]:
    """What changes, by what it is sold as: an item that ended and the one that began in its place are one."""
    found: dict[str, Change] = {}
    for item in whole.items:
        name = name_of(item.item)
        was = found.get(name, Change(name, Decimal(0), Decimal(0), Money(0, whole.net.currency)))
        found[name] = Change(
            name,
            was.quantity_before + item.quantity_before,
            was.quantity_after + item.quantity_after,
            was.difference + item.net,
        )
    return tuple(found.values())


def _stages(
    agreed: Terms, period: Period, frozen: Sequence[Used], late: Sequence[LateEntry], billed: BilledBefore
) -> Iterator[engine.Invoice]:
    """The period as it stood at its freeze, then with each entry that has come since."""
    sums = Sums(agreed, period, frozen)
    yield expected_invoice(agreed, period.end, sums.billable(), billed)
    for entry in late:
        sums.add(_used(entry))
        yield expected_invoice(agreed, period.end, sums.billable(), billed)


def _rated(
    agreed: Terms, frozen: Sequence[Used], period: Period, late: Sequence[LateEntry], billed: BilledBefore
) -> engine.Invoice:
    sums = Sums(agreed, period, [*frozen, *(_used(entry) for entry in late)])
    return expected_invoice(agreed, period.end, sums.billable(), billed)


def _used(entry: LateEntry) -> Used:
    charged, reversed_ = max(entry.value, Decimal(0)), max(-entry.value, Decimal(0))
    return used_at(entry.meter, entry.effective_at, charged, reversed_)


def _lines(invoice: engine.Invoice, names: Iterable[str], say_line: Callable[[engine.Line], Line]) -> tuple[Line, ...]:
    return tuple(say_line(line) for line in invoice.lines if line.item in names)
