"""An Idempotency-Key is remembered for a day, and then neither memory nor the table holds its answer."""

from __future__ import annotations

import asyncpg

from chassis.testing import until
from embedded_stack import Stack
from sandbox.testing import OCTOBER, Driver

ALMOST_A_DAY_LATER, A_DAY_LATER = "2026-10-01T23:59:00Z", "2026-10-02T00:00:00Z"


async def keys_in_table(stack: Stack) -> set[str]:
    connection = await asyncpg.connect(stack.postgres.url)
    try:
        return {row["key"] for row in await connection.fetch("SELECT key FROM sandbox.answers")}
    finally:
        await connection.close()


async def test_answers_go_a_day_after_they_were_given(sandbox: Driver, stack: Stack) -> None:
    async def make(name: str, key: str) -> tuple[int, str | None]:
        answer = await sandbox.raw("POST", "/v1/customers", data={"name": name}, headers={"Idempotency-Key": key})
        return answer.status_code, answer.headers.get("Idempotent-Replayed")

    assert await make("Acme", "old") == (200, None)
    await sandbox.advance(ALMOST_A_DAY_LATER)
    assert await make("Acme", "old") == (200, "true")
    assert await make("Acme", "young") == (200, None)

    await sandbox.advance(A_DAY_LATER)

    async def only_the_young_one() -> bool:
        return await keys_in_table(stack) & {"old", "young"} == {"young"}

    await until(only_the_young_one)
    assert await make("Somebody else", "old") == (200, None)
    assert await make("Acme", "young") == (200, "true")
    assert "old" in await keys_in_table(stack)  # used anew: remembered anew


async def test_a_meter_event_outlives_its_key(sandbox: Driver) -> None:
    await sandbox.a_meter()
    customer = await sandbox.a_customer()

    async def send(identifier: str, key: str) -> tuple[int, str | None]:
        form = {
            "event_name": "resolution",
            "identifier": identifier,
            "payload[value]": "1",
            "payload[stripe_customer_id]": customer.id,
            "timestamp": str(OCTOBER),
        }
        answer = await sandbox.raw("POST", "/v1/billing/meter_events", data=form, headers={"Idempotency-Key": key})
        return answer.status_code, answer.headers.get("Idempotent-Replayed")

    assert await send("e1", "k1") == (200, None)
    assert await send("e1", "k1") == (200, "true")
    await sandbox.advance(A_DAY_LATER)

    assert await send("e2", "k1") == (200, None)
    dump = await sandbox.control("GET", f"dump?customer={customer.id}")
    assert {row["identifier"] for row in dump["usage"]} == {"e1", "e2"}
