"""Idempotency, faults, pages, expansion, refusals and the clock."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
import stripe

from embedded_stack.processes import Services
from sandbox.testing import OCTOBER, Driver


async def names(sandbox: Driver) -> list[str]:
    """Names of all customers, newest first."""
    return [c.name async for c in (await sandbox.v1.customers.list_async({"limit": 100})).auto_paging_iter()]


class TestAnIdempotencyKey:
    async def test_replays_the_first_answer(self, sandbox: Driver) -> None:
        """Same object, marked; other parameters are an error."""
        once = {"idempotency_key": "k"}
        first = await sandbox.v1.customers.create_async({"name": "A"}, once)
        second = await sandbox.v1.customers.create_async({"name": "A"}, once)

        assert first.id == second.id
        assert second.last_response.headers["Idempotent-Replayed"] == "true"
        assert await names(sandbox) == ["A"]
        with pytest.raises(stripe.IdempotencyError):
            await sandbox.v1.customers.create_async({"name": "B"}, once)

    @pytest.mark.parametrize(("kind", "made"), [("error_500_before_commit", []), ("error_500_after_commit", ["A"])])
    async def test_replays_a_500_too(self, sandbox: Driver, kind: str, made: list[str]) -> None:
        """So a new key is needed, and the outcome is unknown until one looks."""
        await sandbox.fault(kind, count=1, path="/v1/customers")
        for _ in range(2):
            with pytest.raises(stripe.APIError) as failed:
                await sandbox.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k"})

        assert failed.value.headers["Idempotent-Replayed"] == "true"
        assert await names(sandbox) == made

    async def test_survives_a_crash_of_the_sandbox(self, sandbox: Driver, services: Services) -> None:
        """Stored with what it did; for meter events it is the same row."""
        await sandbox.a_meter()
        first = await sandbox.v1.customers.create_async({"name": "A"}, {"idempotency_key": "k"})
        event = {"event_name": "resolution", "payload": {"stripe_customer_id": first.id, "value": "1"}}
        await sandbox.v1.billing.meter_events.create_async(event, {"idempotency_key": "m"})
        services.kill("sandbox")
        services.restart("sandbox")
        services.wait_ready("sandbox")

        patient = {"idempotency_key": "k", "max_network_retries": 2}  # old connections are dead
        again = await sandbox.v1.customers.create_async({"name": "A"}, patient)
        replayed = await sandbox.v1.billing.meter_events.create_async(event, {"idempotency_key": "m"})

        assert again.id == first.id
        assert replayed.last_response.headers["Idempotent-Replayed"] == "true"
        assert (await sandbox.control("GET", "clock"))["now"] == "2026-10-01T00:00:00Z"

    async def test_is_not_spent_on_what_was_never_carried_out(self, sandbox: Driver) -> None:
        """A 400 for a flaw of the request and a 429 are not stored."""
        once = {"idempotency_key": "k"}
        with pytest.raises(stripe.InvalidRequestError):
            await sandbox.v1.customers.create_async({"nickname": "A"}, once)
        await sandbox.fault("rate_limit_429", count=1)
        with pytest.raises(stripe.RateLimitError):
            await sandbox.v1.customers.create_async({"name": "A"}, once)

        made = await sandbox.v1.customers.create_async({"name": "A"}, once)

        assert made.name == "A"

    async def test_may_not_be_under_way_twice(self, sandbox: Driver) -> None:
        """The second gets 409."""

        await sandbox.fault("slow", count=1, delay_ms=300)

        async def post() -> int:
            headers = {"Idempotency-Key": "k"}
            return (await sandbox.raw("POST", "/v1/customers", data={"name": "A"}, headers=headers)).status_code

        statuses = await asyncio.gather(*(post() for _ in range(6)))

        assert set(statuses) <= {200, 409}
        assert 409 in statuses
        assert await names(sandbox) == ["A"]


class TestAFault:
    async def test_times_out_after_the_commit(self, sandbox: Driver) -> None:
        """The connection is cut, the customer is there."""
        await sandbox.fault("timeout_after_commit", count=1, path="/v1/customers", delay_ms=50)
        with pytest.raises(stripe.APIConnectionError):
            await sandbox.v1.customers.create_async({"name": "A"})

        assert await names(sandbox) == ["A"]

    async def test_refuses_in_the_words_that_it_was_given(self, sandbox: Driver) -> None:
        """Nothing is made, the key remembers it, and a new key is not refused any more."""
        words = {"code": "email_invalid", "message": "Invalid email address: nobody", "param": "email"}
        await sandbox.fault("refused", path="/v1/customers$", method="POST", count=1, **words)
        asked = {"name": "A", "email": "nobody"}
        spared = await sandbox.v1.customers.create_async({"name": "B"})
        for _ in range(2):
            with pytest.raises(stripe.InvalidRequestError) as refused:
                await sandbox.v1.customers.create_async(asked, {"idempotency_key": "k"})
            assert (refused.value.http_status, refused.value.code) == (400, "email_invalid")
            assert (refused.value.user_message, refused.value.param) == ("Invalid email address: nobody", "email")
        after = await sandbox.v1.customers.create_async(asked, {"idempotency_key": "another"})

        assert (spared.name, after.email) == ("B", "nobody")
        assert await names(sandbox) == ["A", "B"]

    async def test_refuses_a_meter_event(self, sandbox: Driver) -> None:
        """Which goes another way than other requests; it is counted nowhere."""
        await sandbox.a_meter()
        customer = await sandbox.a_customer()
        await sandbox.fault("refused", path="/v1/billing/meter_events", code="told_so", count=1)

        with pytest.raises(stripe.InvalidRequestError, match="was told to refuse"):
            await sandbox.use(customer.id, "1")
        await sandbox.use(customer.id, "10")
        await sandbox.quiet()

        dump = await sandbox.control("GET", f"dump?customer={customer.id}")
        assert dump["meter_events"]["by_state"] == {"counted": 1}

    async def test_of_another_kind_takes_no_words(self, sandbox: Driver) -> None:
        """They would say nothing."""
        answer = await sandbox.http.post("/_sandbox/faults", json={"kind": "slow", "code": "x"})

        assert answer.status_code == 422
        assert "only the kind refused" in answer.text

    async def test_slows_down(self, sandbox: Driver) -> None:
        """By the time that was asked for."""
        await sandbox.fault("slow", count=1, delay_ms=200)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await names(sandbox)

        assert loop.time() - began >= 0.2

    async def test_drops_or_invents_usage(self, sandbox: Driver) -> None:
        """Answered 200 and never counted; counted and never sent."""
        meter = await sandbox.a_meter()
        customer = await sandbox.a_customer()
        await sandbox.fault("drop_meter_event", count=1)
        await sandbox.use(customer.id, "1")
        await sandbox.fault("extra_meter_event", count=1)
        await sandbox.use(customer.id, "10")
        planted = {"action": "extra", "customer": customer.id, "event_name": "resolution", "value": "100"}
        await sandbox.control("POST", "plant", **planted)
        await sandbox.use(customer.id, "1000", identifier="gone")
        await sandbox.quiet()
        await sandbox.control("POST", "plant", action="cancel", identifier="gone")

        params = {"customer": customer.id, "start_time": OCTOBER, "end_time": OCTOBER + 3600}
        rows = await sandbox.v1.billing.meters.event_summaries.list_async(meter.id, params)
        dump = await sandbox.control("GET", f"dump?customer={customer.id}")

        assert rows.data[0].aggregated_value == 120
        assert dump["meter_events"]["by_state"] == {"dropped": 1, "counted": 3, "cancelled": 1}

    async def test_strikes_where_and_as_often_as_it_was_told(self, sandbox: Driver) -> None:
        """By path, by count, by probability with a seed, and no more once it is switched off."""
        await sandbox.fault("rate_limit_429", path="/v1/products", count=2)
        statuses = [(await sandbox.raw("GET", path)).status_code for path in ["/v1/customers"] + ["/v1/products"] * 3]
        await sandbox.fault("rate_limit_429", probability=0.5, seed=7)
        half = [(await sandbox.raw("GET", "/v1/customers")).status_code for _ in range(20)]
        await sandbox.control("DELETE", "faults")
        after = [(await sandbox.raw("GET", "/v1/customers")).status_code for _ in range(5)]

        assert statuses == [200, 429, 429, 200]
        assert 3 <= half.count(429) <= 17
        assert after == [200] * 5


class TestLists:
    async def test_page_forwards_and_backwards(self, sandbox: Driver) -> None:
        """Newest first, by id."""
        made = [(await sandbox.a_customer(name=str(n))).id for n in range(7)]
        newest = made[::-1]

        first = await sandbox.v1.customers.list_async({"limit": 3})
        second = await sandbox.v1.customers.list_async({"limit": 3, "starting_after": newest[2]})
        back = await sandbox.v1.customers.list_async({"limit": 3, "ending_before": newest[4]})

        assert [c.id for c in first.data] == newest[:3]
        assert first.has_more
        assert [c.id for c in second.data] == newest[3:6]
        assert [c.id for c in back.data] == newest[1:4]
        assert back.has_more

    @pytest.mark.parametrize("limit", [0, 101, -1, "many"])
    async def test_refuse_an_absurd_limit(self, sandbox: Driver, limit: Any) -> None:
        """1 to 100."""
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await sandbox.v1.customers.list_async({"limit": limit})

        assert refused.value.code == "parameter_invalid_integer"

    async def test_leave_out_archived_products_where_active_ones_are_asked_for(self, sandbox: Driver) -> None:
        """And the other way round."""
        names = ("archived", "sold")
        archived, sold = [await sandbox.v1.products.create_async({"name": name}) for name in names]
        await sandbox.v1.products.update_async(archived.id, {"active": False})

        for wanted, kept in ((True, sold), (False, archived)):
            found = (await sandbox.v1.products.list_async({"active": wanted})).data
            assert [product.id for product in found] == [kept.id]

    async def test_find_prices_by_lookup_key(self, sandbox: Driver) -> None:
        """A key names one price; it moves only where that is asked for."""
        old = await sandbox.a_price(unit_amount=100, lookup_key="seat")
        with pytest.raises(stripe.InvalidRequestError):
            await sandbox.a_price(unit_amount=200, lookup_key="seat")
        new = await sandbox.a_price(unit_amount=200, lookup_key="seat", transfer_lookup_key=True)

        found = (await sandbox.v1.prices.list_async({"lookup_keys": ["seat", "other"]})).data

        assert [price.id for price in found] == [new.id]
        assert (await sandbox.v1.prices.retrieve_async(old.id)).lookup_key is None


async def test_expansion_goes_four_levels_deep(sandbox: Driver) -> None:
    """Ids become objects; what cannot be expanded is refused."""
    price = await sandbox.a_price(unit_amount=100)
    customer = await sandbox.a_customer()
    wanted = ["customer", "latest_invoice.customer", "items.data.price.product"]
    subscription = await sandbox.a_subscription(customer.id, {"price": price.id}, expand=wanted)

    assert subscription.customer.email == "pay@acme.example"
    assert subscription.latest_invoice.customer.id == customer.id
    assert subscription["items"].data[0].price.product.name == "Resolution"
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        await sandbox.v1.customers.retrieve_async(customer.id, {"expand": ["aunt"]})
    with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels"):
        await sandbox.v1.customers.retrieve_async(customer.id, {"expand": ["a.b.c.d.e"]})


class TestRefusals:
    async def test_of_unknown_paths_are_stripes_own(self, sandbox: Driver) -> None:
        """404 with its sentence and a request id."""
        nowhere = await sandbox.raw("GET", "/v1/charges")

        assert nowhere.status_code == 404
        assert nowhere.json()["error"]["message"].startswith("Unrecognized request URL (GET: /v1/charges).")
        assert nowhere.headers["Request-Id"].startswith("req_")

    @pytest.mark.parametrize(
        ("path", "params", "code", "param"),
        [
            ("/v1/prices", {"product": "prod_x"}, "parameter_missing", "currency"),
            ("/v1/prices", {"currency": "usd", "product": "prod_x"}, "resource_missing", "product"),
            ("/v1/customers", {"invoice_settings[colour]": "red"}, "parameter_unknown", "invoice_settings[colour]"),
            ("/v1/subscriptions", {"customer": "cus_x", "items[0][price]": "p"}, "resource_missing", "customer"),
            ("/v1/subscriptions", {"customer": "cus_x", "days_until_due": "x"}, "parameter_invalid_integer", None),
            ("/v1/customers", {"source": "tok_visa"}, "sandbox_unsupported", "source"),
        ],
    )
    async def test_name_the_parameter(
        self, sandbox: Driver, path: str, params: dict[str, str], code: str, param: str | None
    ) -> None:
        """By Stripe's codes; what Stripe takes and the sandbox does not is said plainly."""
        answer = await sandbox.raw("POST", path, data=params)

        error = answer.json()["error"]
        assert answer.status_code in (400, 404)
        assert error["code"] == code
        assert param is None or error["param"] == param

    @pytest.mark.parametrize(
        ("body", "headers"),
        [
            (b"\xff\xfe=1", {}),
            (b"a" * 1_100_000, {}),
            (b"metadata" + b"[a]" * 5000 + b"=1", {}),
            (b"metadata=1&metadata[a]=2", {}),
            (b"metadata[a]=1&metadata=2", {}),
            (b"name[]=1&name[][]=2", {}),
            (b"%00%ff%00=%zz", {}),
            (b"event_name=a&identifier=%00&payload[value]=1&payload[stripe_customer_id]=c", {}),
            (b"name=" + "\u202e\U0001f600".encode() * 3000, {}),
            (b"name=A", {"Idempotency-Key": "k" * 300}),
        ],
    )
    async def test_of_broken_bodies_are_never_a_500(
        self, sandbox: Driver, body: bytes, headers: dict[str, str]
    ) -> None:
        """4xx with an error body."""
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for path in ("/v1/customers", "/v1/billing/meter_events", "/v1/subscriptions"):
            answer = await sandbox.raw("POST", path, content=body, headers={**form, **headers})
            assert 400 <= answer.status_code < 500
            assert "error" in answer.json()

    @pytest.mark.parametrize("body", [b"[]", b"{", b'"x"', b'{"name":{}}', b"[" * 100_000])
    async def test_of_broken_json_are_never_a_500(self, sandbox: Driver, body: bytes) -> None:
        """v2 speaks JSON."""
        headers = {"Stripe-Version": "2026-10-28.endive"}
        answer = await sandbox.raw("POST", "/v2/core/event_destinations", content=body, headers=headers)

        assert answer.status_code == 400


class TestTheClock:
    async def test_never_goes_back(self, sandbox: Driver) -> None:
        """409 and it stays."""
        answer = await sandbox.http.post("/_sandbox/clock/advance", json={"to": "2026-09-30T23:59:59Z"})

        assert (answer.status_code, answer.json()["code"]) == (409, "clock_never_goes_back")
        assert (await sandbox.control("GET", "clock"))["now"] == "2026-10-01T00:00:00Z"

    async def test_tells_of_a_step_as_soon_as_it_is_taken(self, sandbox: Driver) -> None:
        """A long poll returns with the new version; without a step it returns after its wait."""
        now = await sandbox.control("GET", "clock")
        waiting = asyncio.create_task(sandbox.control("GET", f"clock?newer_than={now['version']}&wait_s=10"))
        await asyncio.sleep(0)
        await sandbox.advance("2026-10-01T00:00:00.5Z")
        moved = await waiting
        same = await sandbox.control("GET", f"clock?newer_than={moved['version']}&wait_s=0.05")

        assert moved == {"now": "2026-10-01T00:00:00.500000Z", "version": now["version"] + 1}
        assert same == moved

    async def test_is_real_time_until_it_is_set(self, sandbox: Driver) -> None:
        """After a reset there is no business time, and Stripe's side goes by the machine's."""
        await sandbox.control("POST", "reset")
        customer = await sandbox.a_customer()

        assert (await sandbox.control("GET", "clock"))["now"] is None
        assert abs(customer.created - time.time()) < 60


async def test_quiet_says_what_is_left(sandbox: Driver) -> None:
    """Business time that has not come is not quiet."""
    later = (await sandbox.http.get("/quiet", params={"at": "2026-10-01T00:00:01Z"})).json()
    now = (await sandbox.http.get("/quiet", params={"at": "2026-10-01T00:00:00Z"})).json()

    assert later == {"quiet": False, "waiting_for": ["business time"]}
    assert now == {"quiet": True, "waiting_for": []}
