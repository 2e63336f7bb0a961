"""What we assume of Stripe, tried on the sandbox in both positions of each of its switches."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from chassis.testing import HouseKeys
from invoicing_sync.assumptions.bench import Away, Bench
from invoicing_sync.assumptions.check import METERING, SELLING, check
from invoicing_sync.assumptions.cleaning import clean
from invoicing_sync.assumptions.domain.catalogue import ASSUMPTIONS
from invoicing_sync.assumptions.domain.findings import Finding, Verdict
from invoicing_sync.stripe_door.client import Pace
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.secrets import ApiKeys, Secrets
from invoicing_sync.testing import START, a_contract
from sandbox.stripe.answers import choices

pytestmark = pytest.mark.integration
KEY = "sk_test_check"
SWITCHES = {one.switch: one.number for one in ASSUMPTIONS.values() if one.switch}
CANNOT_BE_TRIED = {"finalising": {"A4"}}  # what is collected at once cannot be collected while drafts are kept
NUMBERS = {trials: tuple(n for one in trials for n in one.numbers) for trials in (METERING, SELLING)}
SOLD = sorted(choices(selling=True).keys() - choices())
FAST = Pace(calls_per_second=2000, meter_events_per_second=2000, retry_cap_s=0.5)


def a_bench(url: str, run: str) -> Bench:
    door = StripeDoor(ApiKeys(Secrets("STRIPE_API_KEY", KEY, None)), base_url=url, pace=FAST)
    return Bench(door, run, patience_s=3, say=lambda _: None)


@pytest.fixture
async def account(sandbox: str, house_keys: HouseKeys) -> AsyncIterator[Any]:
    """The sandbox as an account of its own, by real time, with all switches as we assume them."""
    async with httpx.AsyncClient(base_url=sandbox, headers=house_keys.header, timeout=30) as http:
        (await http.post("/_sandbox/reset")).raise_for_status()
        (await http.post("/_sandbox/answers", json=assumed())).raise_for_status()
        yield http
        await http.post("/_sandbox/keys", json={"keys": []})
        violations = (await http.get("/_sandbox/conformance")).json()["violations"]
        await http.post("/_sandbox/reset")
    assert violations == []


def assumed() -> dict[str, str]:
    return {name: values[0] for name, values in choices(selling=True).items()}


async def tried(url: str, *, run: str = "r1", only: tuple[str, ...] = ()) -> list[Finding]:
    """All findings of a run; nothing may be left of it."""
    bench = a_bench(url, run)
    await bench.door.open()
    try:
        findings, left = await check(bench, only)
    finally:
        await bench.door.close()
    assert left == []
    return findings


async def leftovers(account: Any) -> list[str]:
    """What is there of any run: clocks, running subscriptions, active meters, prices and products."""
    headers = {"Authorization": f"Bearer {KEY}"}
    paths = (
        "/v1/test_helpers/test_clocks?",
        "/v1/billing/meters?status=active",
        "/v1/products?active=true",
        "/v1/prices?active=true",
        "/v1/customers?",
        "/v1/subscriptions?",
        "/v1/coupons?",
    )
    answers = [(await account.get(path, headers=headers)).json()["data"] for path in paths]
    return [row["id"] for rows in answers for row in rows]


def fallen(findings: list[Finding]) -> dict[str, str]:
    return {one.number: f"{one.verdict}: {one.seen}" for one in findings if one.verdict is not Verdict.HOLDS}


async def test_all_of_them_hold_and_nothing_is_left(account: Any) -> None:
    """Each number once, with what was seen."""
    findings = await tried(str(account.base_url))

    assert fallen(findings) == {}
    assert [one.number for one in findings] == list(ASSUMPTIONS)
    assert all(one.seen for one in findings)
    assert await leftovers(account) == []


@pytest.mark.parametrize("switch", [*choices(), *SOLD])
async def test_a_turned_switch_is_named_by_its_number_and_by_no_other(account: Any, switch: str) -> None:
    """Every switch that the sandbox has, from its own list: a new one without an assumption fails here."""
    (other,) = set(choices(selling=True)[switch]) - {assumed()[switch]}
    (await account.post("/_sandbox/answers", json={switch: other})).raise_for_status()

    found = fallen(await tried(str(account.base_url), only=NUMBERS[SELLING if switch in SOLD else METERING]))

    assert [number for number, said in found.items() if said.startswith("differs: ")] == [SWITCHES[switch]]
    assert found.keys() - {SWITCHES[switch]} == CANNOT_BE_TRIED.get(switch, set())
    assert await leftovers(account) == []


async def test_only_what_is_asked_for_is_tried(account: Any) -> None:
    """One number: no month has to pass."""
    findings = await tried(str(account.base_url), only=("A19",))

    assert [one.number for one in findings] == ["A19"]


async def test_what_cannot_be_tried_to_its_end_is_unknown_with_the_reason(account: Any) -> None:
    """Stripe's part fails in the middle of the month: what was seen stands, the rest is unknown, all is cleaned."""
    order = {"kind": "error_500_before_commit", "path": "/v1/test_helpers/test_clocks/", "count": 1}
    (await account.post("/_sandbox/faults", json=order)).raise_for_status()

    findings = await tried(str(account.base_url))
    await account.delete("/_sandbox/faults")

    found = fallen(findings)
    assert set(found) == {"A1", "A2", "A3", "A4", "A5", "A9", "A10", "A11", "A13", "A16", "A17", "A20"}
    assert all(
        seen == "unknown: not tried to its end: Stripe answered a call by an error of its own"
        for seen in found.values()
    )
    assert await leftovers(account) == []


async def test_an_account_that_is_away_is_said_before_anything_is_made() -> None:
    """With a sentence."""
    with pytest.raises(Away, match="asked 3 times and gave no answer"):
        await tried("http://127.0.0.1:9")


async def test_a_key_that_the_account_does_not_know_is_said_before_anything_is_made(account: Any) -> None:
    """In Stripe's own words, which show its ends only."""
    (await account.post("/_sandbox/keys", json={"keys": ["sk_test_another"]})).raise_for_status()

    with pytest.raises(Away, match="does not take the key: Invalid API Key provided"):
        await tried(str(account.base_url))


async def run_command(url: str, *arguments: str) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "invoicing_sync", "check-stripe", "--base-url", url, "--patience", "3", *arguments]
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "STRIPE_API_KEY": KEY},
        stdout=pipe,
        stderr=pipe,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background shell's children ignore it
    )


async def test_an_interrupted_run_cleans_up(account: Any) -> None:
    """Ctrl-C while the month is under way, which slow invoices keep it for long enough."""
    slow = {"kind": "slow", "path": "/v1/invoices", "delay_ms": 1000}
    (await account.post("/_sandbox/faults", json=slow)).raise_for_status()
    process = await run_command(str(account.base_url))
    assert process.stderr is not None
    async with asyncio.timeout(60):
        while b"advancing" not in await process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        said = await process.stderr.read()
        code = await process.wait()

    await account.delete("/_sandbox/faults")
    assert code == 130
    assert b"cleaned up" in said
    assert await leftovers(account) == []


async def test_what_a_killed_run_left_goes_with_clean(account: Any) -> None:
    """kill -9, then `--clean`; what is not a run's stays."""
    kept = await account.post("/v1/products", data={"name": "theirs"}, headers={"Authorization": f"Bearer {KEY}"})
    process = await run_command(str(account.base_url))
    assert process.stderr is not None
    async with asyncio.timeout(60):
        while b"advancing" not in await process.stderr.readline():
            pass
        process.kill()
        await process.wait()
    assert len(await leftovers(account)) > 1

    cleaning = await run_command(str(account.base_url), "--clean", "--json")
    said, _ = await cleaning.communicate()

    assert (cleaning.returncode, json.loads(said)) == (0, {"findings": [], "left_behind": []})
    assert await leftovers(account) == [kept.json()["id"]]


async def test_one_run_leaves_another_runs_objects_alone(account: Any) -> None:
    """Cleaning goes by the run's name."""
    bench = a_bench(str(account.base_url), "other")
    await bench.door.open()
    await bench.begin()
    await bench.clock(bench.now)

    await tried(str(account.base_url), run="mine", only=("A18",))
    there = len(await leftovers(account))
    left = await clean(bench, "other")
    await bench.door.close()

    assert (there, left) == (2, [])
    assert await leftovers(account) == []


async def test_a_door_at_work_on_the_same_account_is_not_disturbed(world: Any) -> None:
    """It gets the run's webhooks, and they concern none of its customers: no case, no delivery."""
    await world.start_door()
    await world.apply(a_contract())
    await world.quiet(START)
    (await world.http.post(f"{world.sandbox_url}/_sandbox/answers", json=assumed())).raise_for_status()

    findings = await tried(world.sandbox_url)
    await world.quiet(START)

    assert fallen(findings) == {}
    assert await world.ask("/v1/cases") == []
    assert {one["customer"] for one in (await world.ask("/v1/invoices"))["invoices"]} == {"acme"}
