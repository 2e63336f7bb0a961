"""What comes after a freeze and lowers the bill becomes one credit note a gathering, whatever happens in between."""

from __future__ import annotations

import signal
from datetime import timedelta
from typing import Any

import pytest

from event_schemas.contract_v2.testing import metered, seats
from event_schemas.times import iso
from invoicing_sync.gaps import GAPS
from invoicing_sync.testing import START, a_charge, a_contract, a_reversal, agreed

pytestmark = pytest.mark.integration
END = START.replace(month=11)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
NOTES = "/v1/credit_notes"
CREDITING = sorted(gap for gap in GAPS if gap.startswith("credit-"))


async def released(world: Any, *, charges: int = 5, contract: Any = None, **settings: str) -> list[Any]:
    """October is invoiced with so many charges at 0.99 and three seats at 39; the charges."""
    await world.start_door(**settings)
    await world.apply(contract or a_contract())
    await world.quiet(START)
    await world.move(START + 6 * DAY)
    made = [a_charge(f"e{n}", seq=n, at=START + n * HOUR) for n in range(1, charges + 1)]
    await world.rate(*made)
    await world.move(START + 7 * DAY)
    await world.move(END)
    await world.move(END + 32 * MINUTE)
    return made


async def reversed_late(world: Any, of: list[Any], at: Any) -> None:
    await world.move(at)
    late = [a_reversal(f"r-{one.entry_id}", one, seq=world.seq + n, recorded_at=at) for n, one in enumerate(of, 1)]
    await world.rate(*late)
    await world.move(at + MINUTE)


async def the_invoice(world: Any) -> Any:
    invoices = (await world.ask("/v1/invoices"))["invoices"]
    [one] = [one["id"] for one in invoices if one["billing_reason"] == "subscription_cycle"]
    return await world.stripe(f"/v1/invoices/{one}")


async def notes(world: Any) -> list[Any]:
    """Stripe's, the oldest first."""
    return list((await world.stripe(NOTES, limit=100))["data"])[::-1]


async def balance(world: Any) -> int:
    contract = await world.ask("/v1/contracts/acme")
    return int((await world.stripe(f"/v1/customers/{contract['stripe_customer']}"))["balance"])


async def test_two_late_reversals_lower_the_open_invoice_by_one_note_after_the_delay_and_a_third_by_another(
    world: Any,
) -> None:
    charges = await released(world)
    at = END + DAY
    await reversed_late(world, charges[:1], at)
    await reversed_late(world, charges[1:2], at + 12 * HOUR)
    await world.move(at + 71 * HOUR)
    assert await notes(world) == []

    await world.move(at + 73 * HOUR)
    [note] = await notes(world)
    invoice = await the_invoice(world)

    usage = next(line for line in invoice["lines"]["data"] if line["amount"] == 495)
    assert [(one["invoice_line_item"], one["amount"]) for one in note["lines"]["data"]] == [(usage["id"], 198)]
    assert (note["total"], note["pre_payment_amount"]) == (198, 198)
    assert (invoice["status"], invoice["total"], invoice["amount_remaining"]) == ("open", 12_195, 12_195 - 198)

    await reversed_late(world, charges[2:3], at + 80 * HOUR)
    await world.move(at + 160 * HOUR)
    assert [one["total"] for one in await notes(world)] == [198, 99]
    [first, second] = (await world.ask("/v1/credit-notes", customer="acme"))["credit_notes"]
    assert [entry["entry_id"] for entry in first["entries"]] == ["r-e1", "r-e2"]
    assert [entry["reason"] for entry in second["entries"]] == ["customer_returned"]
    assert (await world.ask(f"/v1/credit-notes/{note['id']}")) == first
    assert first["lines"][0]["entries"] == ["r-e1", "r-e2"]
    assert (first["state"], first["amount_minor"], first["currency"]) == ("issued", 198, "USD")
    assert await world.ask("/v1/cases") == []


async def test_of_a_paid_invoice_the_credit_goes_to_the_balance_and_doubled_webhooks_change_nothing(world: Any) -> None:
    charges = await released(world, CORRECTIONS_SETTLE_H="1")
    invoice = await the_invoice(world)
    assert (await world.stripe_post(f"/v1/invoices/{invoice['id']}/pay", paid_out_of_band="true")).status_code == 200
    await world.quiet(world.at)
    await world.fault("webhook_doubled")
    await reversed_late(world, charges[:2], END + DAY)
    await world.move(END + DAY + 2 * HOUR)

    [note] = await notes(world)
    assert (note["post_payment_amount"], note["pre_payment_amount"]) == (198, 0)
    assert await balance(world) == -198
    assert await world.ask("/v1/cases") == []


async def test_the_contract_says_when_how_little_and_to_where(world: Any) -> None:
    """Corrections settle in 2 hours, less than 1.50 is not worth a note, and what was paid goes back to the card."""
    terms = {"settle_hours": 2, "smallest_minor": 150, "paid": "refund"}
    since = {"from": iso(START)}
    document = agreed(
        billing={"collection_method": "charge_automatically", "corrections": terms},
        items=[seats(3, **since), metered(price="0.99", **since)],
    )
    await world.start_door()
    await world.apply_document(document)
    await world.quiet(START)
    customer = (await world.ask("/v1/contracts/acme"))["stripe_customer"]
    card = {"invoice_settings[default_payment_method]": "pm_card_visa"}
    assert (await world.stripe_post(f"/v1/customers/{customer}", **card)).status_code == 200
    await world.move(START + 6 * DAY)
    charges = [a_charge(f"e{n}", seq=n, at=START + n * HOUR) for n in range(1, 6)]
    await world.rate(*charges)
    await world.move(END)
    await world.move(END + 32 * MINUTE)
    assert (await the_invoice(world))["status"] == "paid"

    await reversed_late(world, charges[:1], END + DAY)
    await world.move(END + DAY + 3 * HOUR)
    assert await notes(world) == []
    await reversed_late(world, charges[1:2], END + 2 * DAY)
    await world.move(END + 2 * DAY + 3 * HOUR)

    [note] = await notes(world)
    [told] = (await world.ask("/v1/credit-notes"))["credit_notes"]
    assert (note["total"], sum(refund["amount_refunded"] for refund in note["refunds"])) == (198, 198)
    assert (told["refund_minor"], told["balance_minor"], await balance(world)) == (198, 0, 0)
    assert await world.ask("/v1/cases") == []


async def test_in_yen_the_credit_is_in_whole_yen(world: Any) -> None:
    price = [{"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "149"}}]
    yen = a_contract(currency="JPY", metered=price, licensed=[])
    charges = await released(world, contract=yen, CORRECTIONS_SETTLE_H="1")
    await reversed_late(world, charges[:2], END + DAY)
    await world.move(END + DAY + 2 * HOUR)

    [note] = await notes(world)
    assert (note["currency"], note["total"]) == ("jpy", 298)


async def test_less_than_the_smallest_amount_waits_for_more_and_then_goes_at_once(world: Any) -> None:
    charges = await released(world, CORRECTIONS_SETTLE_H="1", CORRECTIONS_SMALLEST_MINOR="150")
    await reversed_late(world, charges[:1], END + DAY)
    await world.move(END + 2 * DAY)
    assert await notes(world) == []

    await reversed_late(world, charges[1:2], END + 2 * DAY)
    await world.until(lambda: _comes_to(world, [198]))


async def test_a_void_invoice_is_credited_nothing(world: Any) -> None:
    charges = await released(world, CORRECTIONS_SETTLE_H="1")
    invoice = await the_invoice(world)
    assert (await world.stripe_post(f"/v1/invoices/{invoice['id']}/void")).status_code == 200
    await reversed_late(world, charges, END + DAY)
    await world.move(END + DAY + 2 * HOUR)

    assert (await notes(world), await world.ask("/v1/cases")) == ([], [])
    assert (await world.ask("/v1/credit-notes"))["credit_notes"] == []


@pytest.mark.parametrize("fault", ["error_500_before_commit", "error_500_after_commit"])
async def test_after_a_500_the_note_is_looked_up_and_is_there_once(world: Any, fault: str) -> None:
    charges = await released(world, CORRECTIONS_SETTLE_H="1")
    await world.fault(fault, path=NOTES, count=1)
    await reversed_late(world, charges[:1], END + DAY)
    await world.move(END + DAY + 2 * HOUR)

    assert [note["total"] for note in await notes(world)] == [99]


async def test_what_the_invoice_has_no_room_for_is_a_case(world: Any) -> None:
    """A person has credited nearly all of it at Stripe."""
    charges = await released(world, CORRECTIONS_SETTLE_H="1")
    by_hand = {"invoice": (await the_invoice(world))["id"], "amount": str(12_195 - 150)}
    assert (await world.stripe_post(NOTES, **by_hand)).status_code == 200
    await reversed_late(world, charges[:2], END + DAY)
    await world.move(END + DAY + 2 * HOUR)

    assert [note["total"] for note in await notes(world)] == [12_045, 150]
    [case] = await world.ask("/v1/cases")
    assert (case["kind"], case["detail"]["problem"]) == (
        "correction_not_credited",
        "USD 0.48 are owed back beyond what the invoice has left",
    )


@pytest.mark.parametrize("gap", CREDITING)
async def test_a_door_that_dies_in_the_gap_credits_once(world: Any, gap: str) -> None:
    charges = await released(world, CORRECTIONS_SETTLE_H="1")
    world.stop_door(signal.SIGKILL)
    await world.start_door(CORRECTIONS_SETTLE_H="1", SETTLED_FAILPOINT=f"invoicing-sync.{gap}")
    world.may_die = True
    await reversed_late(world, charges[:2], END + DAY)
    await world.move(END + DAY + 2 * HOUR)
    if world.deaths:
        world.stop_door(signal.SIGKILL)
        await world.start_door(CORRECTIONS_SETTLE_H="1")
        await world.quiet(END + DAY + 2 * HOUR)

    assert world.deaths == [-signal.SIGKILL], world.door_said()
    assert [note["total"] for note in await notes(world)] == [198]
    assert [one["state"] for one in (await world.ask("/v1/credit-notes"))["credit_notes"]] == ["issued"]


async def _comes_to(world: Any, totals: list[int]) -> bool:
    return [note["total"] for note in await notes(world)] == totals
