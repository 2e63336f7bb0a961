"""Meter events, adjustments, summaries and error reports."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import stripe

from sandbox.testing import KEY, NOVEMBER, OCTOBER, Driver, Receiver

DAY = 86_400


async def total(sandbox: Driver, meter: str, customer: str) -> float:
    """The counted usage of October and November."""
    await sandbox.quiet()
    params = {"customer": customer, "start_time": OCTOBER - 60 * DAY, "end_time": NOVEMBER + 30 * DAY}
    rows = await sandbox.v1.billing.meters.event_summaries.list_async(meter, params)
    return float(rows.data[0].aggregated_value)


class TestAnIdentifier:
    async def test_that_is_known_is_refused_in_stripes_words(self, sandbox: Driver) -> None:
        """400 without a code, not to be retried, counted once."""
        meter = await sandbox.a_meter()
        customer = await sandbox.a_customer()
        await sandbox.use(customer.id, identifier="same")

        with pytest.raises(stripe.InvalidRequestError) as refused:
            await sandbox.use(customer.id, "7", identifier="same")

        assert refused.value.user_message == "An event already exists with identifier same."
        assert (refused.value.code, refused.value.http_status) == (None, 400)
        assert refused.value.headers["Stripe-Should-Retry"] == "false"
        assert await total(sandbox, meter.id, customer.id) == 1

    async def test_is_forgotten_after_a_day_of_business_time(self, sandbox: Driver) -> None:
        """A resend counts twice then: the reason for a ledger of one's own."""
        meter = await sandbox.a_meter()
        customer = await sandbox.a_customer()
        await sandbox.use(customer.id, identifier="same")
        await sandbox.advance("2026-10-01T23:59:59Z")
        with pytest.raises(stripe.InvalidRequestError):
            await sandbox.use(customer.id, identifier="same")

        await sandbox.advance("2026-10-02T00:00:00Z")
        await sandbox.use(customer.id, identifier="same")

        assert await total(sandbox, meter.id, customer.id) == 2

    async def test_with_its_own_idempotency_key_replays_the_first_answer(self, sandbox: Driver) -> None:
        """Same key and identifier: 200 again, marked as replayed, counted once."""
        meter = await sandbox.a_meter()
        customer = await sandbox.a_customer()
        form = {
            "event_name": "resolution",
            "identifier": "one",
            "payload[value]": "1",
            "payload[stripe_customer_id]": customer.id,
        }
        headers = {"Idempotency-Key": "one:1"}
        first = await sandbox.raw("POST", "/v1/billing/meter_events", data=form, headers=headers)
        second = await sandbox.raw("POST", "/v1/billing/meter_events", data=form, headers=headers)
        other = await sandbox.raw(
            "POST", "/v1/billing/meter_events", data={**form, "payload[value]": "2"}, headers=headers
        )

        assert (first.status_code, second.status_code, other.status_code) == (200, 200, 400)
        assert first.json() == second.json()
        assert second.headers["Idempotent-Replayed"] == "true"
        assert other.json()["error"]["type"] == "idempotency_error"
        assert await total(sandbox, meter.id, customer.id) == 1


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"timestamp": OCTOBER - 35 * DAY - 1}, "timestamp_too_far_in_past"),
        ({"timestamp": OCTOBER + 301}, "timestamp_in_future"),
        ({"timestamp": "soon"}, "parameter_invalid_integer"),
        ({"payload": {"stripe_customer_id": "cus_1", "value": "1e3"}}, "meter_event_invalid_value"),
        ({"payload": {"stripe_customer_id": "cus_1", "value": "NaN"}}, "meter_event_invalid_value"),
        ({"payload": {"stripe_customer_id": "cus_1", "value": "٣"}}, "meter_event_invalid_value"),
        ({"payload": {"stripe_customer_id": "cus_1", "value": "1" * 16}}, "meter_event_value_too_many_digits"),
        ({"payload": {"value": "1"}}, "parameter_missing"),
        ({"payload": {"stripe_customer_id": "cus_1"}}, "parameter_missing"),
        ({"colour": "blue"}, "parameter_unknown"),
    ],
)
async def test_refuses_what_stripe_would_refuse(sandbox: Driver, params: dict[str, Any], code: str) -> None:
    """Each with Stripe's code."""
    event = {"event_name": "resolution", "payload": {"stripe_customer_id": "cus_1", "value": "1"}}

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await sandbox.v1.billing.meter_events.create_async({**event, **params})

    assert refused.value.code == code


async def test_takes_the_furthest_times_and_awkward_values(sandbox: Driver) -> None:
    """35 days back, five minutes ahead, fifteen digits, twelve places, less than nothing."""
    meter = await sandbox.a_meter()
    customer = await sandbox.a_customer()
    await sandbox.use(customer.id, "999999999999999", at=OCTOBER - 35 * DAY)
    await sandbox.use(customer.id, "-999999999999999", at=OCTOBER + 300)
    await sandbox.use(customer.id, "0.000000000001")
    await sandbox.use(customer.id, "-0.000000000001")
    await sandbox.use(customer.id, "2.50")

    assert await total(sandbox, meter.id, customer.id) == 2.5


class TestOneCallAtATime:
    async def test_for_a_customer_and_meter(self, sandbox: Driver) -> None:
        """While one is under way others of its lane get 429 with a reason; other customers do not."""
        await sandbox.a_meter()
        busy, free = await sandbox.a_customer(), await sandbox.a_customer()

        async def send(customer: str) -> str:
            try:
                await sandbox.use(customer)
            except stripe.RateLimitError as error:
                return str(error.headers["Stripe-Rate-Limited-Reason"])
            return "ok"

        answers = await asyncio.gather(*(send(busy.id) for _ in range(8)), send(free.id))

        assert answers[-1] == "ok"
        assert "ok" in answers[:-1]
        assert "resource-specific" in answers[:-1]

    async def test_and_no_more_a_second_than_the_account_may(self, sandbox: Driver) -> None:
        """Meter events have their own limit; both say which it was."""
        await sandbox.a_meter()
        await sandbox.control("POST", "limits", requests_per_second=3, meter_events_per_second=5)
        meters = [
            (await sandbox.raw("POST", "/v1/billing/meter_events", data={"event_name": "resolution"})).status_code
            for _ in range(8)
        ]
        others = [await sandbox.raw("GET", "/v1/customers") for _ in range(6)]

        assert meters.count(429) >= 2
        assert meters[:5].count(429) == 0
        limited = [answer for answer in others if answer.status_code == 429]
        assert len(limited) >= 2
        assert limited[0].headers["Stripe-Rate-Limited-Reason"] == "global-rate"
        assert limited[0].json()["error"]["code"] == "rate_limit"


class TestAnAdjustment:
    async def test_cancels_an_event_of_the_last_day(self, sandbox: Driver) -> None:
        """By identifier; a second time and after a day it is refused."""
        meter = await sandbox.a_meter()
        customer = await sandbox.a_customer()
        await sandbox.use(customer.id, "5", identifier="wrong")
        await sandbox.use(customer.id, "1", identifier="old")
        cancel = {"event_name": "resolution", "type": "cancel", "cancel": {"identifier": "wrong"}}

        done = await sandbox.v1.billing.meter_event_adjustments.create_async(cancel)

        assert done.status in ("pending", "complete")
        assert await total(sandbox, meter.id, customer.id) == 1
        with pytest.raises(stripe.InvalidRequestError, match="already"):
            await sandbox.v1.billing.meter_event_adjustments.create_async(cancel)
        await sandbox.advance("2026-10-02T00:00:00Z")
        with pytest.raises(stripe.InvalidRequestError, match="24 hours"):
            await sandbox.v1.billing.meter_event_adjustments.create_async({**cancel, "cancel": {"identifier": "old"}})


class TestSummaries:
    async def test_by_day_give_the_days_with_usage_newest_first(self, sandbox: Driver) -> None:
        """Windows are UTC days; empty ones have no row."""
        meter = await sandbox.a_meter()
        customer = await sandbox.a_customer()
        await sandbox.advance("2026-10-10T00:00:00Z")
        for at, value in ((0, "1"), (DAY - 1, "2"), (3 * DAY, "4.25")):
            await sandbox.use(customer.id, value, at=OCTOBER + at)
        await sandbox.quiet()

        rows = await sandbox.v1.billing.meters.event_summaries.list_async(
            meter.id,
            {
                "customer": customer.id,
                "start_time": OCTOBER,
                "end_time": NOVEMBER,
                "limit": 100,
                "value_grouping_window": "day",
            },
        )

        assert [(row.start_time - OCTOBER, row.aggregated_value) for row in rows.data] == [(3 * DAY, 4.25), (0, 3)]

    @pytest.mark.parametrize(
        ("start", "window"), [(OCTOBER + 1, None), (OCTOBER + 60, "hour"), (OCTOBER + 3600, "day")]
    )
    async def test_want_aligned_bounds(self, sandbox: Driver, start: int, window: str | None) -> None:
        """Whole minutes, hours or days."""
        meter = await sandbox.a_meter()
        customer = await sandbox.a_customer()
        params: dict[str, Any] = {"customer": customer.id, "start_time": start, "end_time": NOVEMBER}
        if window:
            params["value_grouping_window"] = window

        with pytest.raises(stripe.InvalidRequestError, match="aligned"):
            await sandbox.v1.billing.meters.event_summaries.list_async(meter.id, params)

    async def test_follow_the_meters_formula_and_window(self, sandbox: Driver) -> None:
        """count counts, last takes the last; with a window of a day the event received last replaces the others."""
        customer = await sandbox.a_customer()
        counting = await sandbox.a_meter("c", default_aggregation={"formula": "count"})
        last = await sandbox.a_meter("l", default_aggregation={"formula": "last"})
        daily = await sandbox.a_meter("d", event_time_window="day")
        for meter in ("c", "l", "d"):
            await sandbox.use(customer.id, "3", at=OCTOBER + 20, event_name=meter)
            await sandbox.use(customer.id, "5", at=OCTOBER + 10, event_name=meter)

        got = [await total(sandbox, meter.id, customer.id) for meter in (counting, last, daily)]

        assert got == [2, 3, 5]


class TestWhatCannotBeCounted:
    async def test_shows_only_in_a_thin_report(self, sandbox: Driver, receiver: Receiver) -> None:
        """An unknown customer is answered 200; the event's data is fetched, and names code and samples."""
        await self._listen(sandbox, receiver)
        meter = await sandbox.a_meter()
        for number in range(3):
            await sandbox.use("cus_nobody", identifier=f"lost-{number}")
        await sandbox.quiet()

        notice = sandbox.sdk.parse_event_notification(*receiver.got[-1], self.secret)
        report = await sandbox.sdk.v2.core.events.retrieve_async(notice.id)
        data: Any = report.to_dict()["data"]

        assert notice.type == "v1.billing.meter.error_report_triggered"
        assert notice.related_object.id == meter.id
        assert data["reason"]["error_count"] == 3
        (kind,) = data["reason"]["error_types"]
        assert (kind["code"], kind["error_count"]) == ("meter_event_customer_not_found", 3)
        assert kind["sample_errors"][0]["request"]["identifier"] == "lost-0"
        assert "data" not in receiver.events[-1]

    async def test_for_want_of_a_meter_has_its_own_type(self, sandbox: Driver, receiver: Receiver) -> None:
        """An event name without meter, and one whose meter is switched off."""
        await self._listen(sandbox, receiver)
        meter = await sandbox.a_meter()
        customer = await sandbox.a_customer()
        await sandbox.v1.billing.meters.deactivate_async(meter.id)
        await sandbox.use(customer.id, event_name="unheard_of")
        await sandbox.use(customer.id, identifier="archived")
        await sandbox.quiet()

        assert sorted(receiver.types) == ["v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"]
        await sandbox.v1.billing.meters.reactivate_async(meter.id)
        await sandbox.use(customer.id, "2", identifier="again")
        assert await total(sandbox, meter.id, customer.id) == 2

    async def test_is_listed_newest_first_page_by_page(self, sandbox: Driver) -> None:
        """A page's URL carries the filters on; the SDK follows it."""
        await sandbox.a_meter()
        customer = await sandbox.a_customer()
        for number in range(5):
            await sandbox.use(customer.id, event_name="unheard_of", identifier=f"none-{number}")
            await sandbox.use("cus_nobody", identifier=f"lost-{number}")
            await sandbox.quiet()
            await sandbox.advance(f"2026-10-01T{number + 1:02}:00:00Z")
        kind = "v1.billing.meter.error_report_triggered"

        page = await sandbox.sdk.v2.core.events.list_async({"types": [kind], "limit": 2})
        listed = [event async for event in page.auto_paging_iter()]

        assert len(page.data) == 2
        assert {event.type for event in listed} == {kind}
        made = [event.created for event in listed]
        assert made == sorted(made, reverse=True)
        assert len(made) == 5
        since: Any = {"types": [kind], "limit": 1, "created": {"gte": made[2]}}
        page = await sandbox.sdk.v2.core.events.list_async(since)
        assert [event.created async for event in page.auto_paging_iter()] == made[:3]
        for wrong in ("created[since]=2026-10-01T00:00:00Z", "created[gte]=soon", "page=nowhere", "limit=0"):
            assert (await sandbox.raw("GET", f"/v2/core/events?{wrong}")).status_code == 400

    secret = ""

    async def _listen(self, sandbox: Driver, receiver: Receiver) -> None:
        destination = await sandbox.sdk.v2.core.event_destinations.create_async(
            {
                "name": "thin",
                "type": "webhook_endpoint",
                "event_payload": "thin",
                "enabled_events": ["v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"],
                "webhook_endpoint": {"url": receiver.url},
            }
        )
        assert destination.webhook_endpoint is not None
        self.secret = str(destination.webhook_endpoint.signing_secret)


async def test_keys_are_asked_for(sandbox: Driver) -> None:
    """No key, a live key, a key by Basic, a key in the wrong shape."""
    nobody = await sandbox.raw("GET", "/v1/customers", key=None)
    live = await sandbox.raw("GET", "/v1/customers", key="sk_live_" + "1" * 24)
    basic = await sandbox.http.get("/v1/customers", auth=(KEY, ""))
    broken = await sandbox.http.get("/v1/customers", headers={"Authorization": "Basic %%%"})

    assert [a.status_code for a in (nobody, live, basic, broken)] == [401, 401, 200, 401]
    assert live.json()["error"]["message"] == "Invalid API Key provided: sk_live_********1111"
