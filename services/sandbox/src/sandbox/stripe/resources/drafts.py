"""Drafts, whose metered lines follow the usage until they are finalised, and not a moment longer."""

from __future__ import annotations

from typing import Any

from sandbox.stripe.domain.credits import apply_balance
from sandbox.stripe.resources.discounts import sum_up
from sandbox.stripe.resources.invoice_shape import DRAFT_S
from sandbox.stripe.resources.lines import usage_lines
from sandbox.stripe.state import Body, State

HELD_UP_S = 72 * 3600  # a draft is finalised after this long where `invoice.created` was not answered


def reread(state: State, invoice: Body) -> Body:
    """A draft as a reading shows it: with the usage counted so far where drafts are fresh, else as it was made."""
    return refresh(state, invoice) if state.switches.draft_usage == "fresh" else invoice


def refresh(state: State, invoice: Body) -> Body:
    """A draft's metered lines as the usage counted so far makes them; a finalised invoice stays as it is."""
    if invoice["status"] != "draft" or not any("_usage" in line for line in invoice["lines"]["data"]):
        return invoice
    known = {_place(line): line["id"] for line in invoice["lines"]["data"] if "_usage" in line}
    lines: list[Body] = []
    done: set[str] = set()
    for line in invoice["lines"]["data"]:
        if "_usage" not in line:
            lines.append(line)
            continue
        item_id = line["parent"]["subscription_item_details"]["subscription_item"]
        if item_id not in done:
            done.add(item_id)
            period = (line["period"]["start"], line["period"]["end"])
            counted = usage_lines(state, invoice, _as_billed(state, line), period)
            lines += [{**one, "discounts": line["discounts"]} for one in counted]
    for line in lines:
        if "_usage" in line:
            line["id"] = known.get(_place(line), line["id"])
    invoice["lines"]["data"] = lines
    return total_up(state, invoice)


def _as_billed(state: State, line: Body) -> Body:
    """The item of a metered line with the price that it had then: it may have changed, or gone, since."""
    details = line["parent"]["subscription_item_details"]
    price = state.objects["price"][line["pricing"]["price_details"]["price"]]
    return {"id": details["subscription_item"], "subscription": details["subscription"], "price": price}


def _place(line: Body) -> tuple[Any, ...]:
    return (line["parent"]["subscription_item_details"]["subscription_item"], line["_tier"])


def total_up(state: State, invoice: Body) -> Body:
    """Sum the lines and take the discounts off; the customer's balance lowers (or raises) what is due."""
    subtotal, total = sum_up(state, invoice)
    invoice["subtotal"] = invoice["subtotal_excluding_tax"] = subtotal
    invoice["total"] = invoice["total_excluding_tax"] = total
    invoice["starting_balance"] = state.objects["customer"][invoice["customer"]]["balance"]
    invoice["amount_due"], _ = apply_balance(total, invoice["starting_balance"])
    invoice["amount_remaining"] = invoice["amount_due"] - invoice["amount_paid"]
    return invoice


def due(state: State, invoice: Body) -> int | None:
    """
    When a draft is finalised by itself: an hour after its `invoice.created` was answered, or three days after it was
    made. So whoever is told of a draft always has an hour to take `auto_advance` away, also where time moves in steps.
    """
    if invoice["status"] != "draft" or not invoice["auto_advance"]:
        return None
    at: int = invoice["automatically_finalizes_at"]
    if not state.pending.get(invoice["_created_event"]) and invoice["_created_event"] not in state.given_up:
        return max(at, (invoice["webhooks_delivered_at"] or 0) + DRAFT_S)
    held_until: int = invoice["created"] + HELD_UP_S
    return max(at, held_until)
