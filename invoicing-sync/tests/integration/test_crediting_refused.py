"""Stripe refuses a credit note: a case, no note, and once it is mended one that is drawn up from what is left."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from invoicing_sync.testing import START, a_charge, a_contract, a_reversal

pytestmark = pytest.mark.integration
END = START.replace(month=11)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
NOTES = "/v1/credit_notes"


async def notes(world: Any) -> list[Any]:
    """Stripe's, the oldest first."""
    return list((await world.stripe(NOTES, limit=100))["data"])[::-1]


async def nothing_open(world: Any) -> bool:
    return not await world.ask("/v1/cases")


async def test_a_refused_credit_note_is_a_case_and_is_drawn_up_anew_from_what_the_invoice_has_left(world: Any) -> None:
    """Meanwhile a person credits 4.00 of the usage's 4.95, so of 1.98 only 0.95 are that line's any more."""
    await world.start_door(CORRECTIONS_SETTLE_H="1")
    await world.apply(a_contract())
    await world.quiet(START)
    await world.move(START + 6 * DAY)
    charges = [a_charge(f"e{n}", seq=n, at=START + n * HOUR) for n in range(1, 6)]
    await world.rate(*charges)
    await world.move(END)
    await world.move(END + 32 * MINUTE)
    [invoice] = [
        one for one in (await world.stripe("/v1/invoices"))["data"] if one["billing_reason"] == "subscription_cycle"
    ]
    [usage] = [line["id"] for line in invoice["lines"]["data"] if line["amount"] == 495]
    words = {"code": "told_so", "message": "The credit note is not to your taste.", "param": "metadata"}
    await world.fault("refused", method="POST", path=f"{NOTES}$", **words)
    await world.move(END + DAY)
    late = [
        a_reversal(f"r-{one.entry_id}", one, seq=world.seq + n, recorded_at=END + DAY)
        for n, one in enumerate(charges[:2], 1)
    ]
    await world.rate(*late)
    await world.move(END + DAY + 2 * HOUR)

    [case] = await world.ask("/v1/cases")
    [gathering] = (await world.ask("/v1/credit-notes"))["credit_notes"]
    assert await notes(world) == []
    assert (case["kind"], case["customer"], case["detail"]["problem"]) == (
        "correction_not_credited",
        "acme",
        "Stripe refuses a credit note of USD 1.98: The credit note is not to your taste.",
    )
    assert (gathering["state"], gathering["amount_minor"]) == ("refused", 198)

    by_hand = {"lines[0][type]": "invoice_line_item", "lines[0][invoice_line_item]": usage, "lines[0][amount]": "400"}
    assert (await world.stripe_post(NOTES, invoice=invoice["id"], **by_hand)).status_code == 200
    await world.no_faults()
    await world.until(lambda: nothing_open(world))
    await world.move(END + 2 * DAY)

    _, ours = await notes(world)
    assert [one["total"] for one in await notes(world)] == [400, 198]
    assert sorted((one["type"], one.get("invoice_line_item"), one["amount"]) for one in ours["lines"]["data"]) == [
        ("custom_line_item", None, 103),
        ("invoice_line_item", usage, 95),
    ]
    [gathering] = (await world.ask("/v1/credit-notes"))["credit_notes"]
    assert (gathering["state"], gathering["id"]) == ("issued", ours["metadata"]["settled_credit_note"])
    assert (await world.stripe(f"/v1/invoices/{invoice['id']}"))["amount_remaining"] == 12_195 - 400 - 198
