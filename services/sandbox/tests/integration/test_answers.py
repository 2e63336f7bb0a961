"""The switches, turned while the sandbox runs."""

from __future__ import annotations

import pytest

from sandbox.testing import NOVEMBER, Driver


async def test_are_turned_one_by_one_and_reset_with_all_else(sandbox: Driver) -> None:
    """What is unknown is refused with a sentence, and nothing is turned then."""
    turned = await sandbox.control("POST", "answers", draft_usage="fresh")
    wrong = await sandbox.http.post("/_sandbox/answers", json={"draft_usage": "old"})
    shown = await sandbox.control("GET", "answers")
    await sandbox.control("POST", "reset")

    assert turned["draft_usage"] == shown["draft_usage"] == "fresh"
    assert (wrong.status_code, wrong.json()["detail"]) == (400, "draft_usage takes stale or fresh, not 'old'.")
    assert (await sandbox.control("GET", "answers"))["draft_usage"] == "stale"


async def test_a_stale_draft_shows_the_usage_of_its_making_until_it_is_finalised(sandbox: Driver) -> None:
    """4 units before the month's end, 3 more while it is a draft: 4 on the draft, 7 on the invoice."""
    meter = await sandbox.a_meter()
    price = await sandbox.a_price(meter.id, unit_amount_decimal="99")
    customer = await sandbox.a_customer()
    await sandbox.a_subscription(customer.id, {"price": price.id})
    await sandbox.use(customer.id, "4")
    await sandbox.advance("2026-11-01T00:00:00Z")
    await sandbox.use(customer.id, "3", at=NOVEMBER - 60)
    await sandbox.quiet()

    (draft,) = await sandbox.invoices(customer.id)
    line = (await sandbox.v1.invoices.line_items.list_async(draft.id)).data[0]
    held = await sandbox.v1.invoices.update_async(draft.id, {"auto_advance": False})
    final = await sandbox.v1.invoices.finalize_invoice_async(draft.id)

    assert (draft.total, line.amount, held.total) == (396, 396, 396)
    assert (final.total, final.lines.data[0].quantity) == (693, 7)


async def test_a_draft_may_stand_when_it_is_finalised(sandbox: Driver) -> None:
    """`of_the_draft`: what came after the draft was made is on no invoice."""
    await sandbox.control("POST", "answers", finalised_usage="of_the_draft")
    meter = await sandbox.a_meter()
    price = await sandbox.a_price(meter.id, unit_amount_decimal="99")
    customer = await sandbox.a_customer()
    await sandbox.a_subscription(customer.id, {"price": price.id})
    await sandbox.use(customer.id, "4")
    await sandbox.advance("2026-11-01T00:00:00Z")
    await sandbox.use(customer.id, "3", at=NOVEMBER - 60)
    await sandbox.quiet()

    await sandbox.advance("2026-11-01T01:00:00Z")

    (final,) = await sandbox.invoices(customer.id)
    assert (final.status, final.total) == ("open", 396)


@pytest.mark.parametrize(("switch", "status"), [("held", "draft"), ("advance", "open")])
async def test_a_kept_draft_may_finalise_itself(sandbox: Driver, switch: str, status: str) -> None:
    """`keep_as_draft` as the text has it, and as an account that does not keep to it."""
    await sandbox.control("POST", "answers", kept_drafts=switch)
    price = await sandbox.a_price(unit_amount=1000)
    customer = await sandbox.a_customer()
    subscription = await sandbox.a_subscription(customer.id, {"price": price.id})
    keeping = {"pause_collection": {"behavior": "keep_as_draft"}}
    await sandbox.v1.subscriptions.update_async(subscription.id, keeping)

    await sandbox.advance("2026-11-06T00:00:00Z")

    renewal, first = await sandbox.invoices(customer.id)
    assert (renewal.status, first.status) == (status, "open")  # what was there before the pause goes its way
