"""A month through real HTTP, Kafka, PostgreSQL and the sandbox: the truth agrees, every cent explains itself."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from tests.e2e.conftest import Month

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(1200)]


def test_the_month_agrees_with_the_truth(month: Month) -> None:
    assert (month.code, month.facts["differences"]) == (0, 0)
    assert month.facts["events"]["holds"]
    assert month.facts["conversations"]["holds"]
    assert month.facts["invoices"] > 26
    assert (month.folder / "out/demo/month.png").stat().st_size > 10_000


def test_customers_of_every_kind_are_billed_and_no_invoice_is_held(month: Month) -> None:
    """Two contracts in three are of version 2; what is compared has all that they can say, in five currencies."""
    kinds = month.facts["lines_of_true_invoices"]

    assert set(kinds) == {
        *("advance", "usage", "proration", "included"),
        *("discount", "credit_drawdown", "commitment", "shortfall"),
    }
    assert month.facts["currencies"] == ["EUR", "GBP", "JPY", "KWD", "USD"]
    assert month.facts["held"] == []
    _, whole = month.settled("explain", "customer-0016")
    closing = next(invoice for invoice in whole if invoice["period_end"].startswith("2026-11"))
    assert {line["kind"] for line in closing["lines"]} >= {"advance", "usage", "proration", "credit_drawdown"}


def usage_line(month: Month, customer: str) -> tuple[str, dict[str, Any]]:
    """The closing invoice of a customer and its line of resolutions."""
    code, invoices = month.settled("explain", customer)
    assert code == 0
    closing = next(i for i in invoices if i["period_end"].startswith("2026-11-01"))
    return closing["id"], next(row for row in closing["lines"] if row["item"] == "resolution")


def test_an_invoice_line_ends_at_conversations_signals_and_policy(month: Month) -> None:
    invoice, line = usage_line(month, "customer-0004")

    code, found = month.settled("explain", invoice, line["id"], "--limit", "1000")

    net = sum(1 if entry["op"] == "charge" else -1 for entry in found["entries"])
    assert code == 0
    assert str(net) == line["net"]
    charges = [entry for entry in found["entries"] if entry["op"] == "charge"]
    assert all(entry["policy_version"] and entry["signals"] and entry["how"] for entry in charges)
    assert all(entry["reason"] and entry["reverses"] for entry in found["entries"] if entry["op"] == "reverse")
    told = {talk["conversation"]: talk for talk in found["conversations"]}
    assert told.keys() == {entry["subject"] for entry in found["entries"]}
    assert all(talk["signals"] and talk["story"] for talk in told.values())


def test_after_the_freeze_a_correction_before_it_on_the_invoice(month: Month) -> None:
    """The two shaped conversations differ only in the side of the freeze on which they were reversed."""
    decisions = {d["tag"]: d for d in month.truth()["decisions"] if d["tag"]}
    late, early = decisions["reversed-after-freeze"], decisions["reversed-before-freeze"]
    assert (late["net"], early["net"]) == (0, 0)

    entries = {}
    for decision in (late, early):
        _, talk = month.settled(
            "explain", "--customer", decision["customer"], "--conversation", decision["conversation"]
        )
        entries[decision["tag"]] = {entry["op"]: entry["entry_id"] for entry in talk["entries"]}
    invoice, line = usage_line(month, late["customer"])
    _, found = month.settled("explain", invoice, line["id"], "--limit", "1000")
    on_invoice = {entry["entry_id"]: entry["delivery"] for entry in found["entries"]}

    assert entries["reversed-after-freeze"]["charge"] in on_invoice
    assert entries["reversed-after-freeze"]["reverse"] not in on_invoice
    assert {*entries["reversed-before-freeze"].values()} <= on_invoice.keys()
    assert line["why"]["formula"].startswith(line["quantity"])

    code, corrected = month.settled("explain", late["customer"], "--correction", "2026-10-15", "--limit", "1000")
    told = month.said("explain", late["customer"], "--correction", "2026-10-15")
    [late_entry] = [e for e in corrected["correction"]["entries"] if e["subject"] == late["conversation"]]
    priced = corrected["correction"]
    assert (code, late_entry["entry_id"]) == (0, entries["reversed-after-freeze"]["reverse"])
    assert sum(e["amount_minor"] for e in priced["entries"]) == priced["difference_minor"]
    assert late["conversation"] in {talk["conversation"] for talk in corrected["conversations"]}
    assert "The difference: USD " in told.stdout


METER_EVENTS = "/v1/billing/meter_events"


def test_reconciliation_names_the_cause_of_each_planted_drift(month: Month) -> None:
    """One event each: cancelled, invented, doubled and held up behind the door's back. The exit code is 1."""
    code, clean = month.settled("reconcile")
    assert (code, clean["state"], clean["drift"]) == (0, "done", [])
    cancelled, invented, doubled, held_up = month.customers_with("procedure_handoff")[:4]

    fresh = a_handoff(month, cancelled, "planted-cancelled")
    body = {"event_name": "procedure_handoff", "type": "cancel", "cancel[identifier]": fresh}
    assert month.stripe("/v1/billing/meter_event_adjustments", data=body).status_code == 200
    assert month.stripe(METER_EVENTS, data=an_event(month, invented, "nobody-knows-me")).is_success
    month.fault(kind="error_500_before_commit", path=METER_EVENTS, count=1)
    twice = a_handoff(month, doubled, "planted-doubled")
    assert month.stripe("/_sandbox/plant", json={"action": "double", "identifier": twice}).is_success
    month.fault(kind="rate_limit_429", path=METER_EVENTS)
    a_signal(month, held_up, "planted-held-up")

    wanted = {
        cancelled: "cancelled_outside",
        invented: "extra_outside",
        doubled: "counted_twice",
        held_up: "not_pushed",
    }
    found = month.until(lambda: causes if len(causes := drift(month)) == len(wanted) else None)
    code, _ = month.settled("reconcile")
    assert code == 1
    assert found == wanted

    month.stripe("/_sandbox/faults", method="DELETE")
    assert month.until(lambda: causes if len(causes := drift(month)) < len(wanted) else None) == {
        customer: cause for customer, cause in wanted.items() if customer != held_up
    }


def drift(month: Month) -> dict[str, str]:
    """Cause by customer, once nothing settles any more."""
    _, result = month.settled("reconcile")
    causes = {row["customer"]: row["cause"] for row in result["drift"]}
    return {} if "still_settling" in causes.values() else causes


LATELY = "2026-11-04T23:50:00Z"


def a_signal(month: Month, customer: str, conversation: str) -> None:
    """Send a signal that charges at once."""
    event = {
        "specversion": "1.0",
        "id": conversation,
        "source": "urn:test",
        "type": "conversation.signal",
        "subject": conversation,
        "time": LATELY,
        "customer": customer,
        "data": {"signal": "procedure_handoff"},
    }
    file = month.folder / f"{conversation}.json"
    file.write_text(json.dumps(event))
    code, _ = month.settled("send", str(file))
    assert code == 0


def a_handoff(month: Month, customer: str, conversation: str) -> str:
    """Send a signal that charges at once; the identifier under which it went to Stripe, once it has gone."""
    a_signal(month, customer, conversation)

    def sent() -> str | None:
        rows = month.get("invoicing-sync", f"/v1/deliveries?customer={customer}&limit=1000")
        mine = [row for row in rows if row["effective_at"] == LATELY and row["meter"] == "procedure_handoff"]
        return mine[0]["identifier"] if mine and mine[0]["state"] == "delivered" else None

    return str(month.until(sent))


def an_event(month: Month, customer: str, identifier: str) -> dict[str, str]:
    """A meter event as anybody could send it."""
    return {
        "event_name": "procedure_handoff",
        "identifier": identifier,
        "timestamp": str(int(datetime.fromisoformat(LATELY.replace("Z", "+00:00")).timestamp())),
        "payload[stripe_customer_id]": month.stripe_id(customer),
        "payload[value]": "1",
    }
