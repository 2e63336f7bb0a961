"""Invoices against the truth, line by line: Stripe's by their amounts, the door's answers by all that they say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from event_schemas.times import parse_instant

Fields = dict[str, Any]
DONE = ("open", "paid")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be."""

    what: str
    expected: Any
    got: Any


def compare(what: str, expected: Any, got: Any) -> Iterator[Difference]:
    """A difference, where there is one."""
    if expected != got:
        yield Difference(what, expected, got)


def invoice_differences(
    customer: str, expected: Sequence[Fields], at_stripe: Sequence[Fields], shown: Sequence[Fields]
) -> Iterator[Difference]:
    """
    Where a customer's invoices are not the true ones: one for each billing day, compared, and none beside them.

    Lines of amount 0 bill nothing and are left out, and so is what the door takes back together with its item.

    Args:
        expected: the truth's, by their days.
        at_stripe: as the sandbox dumps them; drafts of days that the truth has not reached are no matter.
        shown: the door's answers.
    """
    days = {_seconds(invoice["day"]): invoice for invoice in expected}
    theirs, ours = by_day(at_stripe, _day_at_stripe), by_day(shown, _day_of_answer)
    for day, wanted in days.items():
        where = f"{customer}: invoice of {wanted['day'][:16].replace('T', ' ')}"
        yield from _one(where, wanted, theirs.get(day, []), ours.get(day, []))
    for day, found in theirs.items():
        for invoice in found if day not in days else ():
            if invoice["status"] != "draft" and any(line["amount"] for line in invoice["lines"]):
                yield Difference(f"{customer}: invoice {invoice['number']}", None, invoice["total"])


def _one(where: str, wanted: Fields, theirs: list[Fields], ours: list[Fields]) -> Iterator[Difference]:
    lines = [line for line in wanted["lines"] if line["amount"]]
    least = 1 if lines else 0  # a billing day on which nothing is due may have no invoice
    if not least <= len(theirs) <= 1 or len(ours) != len(theirs):
        yield Difference(f"{where}: how many at Stripe and here", (1, 1), (len(theirs), len(ours)))
        return
    for at_stripe, shown in zip(theirs, ours, strict=True):
        amounts = sorted(line["amount"] for line in lines)
        yield from compare(f"{where}: amounts", amounts, sorted(standing_amounts(at_stripe["lines"])))
        yield from compare(f"{where}: total", wanted["total"], at_stripe["total"])
        yield from compare(f"{where}: is finalised", True, at_stripe["status"] in DONE)
        told = Counter((line["kind"], line["item"], line["amount"]) for line in lines)
        said = Counter((line["kind"], line["item"], line["amount_minor"]) for line in standing(shown["lines"]))
        yield from compare(f"{where}: lines", sorted((told - said).elements()), sorted((said - told).elements()))
        yield from compare(f"{where}: is issued, and not held", (True, None), (is_issued(shown), shown["held_reason"]))
        yield from compare(f"{where}: lines without a reason", [], [line["item"] for line in _unexplained(shown)])


def closing(
    customers: Fields, at_stripe: dict[str, list[Fields]], shown: dict[str, list[Fields]]
) -> list[tuple[str, Fields, Fields]]:
    """(customer, as Stripe has it, as the door tells it) of each invoice of a period that has ended, as far as made."""
    found = []
    for customer, true in customers.items():
        theirs, ours = (
            by_day(at_stripe.get(customer, ()), _day_at_stripe),
            by_day(shown.get(customer, ()), _day_of_answer),
        )
        for invoice in true["invoices"]:
            day = _seconds(invoice["day"])
            if invoice["period"] is not None and day in theirs and day in ours:
                found.append((customer, theirs[day][0], ours[day][0]))
    return found


def kinds(customers: Fields) -> Counter[str]:
    """How many lines of each kind true invoices have; what is included bills nothing."""
    invoices = (invoice for found in customers.values() for invoice in found["invoices"])
    return Counter(
        line["kind"]
        for invoice in invoices
        for line in invoice["lines"]
        if line["amount"] or line["kind"] == "included"
    )


def standing(lines: Iterable[Fields]) -> list[Fields]:
    """The door's lines that bill something, without those that were taken back and what takes them back."""
    left = [line for line in lines if line["amount_minor"]]
    for back in [line for line in left if line["kind"] == "taken_back"]:
        for line in left:
            if line["kind"] != "taken_back" and (line["item"], line["amount_minor"]) == (
                back["item"],
                -back["amount_minor"],
            ):
                left.remove(line)
                left.remove(back)
                break
    return left


def standing_amounts(lines: Iterable[Fields]) -> list[int]:
    """The same of Stripe's lines: what is left of their amounts."""
    amounts = Counter(line["amount"] for line in lines if line["amount"] and not _takes_back(line))
    backs = Counter(-line["amount"] for line in lines if line["amount"] and _takes_back(line))
    return [*(amounts - backs).elements(), *(-amount for amount in (backs - amounts).elements())]


def _takes_back(line: Fields) -> bool:
    return str(line["metadata"].get("settled_key", "")).startswith("taken_back/")


def is_issued(shown: Fields) -> bool:
    """Whether an invoice was compared, and sent or charged."""
    return shown["released_at"] is not None


def _unexplained(shown: Fields) -> list[Fields]:
    return [line for line in standing(shown["lines"]) if not line["why"]]


def by_day(invoices: Iterable[Fields], day: Callable[[Fields], int]) -> dict[int, list[Fields]]:
    """Invoices by their billing day, in seconds since 1970."""
    found: dict[int, list[Fields]] = {}
    for invoice in invoices:
        found.setdefault(day(invoice), []).append(invoice)
    return found


def _day_at_stripe(invoice: Fields) -> int:
    return int(invoice["period_end"])


def _day_of_answer(shown: Fields) -> int:
    return _seconds(shown["period_end"])


def _seconds(text: str) -> int:
    return int(parse_instant(text).timestamp())
