"""Holds what came out against the truth: pure, to the cent and to the event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from settled_cli.demo.collect import Outcome
from settled_cli.demo.invoices import Difference, compare, invoice_differences

Truth = dict[str, Any]


def differences(truth: Truth, outcome: Outcome, *, resent: bool = False) -> list[Difference]:
    """
    Everything in which the outcome departs from the truth; empty when all is right.

    `resent`: the sender lost answers and sent again, so that more deliveries than planned may have come in. They may
    show as duplicates and as repeated deliveries in the quarantine, and in nothing else. Parts were away then, so that
    an invoice may have been held until they were back; none is in the end.
    """
    return [
        *(_events_resent(truth, outcome) if resent else _events(truth, outcome)),
        *_conversations(truth, outcome),
        *_decisions(truth, outcome),
        *_charges(outcome),
        *(() if resent else compare("cases of held invoices", [], outcome.held)),
        *_customers(truth, outcome),
        *_reconciliation(outcome),
    ]


def _events(truth: Truth, outcome: Outcome) -> Iterator[Difference]:
    expected = truth["events"]
    yield from compare("events received", expected["deliveries"], outcome.events["deliveries"])
    for term in ("applied", "duplicate", "conflicting"):
        yield from compare(f"events {term}", expected[term], outcome.events[term])
    yield from compare("events quarantined", expected["quarantined"], outcome.quarantined)
    yield from compare("events unread", 0, outcome.events["unread"])
    yield from compare("the equation of events holds", True, outcome.events["holds"])


def _events_resent(truth: Truth, outcome: Outcome) -> Iterator[Difference]:
    expected, got = truth["events"], outcome.events
    for term in ("applied", "conflicting"):
        yield from compare(f"events {term}", expected[term], got[term])
    yield from compare("events unread", 0, got["unread"])
    yield from compare("the equation of events holds", True, got["holds"])
    yield from compare("reasons of the quarantine", set(expected["quarantined"]), set(outcome.quarantined))
    more = {
        "duplicate": got["duplicate"] - expected["duplicate"],
        **{reason: outcome.quarantined[reason] - count for reason, count in expected["quarantined"].items()},
    }
    yield from compare("fewer than planned", {}, {what: count for what, count in more.items() if count < 0})
    yield from compare("events received", expected["deliveries"] + sum(more.values()), got["deliveries"])


def _conversations(truth: Truth, outcome: Outcome) -> Iterator[Difference]:
    for term in ("seen", "charged", "not_chargeable", "pending", "excluded"):
        yield from compare(f"conversations {term}", truth["conversations"].get(term, 0), outcome.conversations[term])
    yield from compare("the equation of conversations holds", True, outcome.conversations["holds"])


def _charges(outcome: Outcome) -> Iterator[Difference]:
    yield from compare("the equation of charges holds", True, outcome.charges["holds"])
    yield from compare("charges unpriced", 0, outcome.charges["unpriced"])


def _decisions(truth: Truth, outcome: Outcome) -> Iterator[Difference]:
    expected = {(d["customer"], d["conversation"]): d["net"] for d in truth["decisions"]}
    for key in sorted(expected.keys() | outcome.nets.keys()):
        yield from compare(f"net of {' '.join(key)}", expected.get(key, 0), outcome.nets.get(key, 0))


def _customers(truth: Truth, outcome: Outcome) -> Iterator[Difference]:
    yield from priced_differences(truth["customers"], outcome.priced)
    for customer, expected in truth["customers"].items():
        at_stripe, shown = outcome.invoices.get(customer, []), outcome.shown.get(customer, [])
        yield from invoice_differences(customer, expected["invoices"], at_stripe, shown)
        for what, theirs in (
            ("corrections", outcome.corrections),
            ("coming", outcome.coming),
            ("free", {customer: {meter: outcome.net(customer, meter) for meter in expected["free"]}}),
        ):
            wanted = {meter: Decimal(value) for meter, value in expected[what].items()}
            yield from compare(f"{customer}: {what}", wanted, theirs.get(customer, {}))
    yield from credit_differences(truth["customers"], outcome.credited)


def credit_differences(customers: Truth, credited: dict[str, int]) -> Iterator[Difference]:
    """Where credit notes at Stripe are not what the truth owes back; what it is owed more is on none."""
    for customer in dict.fromkeys([*customers, *credited]):
        priced = sum(customers[customer]["priced"].values()) if customer in customers else 0
        yield from compare(f"{customer}: credit notes", max(0, -priced), credited.get(customer, 0))


def priced_differences(customers: Truth, found: Iterable[dict[str, Any]]) -> Iterator[Difference]:
    """Where corrections are not worth what the truth says, item by item; nobody but its customers may have any."""
    priced = _priced(found)
    for customer in dict.fromkeys([*customers, *priced]):
        expected = customers[customer]["priced"] if customer in customers else {}
        yield from compare(f"{customer}: corrections priced", expected, priced.get(customer, {}))


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


def _reconciliation(outcome: Outcome) -> Iterator[Difference]:
    yield from compare("reconciliation", "done", outcome.reconciliation["state"])
    for row in outcome.reconciliation["drift"]:
        yield Difference(
            f"drift of {row['customer']} {row['meter']} on {row['day'][:10]} ({row['cause']})",
            row["ledger"],
            row["stripe"],
        )
