"""What is taken off: discounts of items, of the invoice, and prepaid credits."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from workload.mix.calendar import at
from workload.truth.lines import Line
from workload.truth.money import MINOR_DIGITS, rounded
from workload.truth.units import lives

Document = dict[str, Any]


def discounts(contract: Document, lines: list[Line], scope: str, day: int, finalised: tuple[int, ...]) -> list[Line]:
    """The discount lines of a scope on what stands so far: percents first, then amounts, each on what is left."""
    found: list[Line] = []
    holding = [c for c in contract.get("discounts", ()) if c["scope"] == scope and _holds(c, day, finalised)]
    for form in ("percent", "amount"):
        for clause in holding:
            if clause.get(form) is not None:
                found += _one(contract, clause, lines + found)
    return found


def _holds(clause: Document, day: int, finalised: tuple[int, ...]) -> bool:
    count = sum(at(clause["from"]) <= earlier < day for earlier in finalised)
    return lives(clause, day) and (clause.get("invoices") is None or count < clause["invoices"])


def _one(contract: Document, clause: Document, lines: list[Line]) -> list[Line]:
    sums = _sums(contract, lines)
    base = sums.get(clause["item"], 0) if clause["scope"] == "item" else sum(sums.values())
    if clause["scope"] == "invoice" and base <= 0:
        return []
    if clause.get("percent") is not None:
        major = Fraction(base, 10 ** MINOR_DIGITS[contract["currency"]])
        off = rounded(major * Fraction(clause["percent"]) / 100, contract["currency"])
    else:
        off = max(0, min(clause["amount"]["minor"], base))
    parts = {clause["item"]: off} if clause["scope"] == "item" else _shared(off, sums, base)
    return [Line("discount", item, -part) for item, part in parts.items() if part]


def _sums(contract: Document, lines: list[Line]) -> dict[str, int]:
    """What stands for each item that has a line, in the contract's order."""
    order = [item["key"] for item in contract["items"]] + [line.item for line in lines]
    named = {line.item for line in lines}
    return {key: sum(line.amount for line in lines if line.item == key) for key in dict.fromkeys(order) if key in named}


def _shared(off: int, sums: dict[str, int], base: int) -> dict[str, int]:
    """Whole minor units below each exact share; the rest one by one to the largest remainder, the earlier first."""
    exact = {item: Fraction(off * amount, base) for item, amount in sums.items()}
    parts = {item: share.numerator // share.denominator for item, share in exact.items()}
    waiting = list(sums)
    while sum(parts.values()) < off:
        item = max(waiting, key=lambda name: exact[name] - parts[name])  # the first of equals
        parts[item] += 1
        waiting.remove(item)
    return parts


def drawdowns(contract: Document, lines: list[Line], day: int, drawn: dict[str, int]) -> dict[str, int]:
    """Let the credits pay metered items, first to expire first; adds their lines, and tells what each paid."""
    paid: dict[str, int] = {}
    alive = [credit for credit in contract.get("prepaid", ()) if lives(credit, day)]
    for credit in sorted(alive, key=lambda c: (c.get("until") is None, at(c["until"]) if c.get("until") else 0)):
        room = credit["amount"]["minor"] - drawn.get(credit["key"], 0)
        for item in (item["key"] for item in contract["items"] if item["kind"] == "metered"):
            if credit.get("items") is not None and item not in credit["items"]:
                continue
            part = min(room, sum(line.amount for line in lines if line.item == item))
            if part > 0:
                lines.append(Line("credit_drawdown", item, -part))
                room -= part
                paid[credit["key"]] = paid.get(credit["key"], 0) + part
    return paid
