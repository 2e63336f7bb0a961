"""What Stripe shows of a subscription, as the plan compares it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from event_schemas.times import Period
from invoicing_sync.contracts.domain.plan.at_stripe import Collection, HasItem, Told, ToldItem
from invoicing_sync.stripe_door.state import has_subscription

START, END = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
SEATS, DEARER, USAGE = ("settled.advance.seat.usd.aa", "settled.advance.seat.usd.bb", "settled.usage.resolution.usd.cc")
TOLD = Told(items={"seats": ToldItem(SEATS, 3, START), "outcomes": ToldItem(USAGE, None, START)})


def row(item_id: str, lookup_key: str | None, quantity: int | None = None, **more: Any) -> dict[str, Any]:
    found = {
        "id": item_id,
        "price": {"id": f"price_{item_id}", "lookup_key": lookup_key},
        "current_period_start": int(START.timestamp()),
        "current_period_end": int(END.timestamp()),
        "discounts": [],
    }
    return found | ({} if quantity is None else {"quantity": quantity}) | more


def shown(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    base = {
        "id": "sub_1",
        "status": "active",
        "items": {"data": list(rows)},
        "collection_method": "charge_automatically",
        "days_until_due": None,
        "pause_collection": None,
        "cancel_at": None,
        "discounts": [],
    }
    return base | more


def test_items_are_told_apart_by_their_prices() -> None:
    found = has_subscription(shown(row("si_1", SEATS, 3), row("si_2", USAGE)), TOLD)

    assert found.items == (HasItem("si_1", "seats", SEATS, 3), HasItem("si_2", "outcomes", USAGE, None))
    assert (found.period, found.collection) == (Period(START, END), Collection("charge_automatically"))
    assert (found.keeps_drafts, found.cancel_at, found.ended) == (False, None, False)


def test_an_item_that_got_another_price_of_its_product_is_still_the_same_item() -> None:
    found = has_subscription(shown(row("si_1", DEARER, 3), row("si_2", USAGE)), TOLD)

    assert found.items[0] == HasItem("si_1", "seats", DEARER, 3)


def test_what_nobody_of_ours_added_stands_for_nothing() -> None:
    found = has_subscription(shown(row("si_1", SEATS, 3), row("si_9", None, 1)), TOLD)

    assert found.items[1] == HasItem("si_9", None, "price_si_9", 1)


def test_terms_drafts_the_end_and_discounts_are_read() -> None:
    coupon = {"id": "di_1", "source": {"type": "coupon", "coupon": "ten-off"}}
    found = has_subscription(
        shown(
            row("si_1", SEATS, 3, discounts=[coupon, "di_2"]),
            collection_method="send_invoice",
            days_until_due=14,
            pause_collection={"behavior": "keep_as_draft"},
            cancel_at=int(END.timestamp()),
            status="canceled",
        ),
        TOLD,
    )

    assert found.items[0].discounts == {"ten-off", "di_2"}
    assert (found.collection, found.keeps_drafts) == (Collection("send_invoice", 14), True)
    assert (found.cancel_at, found.ended) == (END, True)
