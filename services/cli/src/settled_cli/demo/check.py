"""Holds what came out against the truth: pure, to the cent and to the event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from settled_cli.demo.collect import Outcome

Truth = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be."""

    what: str
    expected: Any
    got: Any


def differences(truth: Truth, outcome: Outcome, *, resent: bool = False) -> list[Difference]:
    """
    Everything in which the outcome departs from the truth; empty when all is right.

    `resent`: the sender lost answers and sent again, so that more deliveries than planned may have come in. They may
    show as duplicates and as repeated deliveries in the quarantine, and in nothing else.
    """
    return [
        *(_events_resent(truth, outcome) if resent else _events(truth, outcome)),
        *_conversations(truth, outcome),
        *_decisions(truth, outcome),
        *_customers(truth, outcome),
        *_reconciliation(outcome),
    ]


def _compare(what: str, expected: Any, got: Any) -> Iterator[Difference]:
    if expected != got:
        yield Difference(what, expected, got)


def _events(truth: Truth, outcome: Outcome) -> Iterator[Difference]:
    expected = truth["events"]
    yield from _compare("events received", expected["deliveries"], outcome.events["deliveries"])
    for term in ("applied", "duplicate", "conflicting"):
        yield from _compare(f"events {term}", expected[term], outcome.events[term])
    yield from _compare("events quarantined", expected["quarantined"], outcome.quarantined)
    yield from _compare("events unread", 0, outcome.events["unread"])
    yield from _compare("the equation of events holds", True, outcome.events["holds"])


def _events_resent(truth: Truth, outcome: Outcome) -> Iterator[Difference]:
    expected, got = truth["events"], outcome.events
    for term in ("applied", "conflicting"):
        yield from _compare(f"events {term}", expected[term], got[term])
    yield from _compare("events unread", 0, got["unread"])
    yield from _compare("the equation of events holds", True, got["holds"])
    yield from _compare("reasons of the quarantine", set(expected["quarantined"]), set(outcome.quarantined))
    more = {
        "duplicate": got["duplicate"] - expected["duplicate"],
        **{reason: outcome.quarantined[reason] - count for reason, count in expected["quarantined"].items()},
    }
    yield from _compare("fewer than planned", {}, {what: count for what, count in more.items() if count < 0})
    yield from _compare("events received", expected["deliveries"] + sum(more.values()), got["deliveries"])


def _conversations(truth: Truth, outcome: Outcome) -> Iterator[Difference]:
    for term in ("seen", "charged", "not_chargeable", "pending", "excluded"):
        yield from _compare(f"conversations {term}", truth["conversations"].get(term, 0), outcome.conversations[term])
    yield from _compare("the equation of conversations holds", True, outcome.conversations["holds"])


def _decisions(truth: Truth, outcome: Outcome) -> Iterator[Difference]:
    expected = {(d["customer"], d["conversation"]): d["net"] for d in truth["decisions"]}
    for key in sorted(expected.keys() | outcome.nets.keys()):
        yield from _compare(f"net of {' '.join(key)}", expected.get(key, 0), outcome.nets.get(key, 0))


def _customers(truth: Truth, outcome: Outcome) -> Iterator[Difference]:
    yield from priced_differences(truth["customers"], outcome.priced)
    for customer, expected in truth["customers"].items():
        yield from _invoices(customer, expected, outcome.invoices.get(customer, []))
        for what, theirs in (("corrections", outcome.corrections), ("coming", outcome.coming)):
            wanted = {meter: Decimal(value) for meter, value in expected[what].items()}
            yield from _compare(f"{customer}: {what}", wanted, theirs.get(customer, {}))
    yield from credit_differences(truth["customers"], outcome.credited)


def credit_differences(customers: Truth, credited: dict[str, int]) -> Iterator[Difference]:
    """Where credit notes at Stripe are not what the truth owes back; what it is owed more is on none."""
    for customer in dict.fromkeys([*customers, *credited]):
        priced = sum(customers[customer]["priced"].values()) if customer in customers else 0
        yield from _compare(f"{customer}: credit notes", max(0, -priced), credited.get(customer, 0))


def priced_differences(customers: Truth, found: Iterable[dict[str, Any]]) -> Iterator[Difference]:
    """Where corrections are not worth what the truth says, item by item; nobody but its customers may have any."""
    priced = _priced(found)
    for customer in dict.fromkeys([*customers, *priced]):
        expected = customers[customer]["priced"] if customer in customers else {}
        yield from _compare(f"{customer}: corrections priced", expected, priced.get(customer, {}))


def _priced(corrections: Iterable[dict[str, Any]]) -> dict[str, dict[str, int | None]]:
    """By customer and item what its corrections are worth, in minor units; None where it is not known yet."""
    found: dict[str, dict[str, int | None]] = {}
    for each in corrections:
        amounts = found.setdefault(each["customer"], {})
        if each["difference_minor"] is None:
            amounts["a period that is not complete"] = None
        for item in each["items"]:
            amounts[item["item"]] = (amounts.get(item["item"]) or 0) + item["difference_minor"]
    return {
        customer: {item: minor for item, minor in amounts.items() if minor != 0} for customer, amounts in found.items()
    }


def _invoices(customer: str, expected: dict[str, Any], invoices: list[dict[str, Any]]) -> Iterator[Difference]:
    by_reason = {invoice["billing_reason"]: invoice for invoice in invoices}
    first, closing = by_reason.get("subscription_create"), by_reason.get("subscription_cycle")
    wanted_first = expected["first_invoice"]
    yield from _compare(f"{customer}: has a first invoice", wanted_first is not None, first is not None)
    yield from _compare(f"{customer}: number of invoices", 1 + (wanted_first is not None), len(invoices))
    if first is not None and wanted_first is not None:
        yield from _compare(f"{customer}: first invoice", wanted_first["total"], first["total"])
        yield from _compare(f"{customer}: first invoice is finalised", True, first["status"] in ("open", "paid"))
    if closing is None:
        yield Difference(f"{customer}: closing invoice", expected["closing_invoice"], None)
        return
    wanted = expected["closing_invoice"]
    advance = sorted(line["amount"] for line in closing["lines"] if line["meter"] is None and line["amount"])
    usage: dict[str, list[int]] = {}
    for line in closing["lines"]:
        if line["meter"] is not None and line["amount"]:
            usage.setdefault(line["meter"], []).append(line["amount"])
    yield from _compare(f"{customer}: closing invoice, advance lines", sorted(wanted["advance"]), advance)
    wanted_usage = {meter: [a for a in amounts if a] for meter, amounts in wanted["usage"].items()}
    yield from _compare(
        f"{customer}: closing invoice, usage lines", {m: a for m, a in wanted_usage.items() if a}, usage
    )
    yield from _compare(f"{customer}: closing invoice", wanted["total"], closing["total"])
    yield from _compare(f"{customer}: closing invoice is finalised", True, closing["status"] in ("open", "paid"))


def _reconciliation(outcome: Outcome) -> Iterator[Difference]:
    yield from _compare("reconciliation", "done", outcome.reconciliation["state"])
    for row in outcome.reconciliation["drift"]:
        yield Difference(
            f"drift of {row['customer']} {row['meter']} on {row['day'][:10]} ({row['cause']})",
            row["ledger"],
            row["stripe"],
        )
