"""What the line says at the end, gathered over HTTP: the ledger, the invoices at Stripe, the equations, corrections."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from event_schemas.times import parse_instant
from settled_cli import corrections
from settled_cli.asking import pages
from settled_cli.line import DOOR, Line

HELD = ("invoice_held", "finalised_differs", "finalised_outside_the_gate", "collected_before_compared")


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that is compared. Quantities are decimals, amounts minor units; keys are Settled's customer ids."""

    events: dict[str, Any]
    quarantined: dict[str, int]
    conversations: dict[str, Any]
    charges: dict[str, Any]  # the month's entries by whether they have a price
    nets: dict[tuple[str, str], int]  # (customer, conversation) to charges less reversals
    invoices: dict[str, list[dict[str, Any]]]  # as Stripe has them
    shown: dict[str, list[dict[str, Any]]]  # as the doors answer them
    held: list[str]  # invoices that were held at any time, each with its case's kind
    corrections: dict[str, dict[str, Decimal]]
    priced: list[dict[str, Any]]  # corrections by customer and period, as the door prices them
    coming: dict[str, dict[str, Decimal]]
    entries: list[dict[str, Any]]
    reconciliation: dict[str, Any]
    credited: dict[str, int] = field(default_factory=dict)  # customer to what credit notes at Stripe come to
    notes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # and the credit notes, as the doors tell them

    def net(self, customer: str, meter: str) -> Decimal:
        """A meter's charges less its reversals, over all time."""
        own = (entry for entry in self.entries if (entry["customer"], entry["meter"]) == (customer, meter))
        signs = {"charge": 1, "reverse": -1}
        return sum((signs[entry["op"]] * Decimal(entry["quantity"]) for entry in own), Decimal(0))


async def credited(line: Line) -> dict[str, int]:
    """By customer what the credit notes come to that Stripe has, in minor units."""
    sums: dict[str, int] = defaultdict(int)
    for account in line.fleet.accounts:
        dump = await line.get(account, "/_sandbox/dump")
        by_stripe_id = {stripe_id: customer for customer, stripe_id in dump["customers"].items()}
        for note in dump["credit_notes"]:
            if note["status"] == "issued":
                sums[by_stripe_id[note["customer"]]] += note["total"]
    return dict(sums)


async def collect(line: Line, running_from: dict[str, str], *, start: str, end: str, last: str) -> Outcome:
    """
    Ask every service.

    Args:
        running_from: by customer, the begin of the first period that is not closed; all customers.
        start: when anything was agreed.
        end: the month's end.
        last: where business time stands.
    """
    customers = list(running_from)
    equations = await line.get("rating", "/v1/equations")
    counts = await line.get("usage-ingest", "/v1/counts")
    entries = await _all_entries(line, customers, start=start, last=last)
    nets: dict[tuple[str, str], int] = defaultdict(int)
    for entry in entries:
        if entry["subject_kind"] == "conversation":
            nets[(entry["customer"], entry["subject"])] += 1 if entry["op"] == "charge" else -1
    invoices: dict[str, list[dict[str, Any]]] = defaultdict(list)
    coming: dict[str, dict[str, Decimal]] = {}
    for account in line.fleet.accounts:
        dump = await line.get(account, "/_sandbox/dump")
        by_stripe_id = {stripe_id: customer for customer, stripe_id in dump["customers"].items()}
        for invoice in dump["invoices"]:
            invoices[by_stripe_id[invoice["customer"]]].append(invoice | {"lines": _billed(invoice["lines"])})
        coming |= _coming(dump["totals"], by_stripe_id, running_from)
    return Outcome(
        events={**equations["events"], "deliveries": counts["received"]},
        quarantined=counts["by_reason"],
        conversations=equations["conversations"],
        charges=await _charges(line, start, end),
        nets=dict(nets),
        invoices=dict(invoices),
        shown=await _shown(line),
        held=await _held(line),
        corrections=await _corrections(line, customers),
        priced=await corrections.gather(line, None, None),
        coming=coming,
        entries=entries,
        reconciliation=await reconcile(line, start=start, end=last),
    )


async def _shown(line: Line) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    async for page in pages(line, DOOR, "/v1/invoices", most=50):  # each is reckoned anew
        for invoice in page["invoices"]:
            found[invoice["customer"]].append(invoice)
    return dict(found)


async def _held(line: Line) -> list[str]:
    """What was held, also where it is settled by now: every case of it, of every door."""
    told = []
    for door in line.fleet.doors:
        for closed in (False, True):
            cases = await line.get(door, "/v1/cases", closed=str(closed).lower(), limit=1000)
            told += [f"{case['kind']} {case['customer']}: {case['detail']}" for case in cases if case["kind"] in HELD]
    return sorted(set(told))


async def _charges(line: Line, start: str, end: str) -> dict[str, Any]:
    """The entries of the span, all doors added up; each of them has seen every entry, its own or another's."""
    found = [await line.get(door, "/v1/charges", **{"from": start, "to": end}) for door in line.fleet.doors]
    terms = ("entries", "priced", "free", "unpriced", "corrections", "without_contract")
    whole = {term: sum(one[term] for one in found) for term in terms}
    seen = {one["entries"] + one["of_other_doors"] for one in found}
    return {**whole, "holds": all(one["holds"] for one in found) and seen == {whole["entries"]}}


def _billed(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines of usage that are items of ours get their meter, by their key, such as `usage/resolution/2`."""
    named = []
    for row in lines:
        kind, _, rest = row["metadata"].get("settled_key", "").partition("/")
        named.append(row | {"meter": rest.partition("/")[0]} if kind == "usage" else row)
    return named


async def _all_entries(line: Line, customers: list[str], *, start: str, last: str) -> list[dict[str, Any]]:
    slots = asyncio.Semaphore(4)

    async def of(customer: str) -> list[dict[str, Any]]:
        span: dict[str, Any] = {"from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
        async with slots:
            asked = pages(line, "rating", "/v1/entries", customer=customer, **span)
            return [entry async for page in asked for entry in page["entries"]]

    gathered = await asyncio.gather(*(of(customer) for customer in customers))
    return [entry for entries in gathered for entry in entries]


async def _corrections(line: Line, customers: list[str]) -> dict[str, dict[str, Decimal]]:
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for door in line.fleet.doors:
        after = None
        while True:
            rows = await line.get(door, "/v1/corrections", after=after, limit=1000)
            for row in rows:
                sums[row["customer"]][row["meter"]] += Decimal(row["value"])
            if len(rows) < 1000:
                break
            after = rows[-1]["entry_id"]
    return {
        customer: {meter: value for meter, value in sums[customer].items() if value}
        for customer in customers
        if any(sums[customer].values())
    }


def _coming(
    totals: list[dict[str, Any]], by_stripe_id: dict[str, str], running_from: dict[str, str]
) -> dict[str, dict[str, Decimal]]:
    """Usage at Stripe of each customer's running period."""
    begins = {customer: parse_instant(text).timestamp() for customer, text in running_from.items()}
    found: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for row in totals:
        customer = by_stripe_id[row["customer"]]
        if row["start"] == begins[customer] and Decimal(row["value"]):
            found[customer][row["meter"]] = Decimal(row["value"])
    return dict(found)


async def reconcile(line: Line, *, start: str, end: str, customer: str | None = None) -> dict[str, Any]:
    """Compare ledger and Stripe over whole days, in each account, and wait for the results: as one."""
    days = {"from": f"{start[:10]}T00:00:00Z", "to": f"{end[:10]}T00:00:00Z"}
    found = [await _reconciled(line, door, {"customer": customer, **days}) for door in line.fleet.doors]
    whole = next((one for one in found if one["state"] != "done"), found[0])  # one that failed says why
    return {
        **whole,
        "compared": sum(one["compared"] for one in found),
        "drift": [row for one in found for row in one["drift"]],
    }


async def _reconciled(line: Line, door: str, order: dict[str, Any]) -> dict[str, Any]:
    run = await line.post(door, "/v1/reconciliations", order)
    while True:
        result: dict[str, Any] = await line.get(door, f"/v1/reconciliations/{run['id']}")
        if result["state"] != "running":
            return result
        await asyncio.sleep(0.1)
