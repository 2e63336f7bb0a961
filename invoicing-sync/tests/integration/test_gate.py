"""The gate holds what differs, lets it go once it agrees, and takes nothing in after the freeze."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from invoicing_sync.testing import START, a_charge, a_contract, a_reversal

pytestmark = pytest.mark.integration
END = START.replace(month=11)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
SMS = {"scheme": "graduated", "tiers": [{"up_to": 500, "unit_price": "0.06"}, {"up_to": None, "unit_price": "0.03"}]}


async def closing(world: Any, customer: str = "acme") -> Any:
    invoices = (await world.ask("/v1/invoices", customer=customer))["invoices"]
    [invoice] = [one for one in invoices if one["billing_reason"] == "subscription_cycle"]
    return invoice


async def month(world: Any, *charges: Any, **contract: Any) -> None:
    await world.start_door()
    await world.apply(a_contract(**contract))
    await world.quiet(START)
    await world.move(START + 3 * DAY)
    await world.rate(*charges)
    await world.move(START + 4 * DAY)
    await world.move(END)


async def test_a_late_entry_is_a_correction_after_the_freeze_and_on_the_invoice_before_it(world: Any) -> None:
    charges = [a_charge(f"e{n}", seq=n, at=START + DAY) for n in (1, 2)]
    await month(world, *charges)
    freeze = END + 30 * MINUTE

    await world.step(END + 29 * MINUTE)
    await world.rate(a_charge("in-time", seq=3, at=END - MINUTE, recorded_at=freeze - timedelta(microseconds=1)))
    await world.quiet(END + 29 * MINUTE)
    await world.step(freeze)
    await world.rate(
        a_charge("late", seq=4, at=END - MINUTE, recorded_at=freeze),
        a_reversal("late-reversal", charges[0], seq=5, recorded_at=freeze),
        a_charge("late-too", seq=6, at=END - MINUTE, recorded_at=freeze),
    )
    await world.move(END + 32 * MINUTE)

    invoice = await closing(world)
    assert (invoice["status"], invoice["total_minor"]) == ("open", 11700 + 297)  # three resolutions at 0.99
    assert set(await world.counted()) == {"e1", "e2", "in-time"}
    corrections = await world.ask("/v1/corrections", customer="acme", period=START.isoformat())
    assert {c["entry_id"]: (c["value"], c["reason"]) for c in corrections} == {
        "late": ("1", "after_freeze"),
        "late-reversal": ("-1", "after_freeze"),
        "late-too": ("1", "after_freeze"),
    }
    whys = {line["item"]: line["why"] for line in invoice["lines"] if line["amount_minor"]}
    assert whys["essential_seat"]["clause"] == "licensed.essential_seat"
    assert whys["resolution"]["quantity"] == "3 charged for resolution in 2026-10-01 to 2026-11-01"
    assert whys["resolution"]["formula"] == "3 × 0.99"
    [priced] = (await world.ask("/v1/corrections/priced", customer="acme", period=START.isoformat()))["corrections"]
    assert [(e["entry_id"], e["subject"], e["amount_minor"]) for e in priced["entries"]] == [
        ("late", "conversation-late", 99),
        ("late-reversal", "conversation-e1", -99),
        ("late-too", "conversation-late-too", 99),
    ]
    assert (priced["difference_minor"], priced["document"], priced["period_state"]) == (99, "prior_period", "finalised")
    assert [[line["quantity"] for line in priced[side]] for side in ("before", "after")] == [["3"], ["4"]]
    assert (await world.ask("/v1/corrections/priced", period=END.isoformat())) == {"corrections": [], "next": None}


async def test_tiers_and_decimals_come_out_to_the_cent(world: Any) -> None:
    metered = [
        {"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "0.99"}},
        {"meter": "sms_segment", "price": SMS},
    ]
    segments = [
        a_charge(f"s{n}", seq=n, at=START + DAY, meter="sms_segment", quantity=q)
        for n, q in enumerate(["300.25", "200", "29.5"], 1)
    ]
    await month(world, *segments, metered=metered, licensed=[])
    await world.move(END + 32 * MINUTE)

    invoice = await closing(world)
    lines = [(line["quantity"], line["amount_minor"]) for line in invoice["lines"] if line["amount_minor"]]
    assert invoice["status"] == "open"
    assert lines == [("500", 3000), ("29.75", 89)]  # 29.75 x 0.03 = 0.8925


async def test_usage_that_someone_else_sent_holds_the_invoice_until_it_is_taken_back(world: Any) -> None:
    await month(world, a_charge("e1", seq=1, at=START + DAY))
    stripe_customer = (await world.ask("/v1/contracts/acme"))["stripe_customer"]
    extra = {
        "event_name": "resolution",
        "identifier": "stranger",
        "timestamp": str(int((END - DAY).timestamp())),
        "payload[stripe_customer_id]": stripe_customer,
        "payload[value]": "1",
    }
    assert (await world.stripe_post("/v1/billing/meter_events", **extra)).status_code == 200

    await world.move(END + 32 * MINUTE)

    [case] = await world.ask("/v1/cases")
    assert case["kind"] == "invoice_held"
    assert case["detail"]["problems"] == ["meter resolution: ledger 1, Stripe 2"]
    assert (await closing(world))["status"] == "draft"
    run = (
        await world.http.post(
            f"{world.door_url}/v1/reconciliations", json={"from": START.isoformat(), "to": END.isoformat()}
        )
    ).json()["id"]
    await world.until(lambda: done(world, run))
    [drift] = (await world.ask(f"/v1/reconciliations/{run}"))["drift"]
    assert (drift["cause"], drift["difference"]) == ("extra_outside", "1")

    taken = {"event_name": "resolution", "type": "cancel", "cancel[identifier]": "stranger"}
    assert (await world.stripe_post("/v1/billing/meter_event_adjustments", **taken)).status_code == 200
    await world.until(lambda: only_drift_is_open(world))
    assert (await closing(world))["status"] == "open"
    assert (await closing(world))["total_minor"] == 11700 + 99


async def done(world: Any, run: int) -> bool:
    return bool((await world.ask(f"/v1/reconciliations/{run}"))["state"] == "done")


async def only_drift_is_open(world: Any) -> bool:
    return [case["kind"] for case in await world.ask("/v1/cases")] == ["drift"]


async def test_an_event_cancelled_outside_and_one_that_stripe_lost_are_named(world: Any) -> None:
    await world.start_door()
    await world.apply(a_contract())
    await world.quiet(START)
    await world.move(START + 3 * DAY)
    await world.rate(a_charge("e1", seq=1, at=START + DAY), a_charge("e2", seq=2, at=START + 2 * DAY))
    await world.quiet(START + 3 * DAY)
    taken = {"event_name": "resolution", "type": "cancel", "cancel[identifier]": "e1"}
    assert (await world.stripe_post("/v1/billing/meter_event_adjustments", **taken)).status_code == 200
    await world.until(lambda: found(world, {("2026-10-02", "cancelled_outside")}))


async def found(world: Any, wanted: set[tuple[str, str]]) -> bool:
    order = {"customer": "acme", "from": START.isoformat(), "to": (START + 3 * DAY).isoformat()}
    run = (await world.http.post(f"{world.door_url}/v1/reconciliations", json=order)).json()["id"]
    await world.until(lambda: done(world, run))
    drift = (await world.ask("/v1/reconciliations/latest"))["drift"]
    return {(d["day"][:10], d["cause"]) for d in drift} == wanted
