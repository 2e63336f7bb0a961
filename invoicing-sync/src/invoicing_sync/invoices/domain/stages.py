"""
The two stages of the gate: what a draft is compared by, and what may happen to an invoice once it is finalised.

A draft's usage lines are never compared, since Stripe promises them only for the moment of finalising (A1, A2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum

from invoicing_sync.assumptions.domain.catalogue import in_order
from invoicing_sync.invoices.domain.expected_invoice import Line, by_item, differences

StripeItem = tuple[str, int | None]  # of a subscription: its price's id and its quantity, None where it is metered


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
    return differences(*billed_ahead(expected, found, meters))


def billed_ahead(
    expected: Iterable[Line], found: Iterable[Line], meters: Iterable[str]
) -> tuple[list[Line], list[Line]]:
    """
    The expected lines that are no usage, and the lines found that are no usage of these meters.

    Items of ours are left out on both sides: they are compared when they are put there.
    """
    known = set(meters)
    rest = [line for line in found if line.kind != "explicit" and not (line.kind == "usage" and line.item in known)]
    return [line for line in expected if line.kind in ("advance", "proration") and not line.key], rest


def item_differences(expected: Mapping[str, StripeItem], found: Iterable[StripeItem]) -> tuple[str, ...]:
    """
    What stands between a subscription's items and the contract, as sentences.

    Args:
        expected: what each item is, by a name for people.
        found: the items at Stripe.
    """
    missing, surplus = unequal_items(expected, found)
    return tuple(
        sorted(f"the subscription lacks {name}" for name in missing)
        + sorted(f"the subscription has an item that was not agreed, price {price}" for price, _ in surplus)
    )


def unequal_items(
    expected: Mapping[str, StripeItem], found: Iterable[StripeItem]
) -> tuple[dict[str, StripeItem], list[StripeItem]]:
    """The items that are missing, by their names, and those that were not agreed."""
    there = dict.fromkeys(found)
    names = {item: name for name, item in expected.items()}
    missing = {name: item for item, name in names.items() if item not in there}
    return missing, [item for item in there if item not in names]


def broken_assumptions(
    expected: Iterable[Line], found: Iterable[Line], ledger: Mapping[str, Decimal]
) -> tuple[str, ...]:
    """
    The numbered assumptions about Stripe that a difference of lines speaks against; see assumptions/.

    Another quantity of a meter than the summaries had in stage one: A17 where the ledger or what is found is below
    zero, else A2. The same quantity in other pieces: A20. The same pieces at other amounts: A16, of a licensed item
    too, or A25 where they are whole tens of a currency of three decimals. An item of ours that is not on the invoice as
    it was put there: A42. None for a line that nobody expects, nor for a licensed item that is missing.

    Never A1: a draft's usage is not compared. Never A13: that usage sent in time is on the invoice is what A2 says of
    the summaries' number, which stage one has just read; and usage sent later would be on the next invoice, where it
    cannot be told from any other that the summaries do not have.

    Args:
        ledger: net quantity of each of the contract's meters in the frozen ledger; empty on a first invoice.
    """
    wanted, there = by_item(expected), by_item(found)
    numbers = [
        _speaks_against(kind, wanted.get((kind, item), []), there.get((kind, item), []), ledger.get(item))
        for kind, item in wanted.keys() | there.keys()
    ]
    return in_order(number for number in numbers if number is not None)


def draft_assumptions(expected: Iterable[Line], found: Iterable[Line]) -> tuple[str, ...]:
    """The assumptions that a draft's licensed lines speak against: A16 or A25, where nothing but an amount differs."""
    ours, theirs = ([line for line in lines if line.kind == "advance"] for lines in (expected, found))
    return broken_assumptions(ours, theirs, {})


def _speaks_against(kind: str, expected: list[Line], found: list[Line], ledger: Decimal | None) -> str | None:
    """The one assumption that the lines of one item or meter speak against; `ledger` None: no meter of the contract."""
    if not differences(expected, found) or (kind == "usage" and ledger is None):
        return None
    if kind == "explicit":
        return "A42" if expected else None
    pieces = [(ours, theirs) for ours, theirs in zip(_pieces(expected), _pieces(found), strict=True) if ours]
    if any(ours == theirs for ours, theirs in pieces):
        return "A25" if all(map(_is_whole_ten, found)) else "A16"
    if kind == "advance" or ledger is None:
        return None
    if any(sum(ours) == sum(theirs) for ours, theirs in pieces):
        return "A20"
    return "A17" if ledger < 0 or sum(line.quantity for line in found) < 0 else "A2"


def _is_whole_ten(line: Line) -> bool:
    """Whether it bills an amount that Stripe takes payments of in a currency of three decimals."""
    return line.amount.currency.minor_digits == 3 and line.amount.minor % 10 == 0


def _pieces(lines: Iterable[Line]) -> tuple[list[Decimal], list[Decimal]]:
    """The lines' quantities, and of those alone that bill something: Stripe leaves out some that bill nothing."""
    some = [line for line in lines if line.quantity != 0]
    return sorted(line.quantity for line in some), sorted(line.quantity for line in some if line.amount.minor != 0)
