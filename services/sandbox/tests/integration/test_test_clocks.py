"""Stripe's test clocks, by the official SDK: some customers' own time, beside the account's."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from embedded_stack.processes import Services
from sandbox.testing import OCTOBER, Driver, until

DAY = 86_400
SEPTEMBER = OCTOBER - 30 * DAY


async def a_clock(sandbox: Driver, at: int = SEPTEMBER, **more: Any) -> Any:
    """A test clock, which stands a month before the account's time."""
    return await sandbox.v1.test_helpers.test_clocks.create_async({"frozen_time": at, "name": "check", **more})


async def until_ready(sandbox: Driver, clock: str) -> None:
    """Return once a test clock has arrived."""
    retrieve = sandbox.v1.test_helpers.test_clocks.retrieve_async

    async def is_ready() -> bool:
        return bool((await retrieve(clock)).status == "ready")

    await until(is_ready)


async def advance(sandbox: Driver, clock: Any, to: int) -> None:
    """Advance a test clock and wait until it is ready."""
    clocks = sandbox.v1.test_helpers.test_clocks
    begun = await clocks.advance_async(clock.id, {"frozen_time": to})
    assert begun.status == "advancing"

    await until_ready(sandbox, clock.id)


class TestATestClock:
    async def test_is_the_time_of_what_belongs_to_it(self, sandbox: Driver) -> None:
        """Customer, subscription and invoice bear its time, the product beside them the account's."""
        clock = await a_clock(sandbox)
        customer = await sandbox.a_customer(test_clock=clock.id)
        price = await sandbox.a_price(unit_amount=900)
        subscription = await sandbox.a_subscription(customer.id, {"price": price.id})
        (invoice,) = await sandbox.invoices(customer.id)

        assert (customer.created, subscription.created, invoice.created) == (SEPTEMBER,) * 3
        assert subscription["items"].data[0].current_period_start == SEPTEMBER
        assert (customer.test_clock, subscription.test_clock, invoice.test_clock) == (clock.id,) * 3
        assert price.created == OCTOBER
        assert clock.deletes_after == OCTOBER + 30 * DAY

    async def test_ends_its_periods_and_finalises_its_drafts_when_it_is_advanced(self, sandbox: Driver) -> None:
        """Usage of its period is on its invoice; the draft's hour runs on it too; the account's time stands."""
        clock, meter = await a_clock(sandbox), await sandbox.a_meter()
        customer = await sandbox.a_customer(test_clock=clock.id)
        price = await sandbox.a_price(meter.id, unit_amount=99)
        await sandbox.a_subscription(customer.id, {"price": price.id})
        await sandbox.use(customer.id, "3", at=SEPTEMBER + DAY)

        await advance(sandbox, clock, OCTOBER + 60)
        (draft,) = await sandbox.invoices(customer.id)
        await advance(sandbox, clock, OCTOBER + 3600)
        (open_,) = await sandbox.invoices(customer.id)

        assert (draft.status, draft.created, draft.period_start, draft.period_end) == (
            "draft",
            OCTOBER,
            SEPTEMBER,
            OCTOBER,
        )
        assert (open_.status, open_.total, open_.status_transitions.finalized_at) == ("open", 297, OCTOBER + 3600)
        assert (await sandbox.control("GET", "clock"))["now"].startswith("2026-10-01T00:00:00")

    async def test_is_not_moved_by_the_account_and_does_not_move_it(self, sandbox: Driver) -> None:
        """The account's month ends: customers without a clock are billed, those on one are not."""
        clock, price = await a_clock(sandbox, OCTOBER), await sandbox.a_price(unit_amount=900)
        on_clock, beside = await sandbox.a_customer(test_clock=clock.id), await sandbox.a_customer()
        for customer in (on_clock, beside):
            await sandbox.a_subscription(customer.id, {"price": price.id})

        await sandbox.advance("2026-11-01T00:00:00Z")

        assert len(await sandbox.invoices(on_clock.id)) == 1
        assert len(await sandbox.invoices(beside.id)) == 2

    async def test_goes_forward_only_and_two_intervals_at_most(self, sandbox: Driver) -> None:
        """Of its shortest running subscription; two years where it has none."""
        clock, price = await a_clock(sandbox), await sandbox.a_price(unit_amount=900)
        clocks = sandbox.v1.test_helpers.test_clocks
        for refused in (SEPTEMBER, SEPTEMBER - 1, SEPTEMBER + 732 * DAY):
            with pytest.raises(stripe.InvalidRequestError):
                await clocks.advance_async(clock.id, {"frozen_time": refused})
        customer = await sandbox.a_customer(test_clock=clock.id)
        await sandbox.a_subscription(customer.id, {"price": price.id})
        with pytest.raises(stripe.InvalidRequestError, match="two intervals"):
            await clocks.advance_async(clock.id, {"frozen_time": OCTOBER + 32 * DAY})

        await advance(sandbox, clock, OCTOBER + 31 * DAY)

        assert len(await sandbox.invoices(customer.id)) == 3

    async def test_has_place_for_three_customers_with_three_subscriptions_each(self, sandbox: Driver) -> None:
        """The fourth of either is refused."""
        clock, price = await a_clock(sandbox), await sandbox.a_price(unit_amount=900)
        customers = [await sandbox.a_customer(test_clock=clock.id) for _ in range(3)]
        for _ in range(3):
            await sandbox.a_subscription(customers[0].id, {"price": price.id})

        with pytest.raises(stripe.InvalidRequestError, match="3 customers"):
            await sandbox.a_customer(test_clock=clock.id)
        with pytest.raises(stripe.InvalidRequestError, match="3 subscriptions"):
            await sandbox.a_subscription(customers[0].id, {"price": price.id})

    async def test_takes_no_change_while_it_advances(self, sandbox: Driver) -> None:
        """Stripe's 429; reading goes on."""
        clock, price = await a_clock(sandbox), await sandbox.a_price(unit_amount=900)
        customer = await sandbox.a_customer(test_clock=clock.id)
        move = sandbox.v1.test_helpers.test_clocks.advance_async
        change = sandbox.v1.customers.update_async

        said: list[str] = []
        for step in range(1, 200):  # it takes some 20 ms: sooner or later a change falls into that time
            await move(clock.id, {"frozen_time": SEPTEMBER + step})
            try:
                await change(customer.id, {"name": str(step)})
            except stripe.RateLimitError as refused:
                said.append(str(refused))
                break
            await until_ready(sandbox, clock.id)
        assert "advancement underway" in said[0]
        await until_ready(sandbox, clock.id)
        assert (await sandbox.a_subscription(customer.id, {"price": price.id})).status == "active"
        assert (await sandbox.v1.customers.retrieve_async(customer.id)).id == customer.id

    async def test_takes_its_customers_with_it_when_it_is_deleted(self, sandbox: Driver) -> None:
        """And ends their subscriptions; it is found no more."""
        clock, price = await a_clock(sandbox), await sandbox.a_price(unit_amount=900)
        customer = await sandbox.a_customer(test_clock=clock.id)
        subscription = await sandbox.a_subscription(customer.id, {"price": price.id})

        await sandbox.v1.test_helpers.test_clocks.delete_async(clock.id)

        assert (await sandbox.v1.customers.retrieve_async(customer.id)).deleted
        assert (await sandbox.v1.subscriptions.retrieve_async(subscription.id)).status == "canceled"
        assert (await sandbox.v1.test_helpers.test_clocks.list_async()).data == []
        with pytest.raises(stripe.InvalidRequestError, match="No such test_clock"):
            await sandbox.v1.test_helpers.test_clocks.retrieve_async(clock.id)

    async def test_deletes_itself_after_thirty_days(self, sandbox: Driver) -> None:
        """Of the account's time."""
        clock = await a_clock(sandbox)
        customer = await sandbox.a_customer(test_clock=clock.id)

        await sandbox.advance("2026-10-30T23:59:59Z")
        before = (await sandbox.v1.test_helpers.test_clocks.list_async()).data
        await sandbox.advance("2026-10-31T00:00:00Z")

        assert [each.id for each in before] == [clock.id]
        assert (await sandbox.v1.test_helpers.test_clocks.list_async()).data == []
        assert (await sandbox.v1.customers.retrieve_async(customer.id)).deleted

    async def test_hides_its_customers_from_lists_that_do_not_name_it(self, sandbox: Driver) -> None:
        """As documented for customers and subscriptions."""
        clock, price = await a_clock(sandbox), await sandbox.a_price(unit_amount=900)
        customer = await sandbox.a_customer(test_clock=clock.id)
        subscription = await sandbox.a_subscription(customer.id, {"price": price.id})
        v1, on_it = sandbox.v1, {"test_clock": clock.id}

        assert (await v1.customers.list_async()).data == []
        assert (await v1.subscriptions.list_async()).data == []
        assert [each.id for each in (await v1.customers.list_async(on_it)).data] == [customer.id]
        assert [each.id for each in (await v1.subscriptions.list_async(on_it)).data] == [subscription.id]

    async def test_goes_on_after_a_crash_in_the_middle_of_an_advance(self, sandbox: Driver, services: Services) -> None:
        """What was due is done once, and the clock is ready at its end."""
        clock, price = await a_clock(sandbox), await sandbox.a_price(unit_amount=900)
        customer = await sandbox.a_customer(test_clock=clock.id)
        await sandbox.a_subscription(customer.id, {"price": price.id})
        clocks = sandbox.v1.test_helpers.test_clocks
        await clocks.advance_async(clock.id, {"frozen_time": OCTOBER + 60})
        services.kill("sandbox")
        services.restart("sandbox")
        services.wait_ready("sandbox")

        async def is_ready() -> bool:
            found = await clocks.retrieve_async(clock.id, {}, {"max_network_retries": 2})
            return bool(found.status == "ready" and found.frozen_time == OCTOBER + 60)

        await until(is_ready)
        assert [invoice.created for invoice in await sandbox.invoices(customer.id)] == [OCTOBER, SEPTEMBER]
