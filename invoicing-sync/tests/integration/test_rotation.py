"""Stripe's keys and webhook secrets are replaced while usage and webhooks flow: nothing lost, nothing refused."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import stripe

from invoicing_sync.testing import START, a_charge, a_contract

pytestmark = pytest.mark.integration
CUSTOMERS = [f"customer-{number}" for number in range(10)]


@pytest.fixture
async def account(world: Any) -> AsyncIterator[Any]:
    """A sandbox that takes only the keys that the test gives it."""

    async def take(*keys: str) -> None:
        answer = await world.http.post(f"{world.sandbox_url}/_sandbox/keys", json={"keys": list(keys)})
        assert answer.status_code == 200, answer.text

    yield take
    await take()


def replace(file: Path, *lines: str) -> None:
    """As a secrets manager does it: the new file takes the old one's place in one move."""
    draft = file.with_suffix(".new")
    draft.write_text("".join(f"{line}\n" for line in lines))
    draft.replace(file)


async def roll(world: Any, *, overlap_s: float) -> list[str]:
    order = {"url": f"{world.door_url}/v1/webhooks/stripe", "overlap_s": overlap_s}
    answer = await world.http.post(f"{world.sandbox_url}/_sandbox/webhooks/roll", json=order)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["secrets"])


async def metric(world: Any, line: str) -> float:
    text = (await world.http.get(f"{world.door_url}/metrics")).text
    return sum(float(row.rpartition(" ")[2]) for row in text.splitlines() if row.startswith(line))


async def ready(world: Any, **changes: str) -> None:
    await world.start_door(SWEEP_S="600", **changes)
    await world.apply(*(a_contract(customer) for customer in CUSTOMERS))
    await world.move(START + timedelta(hours=1))


async def delivered(world: Any) -> dict[str, int]:
    rows = await world.rows("SELECT state, count(*) AS n FROM invoicing.deliveries GROUP BY state")
    return {row["state"]: row["n"] for row in rows}


async def test_keys_are_replaced_under_load_without_a_lost_or_refused_message(
    world: Any, account: Any, tmp_path: Path
) -> None:
    file = tmp_path / "stripe-keys"
    keys = ["sk_test_settled", "sk_test_second", "sk_test_third"]
    replace(file, keys[0])
    await ready(world, STRIPE_API_KEY="", STRIPE_API_KEY_FILE=str(file))
    cases = len(await world.rows("SELECT 1 FROM invoicing.cases"))  # about first periods, from the contracts
    rotated = asyncio.Event()

    flow = asyncio.create_task(_usage_until(world, rotated))
    for refused, (old, new) in enumerate(itertools.pairwise(keys), 1):
        await account(old, new)
        replace(file, old, new)
        await account(new)  # the old one is gone at once, in the middle of the flow
        await world.until(lambda refused=refused: _logged(world, "Stripe refuses a key", times=refused))
        replace(file, new)
    rotated.set()
    sent = await flow
    await world.until(lambda: _all(world, sent), within_s=60)

    await account()
    usage = [event for customer in CUSTOMERS for event in (await world.dump(customer))["usage"]]
    assert sent >= 600
    assert await delivered(world) == {"delivered": sent}
    assert sum(event["state"] == "counted" for event in usage) == sent
    assert len(await world.rows("SELECT 1 FROM invoicing.cases")) == cases
    assert await metric(world, 'settled_door_stripe_calls_total{call="meter_event",outcome="accepted"}') == sent
    for outcome in ("barred", "refused", "duplicate", "unclear"):
        assert await metric(world, f'settled_door_stripe_calls_total{{call="meter_event",outcome="{outcome}"}}') == 0
    assert not any(key in (world.logs / "door.log").read_text() for key in keys)


async def _usage_until(world: Any, over: asyncio.Event) -> int:
    """Charges in rounds of fifty, each when the last but two is delivered, until it is over; how many they were."""
    rounds = 0
    while rounds < 12 or not over.is_set():
        charges = []
        for number in range(rounds * 50, rounds * 50 + 50):
            customer, at = CUSTOMERS[number % len(CUSTOMERS)], START + timedelta(minutes=5)
            charges.append(a_charge(f"e{number}", seq=number + 1, at=at, customer=customer))
        await world.rate(*charges)
        rounds += 1
        await world.until(lambda least=rounds * 50 - 100: _all(world, least))
    return rounds * 50


async def _all(world: Any, count: int) -> bool:
    return (await delivered(world)).get("delivered", 0) >= count


async def test_a_key_that_comes_after_the_old_one_is_gone_is_taken_without_a_restart(
    world: Any, account: Any, tmp_path: Path
) -> None:
    file = tmp_path / "stripe-keys"
    replace(file, "sk_test_settled")
    await ready(world, STRIPE_API_KEY="", STRIPE_API_KEY_FILE=str(file))
    await account("sk_test_second")
    replace(file, "sk_test_second")

    await world.rate(a_charge("late", seq=1, at=START, customer=CUSTOMERS[0]))
    await world.until(lambda: _all(world, 1))

    await account()
    assert await world.counted(CUSTOMERS[0]) != {}


async def test_webhook_secrets_are_rolled_under_load_without_a_lost_or_refused_event(
    world: Any, tmp_path: Path
) -> None:
    file = tmp_path / "webhook-secrets"
    replace(file, "whsec_of_nobody")
    await ready(world, STRIPE_WEBHOOK_SECRET_FILE=str(file))
    stripe_customer = (await world.ask(f"/v1/contracts/{CUSTOMERS[0]}"))["stripe_customer"]
    before = len(await world.rows("SELECT 1 FROM invoicing.webhooks"))
    old = [row["secret"] for row in await world.rows("SELECT secret FROM invoicing.stripe_links WHERE secret <> ''")]

    rotated = asyncio.Event()

    flow = asyncio.create_task(_events_until(world, stripe_customer, rotated))
    await world.until(lambda: _stored(world, before + 50))
    rolled = await roll(world, overlap_s=3600)  # there first: a person learns the new secret by rolling
    await world.until(lambda: _stored(world, before + 100))
    replace(file, *rolled)
    await world.until(lambda: _logged(world, "secrets were read again"))
    forgot = await asyncio.to_thread(_run, "forget-webhook-secrets", world, STRIPE_WEBHOOK_SECRET_FILE=str(file))
    rotated.set()
    told = await flow
    await world.until(lambda: _stored(world, before + told))

    assert told >= 300
    assert len(old) == len(rolled) == 2
    assert forgot == "2 secrets forgotten\n"
    assert await metric(world, 'settled_door_webhooks_total{outcome="forged"}') == 0
    assert await metric(world, "settled_door_lost_webhooks_total") == 0
    assert (await world.stripe("/v1/events", delivery_success="false"))["data"] == []
    assert not any(secret in (world.logs / "door.log").read_text() for secret in [*old, *rolled])
    await world.until(lambda: _refused(world, old[0]))
    assert not await _refused(world, rolled[0])


async def _events_until(world: Any, stripe_customer: str, over: asyncio.Event) -> int:
    """Changes of a customer, each of which Stripe tells by a webhook, until it is over; how many they were."""
    told = 0
    while told < 300 or not over.is_set():
        answer = await world.stripe_post(f"/v1/customers/{stripe_customer}", **{"metadata[told]": str(told)})
        assert answer.status_code == 200, answer.text
        told += 1
    return told


async def test_the_last_secret_is_not_forgotten(world: Any) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        await asyncio.to_thread(_run, "forget-webhook-secrets", world)

    assert refused.value.returncode == 3
    assert refused.value.stderr == (
        "STRIPE_WEBHOOK_SECRET is not set: without it no webhook would be taken; set the new secret\n"
    )


async def _stored(world: Any, count: int) -> bool:
    return len(await world.rows("SELECT 1 FROM invoicing.webhooks")) >= count


async def _logged(world: Any, sentence: str, *, times: int = 1) -> bool:
    return (world.logs / "door.log").read_text().count(sentence) >= times


async def _refused(world: Any, secret: str) -> bool:
    """Whether the door refuses an event that is signed by this secret alone."""
    event = {"id": "evt_own", "object": "event", "type": "customer.updated", "created": 1_790_000_000}
    body = json.dumps(event | {"data": {"object": {}}})
    header = stripe.WebhookSignature.generate_signature_header(body, secret, int(time.time()))
    answer = await world.http.post(
        f"{world.door_url}/v1/webhooks/stripe", content=body, headers={"Stripe-Signature": header}
    )
    return bool(answer.status_code == 400)


def _run(command: str, world: Any, **changes: str) -> str:
    """A command of the door; what it printed."""
    env = os.environ | world.env | world.door_env(**changes)
    done = subprocess.run(
        [sys.executable, "-m", "invoicing_sync", command], env=env, capture_output=True, text=True, check=True
    )
    return done.stdout
