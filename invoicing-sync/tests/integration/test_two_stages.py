"""Nothing is sent or charged before the finalised invoice was compared, whoever was down meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from invoicing_sync.testing import START, a_charge, a_contract

pytestmark = pytest.mark.integration
END = START.replace(month=11)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
COLLECTED = ("invoice.sent", "invoice.paid", "invoice.payment_failed")
CARD = "invoice_settings[default_payment_method]"


async def answers(world: Any, **turned: str) -> None:
    assert (await world.http.post(f"{world.sandbox_url}/_sandbox/answers", json=turned)).status_code == 200


async def of_cycle(world: Any, customer: str = "acme") -> Any:
    invoices = (await world.ask("/v1/invoices", customer=customer))["invoices"]
    [invoice] = [one for one in invoices if one["billing_reason"] == "subscription_cycle"]
    return invoice


async def told(world: Any, invoice: str) -> list[str]:
    """What Stripe did with an invoice from finalising on, oldest first."""
    events = (await world.stripe("/v1/events", limit=100))["data"]
    types = [e["type"] for e in reversed(events) if e["data"]["object"]["id"] == invoice]
    return [t for t in types if t in (*COLLECTED, "invoice.finalized", "invoice.voided")]


async def charged_by_card(world: Any, customer: str, card: str = "pm_card_visa") -> None:
    stripe_customer = (await world.ask(f"/v1/contracts/{customer}"))["stripe_customer"]
    assert (await world.stripe_post(f"/v1/customers/{stripe_customer}", **{CARD: card})).status_code == 200


async def subscription_of(world: Any, customer: str) -> Any:
    row = await world.ask(f"/v1/contracts/{customer}")
    return await world.stripe(f"/v1/subscriptions/{row['stripe_subscription']}")


@pytest.mark.parametrize("draft_usage", ["stale", "fresh"])
async def test_usage_of_the_last_half_hour_is_on_the_invoice_whatever_the_draft_shows(
    world: Any, draft_usage: str
) -> None:
    """Seen to fail: a gate that compares a draft's usage holds this invoice for ever where drafts are stale."""
    await answers(world, draft_usage=draft_usage)
    await world.start_door()
    await world.apply(a_contract())
    await world.quiet(START)
    await world.move(END)
    await world.rate(a_charge("e1", seq=1, at=END - MINUTE, recorded_at=END + MINUTE))
    await world.move(END + 20 * MINUTE)

    await world.move(END + 32 * MINUTE)

    invoice = await of_cycle(world)
    assert (invoice["status"], invoice["total_minor"], invoice["period_state"]) == ("open", 11700 + 99, "finalised")
    assert invoice["released_at"] is not None
    assert await told(world, invoice["id"]) == ["invoice.finalized", "invoice.sent"]
    assert await world.ask("/v1/cases") == []


async def test_a_finalised_invoice_that_differs_is_seen_by_nobody_until_a_person_voids_it(world: Any) -> None:
    await answers(world, finalised_usage="of_the_draft")
    await world.start_door()
    await world.apply(a_contract())
    await world.quiet(START)
    await world.move(END)
    await world.rate(a_charge("e1", seq=1, at=END - MINUTE, recorded_at=END + MINUTE))
    await world.move(END + 20 * MINUTE)
    await world.move(END + 32 * MINUTE)

    [case] = await world.ask("/v1/cases")
    held = await of_cycle(world)
    assert (case["kind"], case["detail"]["assumptions"]) == ("finalised_differs", ["A2"])
    assert case["detail"]["problems"][0] == "missing: usage resolution, 1 for USD 0.99"
    assert (held["status"], held["period_state"], held["released_at"]) == ("open", "held", None)
    assert await told(world, held["id"]) == ["invoice.finalized"]

    assert (await world.stripe_post(f"/v1/invoices/{held['id']}/void")).status_code == 200
    await world.until(lambda: closed(world))

    assert await told(world, held["id"]) == ["invoice.finalized", "invoice.voided"]
    [period] = [p for p in await world.ask("/v1/periods", customer="acme") if p["invoice_id"] == held["id"]]
    assert period["state"] == "voided"


async def closed(world: Any) -> bool:
    return bool(await world.ask("/v1/cases") == [])


@pytest.mark.parametrize(
    ("card", "status", "last"),
    [("pm_card_visa", "paid", "invoice.paid"), ("pm_card_chargeCustomerFail", "open", "invoice.payment_failed")],
)
async def test_a_card_is_charged_once_after_the_second_stage(world: Any, card: str, status: str, last: str) -> None:
    """Where the payment fails it is noted and left to Stripe: no case, no second call."""
    await world.start_door()
    await world.apply(a_contract(collection_method="charge_automatically", billing_anchor=START + DAY))
    await world.quiet(START)
    await charged_by_card(world, "acme", card)

    await world.move(START + DAY)
    await world.move(START + DAY + 32 * MINUTE)

    subscription = await subscription_of(world, "acme")
    assert (subscription["collection_method"], subscription["pause_collection"]["behavior"]) == (
        "charge_automatically",
        "keep_as_draft",
    )
    [invoice] = (await world.ask("/v1/invoices", customer="acme"))["invoices"]
    assert (invoice["status"], invoice["total_minor"], invoice["period_state"]) == (status, 11700, "finalised")
    assert await told(world, invoice["id"]) == ["invoice.finalized", last]
    [period] = [p for p in await world.ask("/v1/periods", customer="acme") if p["invoice_id"]]
    assert (period["payment_failed"] is None) is (status == "paid")
    assert await world.ask("/v1/cases") == []


@pytest.mark.parametrize(
    ("switch", "cases"), [("handed_over", []), ("finalising", ["collected_before_compared"])], ids=lambda s: str(s)
)
async def test_a_stripe_that_collects_too_early_charges_once_and_is_named(
    world: Any, switch: str, cases: list[str]
) -> None:
    """Assumptions A5 and A11 the other way: a card pays once, a mail comes at most twice."""
    await answers(world, **{switch: "collects"})
    await world.start_door()
    ahead = START + DAY
    await world.apply(
        a_contract(billing_anchor=ahead),
        a_contract("globex", billing_anchor=ahead, collection_method="charge_automatically"),
    )
    await world.quiet(START)
    await charged_by_card(world, "globex")

    await world.move(ahead)
    await world.move(ahead + 32 * MINUTE)

    for customer, last, times in (("acme", "invoice.sent", 2), ("globex", "invoice.paid", 1)):
        [invoice] = (await world.ask("/v1/invoices", customer=customer))["invoices"]
        assert (invoice["period_state"], invoice["total_minor"]) == ("finalised", 11700)
        assert await told(world, invoice["id"]) == ["invoice.finalized", *[last] * times]
    found = await world.ask("/v1/cases")
    assert [(case["kind"], case["customer"], case["detail"]["assumptions"]) for case in found] == [
        (kind, "globex", ["A5"]) for kind in cases
    ]


async def test_the_first_invoice_of_a_card_waits_for_the_second_stage_too(world: Any) -> None:
    """The subscription is made at its anchor, when one that charges would be finalised and charged inside the call."""
    await world.start_door()
    await world.apply(a_contract(collection_method="charge_automatically"))
    await world.quiet(START)

    [first] = (await world.ask("/v1/invoices", customer="acme"))["invoices"]
    assert (first["billing_reason"], first["status"], first["period_state"]) == (
        "subscription_create",
        "open",
        "finalised",
    )
    assert await told(world, first["id"]) == ["invoice.finalized", "invoice.payment_failed"]  # there is no card yet
    assert (await world.stripe(f"/v1/invoices/{first['id']}"))["collection_method"] == "charge_automatically"


async def test_a_door_away_for_five_days_finds_drafts_and_issues_them_right(world: Any) -> None:
    """
    Over a month's end, by mail and by card; usage goes on being rated meanwhile.

    Seen to fail with KEEP_DRAFTS=0: after 72 hours without an answer Stripe finalises and charges.
    """
    await world.start_door()
    await world.apply(a_contract(), a_contract("globex", collection_method="charge_automatically"))
    await world.quiet(START)
    await charged_by_card(world, "globex")
    await world.move(START + 10 * DAY)
    await world.rate(*(a_charge(f"{c}-1", seq=n, at=START + 9 * DAY, customer=c) for n, c in enumerate(BOTH, 1)))
    await world.move(START + 11 * DAY)
    world.stop_door()

    await world.rate(*(a_charge(f"{c}-2", seq=n, at=START + 12 * DAY, customer=c) for n, c in enumerate(BOTH, 3)))
    back = END + 5 * DAY
    await world.step(back)
    kept = [
        one for one in (await world.stripe("/v1/invoices"))["data"] if one["billing_reason"] == "subscription_cycle"
    ]
    assert [(one["status"], one["auto_advance"]) for one in kept] == [("draft", False)] * 2

    await world.start_door()
    await world.move(back)
    await world.move(back + 2 * MINUTE)

    for customer, status, last in (("acme", "open", "invoice.sent"), ("globex", "paid", "invoice.paid")):
        invoice = await of_cycle(world, customer)
        assert (invoice["status"], invoice["total_minor"], invoice["period_state"]) == (
            status,
            11700 + 198,
            "finalised",
        )
        assert await told(world, invoice["id"]) == ["invoice.finalized", last]
    assert await world.ask("/v1/cases") == []


BOTH = ("acme", "globex")


@pytest.mark.parametrize("kept_drafts", ["held", "advance"])
async def test_a_door_that_keeps_no_drafts_holds_them_back_one_by_one(world: Any, kept_drafts: str) -> None:
    """KEEP_DRAFTS=0; and a Stripe that does not keep to assumption A3: the hold stands behind it."""
    await answers(world, kept_drafts=kept_drafts)
    await world.start_door(KEEP_DRAFTS="0" if kept_drafts == "held" else "1")
    await world.apply(a_contract())
    await world.quiet(START)
    await world.move(END)
    await world.move(END + 32 * MINUTE)

    subscription = await subscription_of(world, "acme")
    assert (subscription["pause_collection"] is None) is (kept_drafts == "held")
    invoice = await of_cycle(world)
    assert (invoice["status"], await told(world, invoice["id"])) == ("open", ["invoice.finalized", "invoice.sent"])
    assert await world.ask("/v1/cases") == []


async def test_a_subscription_of_an_earlier_version_is_kept_from_the_start_on(world: Any) -> None:
    """As the earlier version left it; and its contract without an address has its case, its invoices are held."""
    await world.start_door(KEEP_DRAFTS="0")
    await world.apply(a_contract())
    await world.quiet(START)
    await world.move(START + DAY)
    world.stop_door()
    await world.rows("UPDATE invoicing.contracts SET kept_as_draft = NULL, applied = applied - 'billing_email'")

    await world.start_door()
    await world.quiet(START + DAY)

    assert (await subscription_of(world, "acme"))["pause_collection"]["behavior"] == "keep_as_draft"
    assert [case["kind"] for case in await world.ask("/v1/cases")] == ["contract_without_billing_email"]
    await world.move(END)
    await world.step(END + 32 * MINUTE)
    await world.progress(END + 31 * MINUTE)
    await world.until(lambda: is_held_for_its_address(world))
    assert (await of_cycle(world))["status"] == "draft"


async def is_held_for_its_address(world: Any) -> bool:
    reason = (await of_cycle(world))["held_reason"] or ""
    return bool(reason.startswith("billing_email is missing"))
