"""
The two stages of the gate: what a draft is compared by, and what may happen to an invoice once it is finalised.

A draft's usage lines are never compared, since Stripe promises them only for the moment of finalising (A1, A2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum

from invoicing_sync.invoices.domain.expected_invoice import Line, differences


class Verdict(StrEnum):
    """What becomes of a finalised invoice."""

    COLLECT = "collect"  # it is the expected one: send or charge it
    DONE = "done"  # it is the expected one, or a person has settled it, and there is nothing left to collect
    HOLD = "hold"  # it differs: nobody sees it before a person has voided or credited it
    VOIDED = "voided"  # a person has voided it


def verdict(
    status: str, *, problems: Iterable[str], total_minor: int, credited_minor: int, expected_minor: int, was_held: bool
) -> Verdict:
    """
    Judge a finalised invoice as it is now.

    A difference is settled by a person at Stripe: voided, credited down to what was expected, or, where we held it,
    written off or taken as paid. Amounts in minor units; `credited_minor` counts down from the total.
    """
    if status == "void":
        return Verdict.VOIDED
    settled_by_hand = was_held and status in ("paid", "uncollectible")
    credited = credited_minor > 0 and total_minor - credited_minor == expected_minor
    if tuple(problems) and not (settled_by_hand or credited):
        return Verdict.HOLD
    return Verdict.COLLECT if status == "open" else Verdict.DONE


def draft_differences(expected: Iterable[Line], found: Iterable[Line], meters: Iterable[str]) -> tuple[str, ...]:
    """
    What stands between a draft and its expectation, usage left out; empty when the rest agrees to the cent.

    Usage lines of the contract's meters are passed over whatever they say; any other line must be an expected one.
    """
    known = set(meters)
    rest = [line for line in found if not (line.kind == "usage" and line.item in known)]
    return differences([line for line in expected if line.kind == "advance"], rest)


def item_differences(
    expected: Mapping[str, tuple[str, int | None]], found: Iterable[tuple[str, int | None]]
) -> tuple[str, ...]:
    """
    What stands between a subscription's items and the contract, as sentences.

    Args:
        expected: what each item is, by a name for people: its price's id and its quantity, None where it is metered.
        found: price id and quantity of the items at Stripe.
    """
    names = {item: name for name, item in expected.items()}
    there = Counter(found)
    missing = [f"the subscription lacks {names[item]}" for item in names if not there[item]]
    surplus = [
        f"the subscription has an item that was not agreed, price {item[0]}" for item in there if item not in names
    ]
    return tuple(sorted(missing) + sorted(surplus))


def broken_assumptions(expected: Iterable[Line], found: Iterable[Line]) -> tuple[str, ...]:
    """
    The numbered assumptions about Stripe that a difference of usage lines speaks against; see assumptions/.

    Other quantities than the summaries had when the draft was compared: A2. The same quantity at another amount: A16.
    """
    wanted, there = _by_meter(expected), _by_meter(found)
    quantities = {meter: quantity for meter, (quantity, _) in wanted.items()}
    numbers = set()
    for meter in wanted.keys() | there.keys():
        quantity, amount = there.get(meter, (Decimal(0), 0))
        if quantity != quantities.get(meter, Decimal(0)):
            numbers.add("A2")
        elif amount != wanted.get(meter, (Decimal(0), 0))[1]:
            numbers.add("A16")
    return tuple(sorted(numbers, key=lambda number: int(number[1:])))


def _by_meter(lines: Iterable[Line]) -> dict[str, tuple[Decimal, int]]:
    sums: dict[str, tuple[Decimal, int]] = {}
    for line in lines:
        if line.kind == "usage":
            quantity, amount = sums.get(line.item, (Decimal(0), 0))
            sums[line.item] = (quantity + line.quantity, amount + line.amount.minor)
    return sums
