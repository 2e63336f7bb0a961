"""What a customer's month comes to in money: its invoices line by line, and what came after their freezes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from workload.agreed import Closing, begins, billing_days, free_meters, is_version_2
from workload.month import Month, iso
from workload.truth.invoice import Before, TrueInvoice, true_invoice
from workload.truth.money import minor, tiers_reached, usage_amounts
from workload.truth.units import Entry

Contract = dict[str, Any]
Units = Counter[tuple[str, int]]  # (meter, the moment that counts) to what is charged less what is reversed


@dataclass(slots=True)
class Usage:
    """A customer's usage: as it stood at the freeze of each closing, by its place, and in the end."""

    closings: Sequence[Closing]
    frozen: list[Units] = field(default_factory=list)
    final: Units = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.frozen = [Counter() for _ in self.closings]

    def late(self, place: int) -> Units:
        """A closing's usage in the end."""
        return within(self.final, self.closings[place])

    def running_from(self, contract: Contract) -> int:
        """From when on nothing is closed."""
        return self.closings[-1].end if self.closings else begins(contract)


def within(units: Units, closing: Closing) -> Units:
    """What counts in a closed period."""
    return Counter({key: count for key, count in units.items() if closing.start <= key[1] < closing.end})


def by_meter(units: Units) -> Counter[str]:
    """Sums without their moments."""
    found: Counter[str] = Counter()
    for (meter, _), count in units.items():
        found[meter] += count
    return found


def told(contract: Contract, usage: Usage, month: Month) -> dict[str, Any]:
    """A customer of the book: quantities as strings, amounts in minor units."""
    price = _version_2 if is_version_2(contract) else _version_1
    invoices, priced = price(contract, usage, month)
    free = free_meters(contract)
    closed = by_meter(usage.frozen[-1]) if usage.frozen else Counter()
    late = Counter[str]()
    for place, frozen in enumerate(usage.frozen):
        late.update(by_meter(usage.late(place)))
        late.subtract(by_meter(frozen))
    since = usage.running_from(contract)
    open_ = Counter({key: count for key, count in usage.final.items() if key[1] >= since})
    coming = {meter: count for meter, count in by_meter(open_).items() if meter not in free}
    return {
        "currency": contract["currency"],
        "version": 2 if is_version_2(contract) else 1,
        "invoices": invoices,
        "quantities": _texts(closed),
        "corrections": _texts(late),
        "priced": {item: amount for item, amount in sorted(priced.items()) if amount},
        "running_from": iso(since),
        "coming": _texts(coming),
        "free": _texts({meter: count for meter, count in by_meter(usage.final).items() if meter in free}),
    }


def _texts(counts: dict[str, Any] | Counter[str]) -> dict[str, str]:
    return {meter: quantity_text(Fraction(count)) for meter, count in sorted(counts.items()) if count}


def quantity_text(value: Fraction) -> str:
    """A quantity as a decimal, to a millionth."""
    whole, rest = divmod(abs(value) * 10**6, 10**6)
    digits = f"{int(whole)}.{int(rest):06d}".rstrip("0").rstrip(".")
    return f"-{digits}" if value < 0 else digits


def _invoice(day: int, closing: Closing | None, lines: list[dict[str, Any]]) -> dict[str, Any]:
    period = {"start": iso(closing.start), "end": iso(closing.end)} if closing is not None else None
    total = sum(line["amount"] for line in lines)
    return {"day": iso(day), "period": period, "total": total, "lines": lines}


# --- version 1: seats in advance, usage by tiers ---------------------------------------------------------------------


def _version_1(contract: Contract, usage: Usage, month: Month) -> tuple[list[dict[str, Any]], Counter[str]]:
    seats = _seat_lines(contract)
    priced: Counter[str] = Counter()
    invoices = [_invoice(month.start, None, seats)] if seats else []
    for place, closing in enumerate(usage.closings):
        before, after = by_meter(usage.frozen[place]), by_meter(usage.late(place))
        lines = [line for metered in contract["metered"] for line in _usage_lines(contract, metered, before)]
        invoices.append(_invoice(closing.end, closing, [*seats, *lines]))
        for metered in contract["metered"]:
            meter = metered["meter"]
            was, now = (
                sum(usage_amounts(metered["price"], Fraction(count[meter]), contract["currency"]))
                for count in (before, after)
            )
            priced[meter] += now - was
    return invoices, priced


def _seat_lines(contract: Contract) -> list[dict[str, Any]]:
    return [
        {
            "item": item["item"],
            "kind": "advance",
            "quantity": str(item["quantity"]),
            "unit_price": item["unit_price"],
            "amount": minor(Fraction(item["quantity"]), item["unit_price"], contract["currency"]),
        }
        for item in contract["licensed"]
        if item["quantity"]
    ]


def _usage_lines(contract: Contract, metered: dict[str, Any], counts: Counter[str]) -> list[dict[str, Any]]:
    """The lines of a meter in words, one for each tier reached."""
    quantity = Fraction(counts[metered["meter"]])
    parts = tiers_reached(metered["price"], quantity)
    amounts = usage_amounts(metered["price"], quantity, contract["currency"])
    return [
        {
            "item": metered["meter"],
            "kind": "usage",
            "tier": part.name,
            "quantity": quantity_text(part.quantity),
            "unit_price": part.unit_price,
            "amount": amount,
        }
        for part, amount in zip(parts, amounts, strict=True)
    ]


# --- version 2 -------------------------------------------------------------------------------------------------------


def _version_2(contract: Contract, usage: Usage, month: Month) -> tuple[list[dict[str, Any]], Counter[str]]:
    names = {item["key"]: item.get("meter") or item["product"] for item in contract["items"]}
    ended = {closing.end: place for place, closing in enumerate(usage.closings)}
    invoices: list[dict[str, Any]] = []
    priced: Counter[str] = Counter()
    before = Before()
    for day in billing_days(contract, month):
        place = ended.get(day)
        frozen = _entries(contract, usage.frozen[place]) if place is not None else []
        found = true_invoice(contract, day, frozen, before)
        assert not any(found.unpriced.values()), f"{contract['customer']}: {found.unpriced} without a price"
        closing = usage.closings[place] if place is not None else None
        invoices.append(_invoice(day, closing, [_line(line, names) for line in found.lines]))
        if place is not None:
            late = true_invoice(contract, day, _entries(contract, usage.late(place)), before)
            priced.update(_by_name(late, names))
            priced.subtract(_by_name(found, names))
        before = Before((*before.days, day), dict(Counter(before.drawn) + Counter(found.drawn)))
    return invoices, priced


def _entries(contract: Contract, units: Units) -> list[Entry]:
    """What the invoice's truth takes: whole units, none of meters that are free."""
    free = free_meters(contract)
    counted = [(meter, instant, Fraction(count)) for (meter, instant), count in units.items() if meter not in free]
    assert all(count.denominator == 1 for _, _, count in counted)
    return [Entry(instant, meter, int(count)) for meter, instant, count in counted if count]


def _line(line: Any, names: dict[str, str]) -> dict[str, Any]:
    """The line under the name by which it is sold; a proration's sign tells credit from debit."""
    kind = "proration" if line.kind.startswith("proration_") else line.kind
    return {"item": names.get(line.item, line.item), "kind": kind, "amount": line.amount}


def _by_name(invoice: TrueInvoice, names: dict[str, str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for line in invoice.lines:
        found[names.get(line.item, line.item)] += line.amount
    return found
