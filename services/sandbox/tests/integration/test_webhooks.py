"""Events and webhooks: signed, retried, sometimes lost, doubled or out of order, and always listed."""

from __future__ import annotations

import asyncio
import json

import pytest
import stripe

from embedded_stack.processes import Services
from sandbox.testing import Driver, Receiver, until


async def listen(sandbox: Driver, receiver: Receiver, *types: str) -> str:
    """An endpoint for these types; its secret."""
    params = {"url": receiver.url, "enabled_events": list(types)}
    return str((await sandbox.v1.webhook_endpoints.create_async(params)).secret)


async def test_carry_signed_snapshots_of_what_was_asked_for(sandbox: Driver, receiver: Receiver) -> None:
    """The SDK verifies them; a forged body fails; other types stay away; the secret is shown once."""
    secret = await listen(sandbox, receiver, "customer.created", "customer.updated")
    customer = await sandbox.a_customer()
    await sandbox.v1.customers.update_async(customer.id, {"name": "Acme Ltd"})
    await sandbox.v1.products.create_async({"name": "quiet"})
    await sandbox.quiet()

    events = {e.type: e for e in (sandbox.sdk.construct_event(body, sign, secret) for body, sign in receiver.got)}

    assert set(events) == {"customer.created", "customer.updated"}
    assert events["customer.created"].data.object["name"] == "Acme"
    assert events["customer.updated"].data.object["name"] == "Acme Ltd"
    assert receiver.events[-1]["data"].get("previous_attributes") in (None, {"name": "Acme"})
    assert events["customer.created"].api_version == "2026-10-28.endive"
    body, sign = receiver.got[0]
    with pytest.raises(stripe.SignatureVerificationError):
        sandbox.sdk.construct_event(body.replace(b"Acme", b"Evil"), sign, secret)
    (listed,) = (await sandbox.v1.webhook_endpoints.list_async()).data
    assert getattr(listed, "secret", None) is None


async def test_are_tried_again_until_they_are_answered_2xx(sandbox: Driver, receiver: Receiver) -> None:
    """A redirect or error is no answer; the event counts as pending so long."""
    receiver.answers = [500, 302, 404]
    await listen(sandbox, receiver, "customer.created")
    await sandbox.a_customer()
    pending = (await sandbox.v1.events.list_async({"delivery_success": False})).data
    await sandbox.quiet()
    delivered = (await sandbox.v1.events.list_async({"delivery_success": True})).data

    assert [event.pending_webhooks for event in pending] == [1]
    assert receiver.types == ["customer.created"] * 4
    assert len({event["id"] for event in receiver.events}) == 1
    assert [event.pending_webhooks for event in delivered] == [0]


async def test_are_given_up_and_found_in_the_list(sandbox: Driver, receiver: Receiver) -> None:
    """What an endpoint never took is what `delivery_success=false` is for."""
    receiver.answers = [503] * 50
    await listen(sandbox, receiver, "customer.created")
    customer = await sandbox.a_customer()
    await sandbox.quiet()

    (lost,) = (await sandbox.v1.events.list_async({"delivery_success": False})).data

    assert lost.data.object["id"] == customer.id
    assert len(receiver.got) == 6  # the tries of this sandbox's settings


async def test_go_on_after_a_crash(sandbox: Driver, receiver: Receiver, services: Services) -> None:
    """Deliveries are rows: killed between two tries, the sandbox goes on."""
    receiver.answers = [500]
    await listen(sandbox, receiver, "customer.created")
    customer = await sandbox.a_customer()
    services.kill("sandbox")
    services.restart("sandbox")
    services.wait_ready("sandbox")

    async def came() -> bool:
        return len(receiver.got) >= 1 and not receiver.answers

    await until(came)
    await sandbox.quiet()

    assert receiver.events[-1]["data"]["object"]["id"] == customer.id


class TestOnABadDay:
    async def test_one_is_lost_and_only_the_list_has_it(self, sandbox: Driver, receiver: Receiver) -> None:
        """Stripe thinks that it was delivered."""
        await listen(sandbox, receiver, "customer.created")
        await sandbox.fault("webhook_lost", count=1)
        lost, kept = await sandbox.a_customer(), await sandbox.a_customer()
        await sandbox.quiet()

        listed = (await sandbox.v1.events.list_async({"type": "customer.created"})).data

        assert [event["data"]["object"]["id"] for event in receiver.events] == [kept.id]
        assert {event.data.object["id"] for event in listed} == {lost.id, kept.id}

    async def test_one_comes_twice(self, sandbox: Driver, receiver: Receiver) -> None:
        """The same event id."""
        await listen(sandbox, receiver, "customer.created")
        await sandbox.fault("webhook_doubled", count=1)
        await sandbox.a_customer()
        await sandbox.quiet()

        first, second = receiver.events
        assert first["id"] == second["id"]

    async def test_some_come_backwards(self, sandbox: Driver, receiver: Receiver) -> None:
        """The last first."""
        await listen(sandbox, receiver, "customer.created")
        await sandbox.fault("webhook_backwards", count=4)
        await asyncio.gather(*(sandbox.a_customer() for _ in range(4)))
        await sandbox.quiet()

        newest_first = [event.id for event in (await sandbox.v1.events.list_async({"type": "customer.created"})).data]
        assert [event["id"] for event in receiver.events] == newest_first


async def test_events_are_listed_newest_first_and_filtered(sandbox: Driver) -> None:
    """By type, by types, by a wildcard, by time; a page at a time; for 30 days."""
    for _ in range(3):
        await sandbox.a_customer()
    await sandbox.v1.products.create_async({"name": "P"})
    await sandbox.advance("2026-10-02T00:00:00Z")
    await sandbox.v1.products.create_async({"name": "Q"})
    events = sandbox.v1.events

    newest = (await events.list_async({"limit": 2})).data
    wild = (await events.list_async({"type": "customer.*"})).data
    several = (await events.list_async({"types": ["product.created", "price.created"]})).data
    today = (await events.list_async({"created": {"gte": 1_790_899_200}})).data
    paged = [event.id async for event in (await events.list_async({"limit": 2})).auto_paging_iter()]
    retrieved = await events.retrieve_async(paged[0])
    await sandbox.advance("2026-11-02T00:00:00Z")
    later = (await events.list_async()).data

    assert [event.type for event in newest] == ["product.created", "product.created"]
    assert (len(wild), len(several), len(today), len(set(paged))) == (3, 2, 1, 5)
    assert json.loads(str(retrieved))["data"]["object"]["name"] == "Q"
    assert later == []
