"""
The invoice of a billing day from a contract of version 2, by code of its own: the truth that the engine is held to.

Written from the rules in words: instants are integers, amounts fractions, units are walked one by one, and lines are
kept in a list that each clause looks at. It shares nothing with the engine but these rules.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from workload.mix.calendar import DAY, at, month, number_at
from workload.truth.discounting import discounts, drawdowns
from workload.truth.lines import Line
from workload.truth.money import rounded
from workload.truth.units import Entry, Placed, costs, lives, place

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Before:
    """Finalised billing days in microseconds, and what each prepaid credit has paid so far in minor units."""

    days: tuple[int, ...] = ()
    drawn: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrueInvoice:
    """Lines in minor units, their sum, and what the credits pay here. Units without a price by meter."""

    lines: list[Line]
    net: int
    drawn: dict[str, int]
    unpriced: dict[str, int]


def true_invoice(contract: Document, day: int, entries: Iterable[Entry], before: Before) -> TrueInvoice:
    """What the contract asks for on a billing day, for the entries of the period that ended then."""
    anchor = at(contract["billing_anchor"])
    trial: Document = contract.get("trial") or {}
    in_trial = bool(trial) and day == at(trial["until"])
    ended = at(trial["from"]) if in_trial else month(anchor, number_at(anchor, day) - 1)
    lines = _advance(contract, day)
    covers = {c["key"]: 0 if in_trial else _committed(c, ended) for c in contract.get("commitments", ())}
    allowances = trial["allowances"] if in_trial else contract.get("allowances", [])
    placed = place(contract, entries, allowances, covers)
    lines += _usage(contract, placed, covers, allowances)
    lines += _commitments(contract, placed, covers, ended, day)
    if not in_trial and contract.get("proration", "second") != "none":
        lines += _prorations(contract, ended, day)
    lines += discounts(contract, lines, "item", day, before.days)
    if not in_trial:
        lines += _minimums(contract, lines, ended, day)
    lines += discounts(contract, lines, "invoice", day, before.days)
    drawn = drawdowns(contract, lines, day, before.drawn)
    return TrueInvoice(lines, sum(line.amount for line in lines), drawn, dict(placed.unpriced))


def _seats(item: Document, instant: int) -> int:
    if not lives(item, instant):
        return 0
    held = 0
    for entry in item["quantities"]:
        if at(entry["at"]) <= instant:
            held = entry["quantity"]
    return held


def _term(contract: Document, item: Document, instant: int) -> tuple[int, int]:
    """The term that an instant lies in: periods, or twelve of them at a time from the one the item began in."""
    anchor = at(contract["billing_anchor"])
    length = 12 if item.get("rhythm") == "year" else 1
    first = number_at(anchor, at(item.get("term_anchor") or item["from"]))
    if contract.get("trial") is not None and not item.get("term_anchor"):
        first = max(first, 0)  # the trial ends on the anchor
    while month(anchor, first + length) <= instant:
        first += length
    while month(anchor, first) > instant:
        first -= length
    return month(anchor, first), month(anchor, first + length)


def _licensed(contract: Document) -> list[Document]:
    return [item for item in contract["items"] if item["kind"] == "licensed"]


def _advance(contract: Document, day: int) -> list[Line]:
    lines = []
    for item in _licensed(contract):
        if _term(contract, item, day)[0] == day:
            due = costs(item["price"], _seats(item, day))
            lines += [Line("advance", item["key"], rounded(exact, contract["currency"])) for exact in due]
    return lines


def _prorations(contract: Document, ended: int, day: int) -> list[Line]:
    """At each instant at which the seats held are others than just before, inside a term that was paid for."""
    lines = []
    for item in _licensed(contract):
        instants = {at(entry["at"]) for entry in item["quantities"]} | {at(item["from"])}
        if item.get("until"):
            instants.add(at(item["until"]))
        for instant in sorted(instants):
            if not ended <= instant < day:
                continue
            start, end = _term(contract, item, instant)
            old, new = _seats(item, instant - 1), _seats(item, instant)
            if instant == start or old == new:
                continue
            part = _part_left(contract.get("proration", "second"), start, instant, end)
            for kind, sign, seats in (("proration_credit", -1, old), ("proration_debit", 1, new)):
                if seats:
                    exact = sign * part * sum(costs(item["price"], seats))
                    lines.append(Line(kind, item["key"], rounded(exact, contract["currency"]), instant))
    return lines


def _part_left(rule: str, start: int, instant: int, end: int) -> Fraction:
    if rule == "day":
        days = range((end - start) // DAY)
        return Fraction(sum(start + (number + 1) * DAY > instant for number in days), len(days))
    return 1 - Fraction(instant - start, end - start)


def _committed(clause: Document, instant: int) -> int:
    if not lives(clause, instant):
        return 0
    return max(((at(s["at"]), s["quantity"]) for s in clause["ramp"] if at(s["at"]) <= instant), default=(0, 0))[1]


def _usage(contract: Document, placed: Placed, covers: dict[str, int], allowances: list[Document]) -> list[Line]:
    currency = contract["currency"]
    lines = [Line("included", item, 0) for (_, item) in placed.allowed]
    meters = {clause["meter"] for clause in contract.get("commitments", ()) if covers[clause["key"]]}
    for item in contract["items"]:
        if item["kind"] != "metered":
            continue
        kind = "overage" if item["meter"] in meters else "usage"
        if item["price"]["scheme"] == "included":
            kind = "included"
        due = costs(item["price"], placed.priced[item["key"]])
        lines += [Line(kind, item["key"], rounded(exact, currency)) for exact in due]
    return lines


def _last_item(contract: Document, meter: str, start: int, end: int) -> str | None:
    there = [
        item
        for item in contract["items"]
        if item.get("meter") == meter
        and at(item["from"]) < end
        and (item.get("until") is None or start < at(item["until"]))
    ]
    return max(there, key=lambda item: at(item["from"]))["key"] if there else None


def _commitments(contract: Document, placed: Placed, covers: dict[str, int], ended: int, day: int) -> list[Line]:
    lines = []
    anchor, currency = at(contract["billing_anchor"]), contract["currency"]
    for clause in contract.get("commitments", ()):
        price, units, bill = Fraction(clause["unit_price"]), covers[clause["key"]], clause["bill"]
        used = {item: count for (key, item), count in placed.committed.items() if key == clause["key"]}
        name = _last_item(contract, clause["meter"], ended, day) or clause["meter"]
        if bill == "advance" and (ahead := _committed(clause, day)):
            following = month(anchor, number_at(anchor, day) + 1)
            whose = _last_item(contract, clause["meter"], day, following) or clause["meter"]
            lines.append(Line("commitment", whose, rounded(ahead * price, currency)))
        if bill == "arrears" and units:
            lines.append(Line("commitment", name, rounded(units * price, currency)))
        if bill == "shortfall":
            lines += [Line("usage", item, rounded(count * price, currency)) for item, count in used.items()]
            if unused := units - sum(used.values()):
                lines.append(Line("shortfall", name, rounded(unused * price, currency)))
        else:
            lines += [Line("included", item, 0) for item in used]
    return lines


def _minimums(contract: Document, lines: list[Line], ended: int, day: int) -> list[Line]:
    found = []
    for clause in contract.get("minimums", ()):
        name = _last_item(contract, clause["meter"], ended, day)
        if not lives(clause, ended) or name is None:
            continue
        keys = {item["key"] for item in contract["items"] if item.get("meter") == clause["meter"]}
        gap = clause["amount"]["minor"] - sum(line.amount for line in lines if line.item in keys)
        if gap > 0:
            found.append(Line("shortfall", name, gap))
    return found
