"""Rate, concurrency, pause and breaker are shared by all replicas; the far side's own watch is the judge."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from chassis.testing import until

pytestmark = pytest.mark.integration
LATENESS_S = 0.25  # a call may arrive so much later than it was allowed, and so closer to the next ones


def many(count: int) -> list[tuple[str, int, list[str]]]:
    return [(f"r{number}", 1, []) for number in range(count)]


def done(count: int) -> dict[str, str]:
    return {f"r{number}@1": "done" for number in range(count)}


async def test_two_replicas_together_keep_to_one_rate(world: Any) -> None:
    policy = {"rate": 40, "burst": 10, "concurrency": 50}
    world.start("a", many(80), **policy)
    world.start("b", **policy)

    await world.come_to(done(80))
    told = await world.told()
    assert set(told["effects"].values()) == {1}
    instants = [at for _, at, _ in told["arrivals"]]
    for first in range(len(instants)):
        for last in range(first, len(instants)):
            allowed = 10 + 40 * (instants[last] - instants[first] + LATENESS_S)
            assert last - first + 1 <= allowed, f"{last - first + 1} calls in {instants[last] - instants[first]:.2f} s"
    assert await _senders(world) == {"a", "b"}


async def test_a_call_of_one_replica_takes_a_slot_from_the_other(world: Any) -> None:
    await world.faults(
        {"record": "long", "fault": "slow", "seconds": 3.5}, {"fault": "slow", "seconds": 0.1, "times": 30}
    )
    policy = {"concurrency": 3, "call_timeout_s": 5, "lease_s": 8, "settle_s": 6}
    world.start("b", [("long", 1, [])], **policy)
    await until(lambda: _arrived(world, 1))
    world.start("a", many(30), **policy)

    await world.come_to({**done(30), "long@1": "done"})
    told = await world.told()
    assert told["most_at_once"] == 3
    assert set(told["effects"].values()) == {1}
    assert await _senders(world) == {"a", "b"}


async def test_one_429_stops_both_replicas_for_as_long_as_the_far_side_asks(world: Any) -> None:
    """Up to 4 calls are under way when the first is told to wait; nobody else calls before the second is over."""
    await world.faults({"fault": "limited", "seconds": 1.0})
    world.start("a", many(60), concurrency=4)
    world.start("b", concurrency=4)

    await world.come_to(done(60))
    told = await world.told()
    assert 1 <= told["statuses"]["429"] <= 4
    assert set(told["effects"].values()) == {1}


async def test_the_slots_of_a_replica_that_was_killed_come_free_when_its_leases_end(world: Any) -> None:
    await world.faults({"fault": "slow", "seconds": 0.4, "times": 2})
    world.start("a", many(6), concurrency=2)
    await until(lambda: _arrived(world, 2))
    world.replicas["a"].kill()

    world.start("b", concurrency=2)

    await world.come_to(done(6))
    told = await world.told()
    assert set(told["effects"].values()) == {1}
    assert told["most_at_once"] <= 2


async def test_the_breaker_spares_a_far_side_that_is_down_and_closes_when_it_is_back(world: Any) -> None:
    await world.faults({"fault": "down", "times": 10_000})
    policy = {"breaker_failures": 5, "breaker_base_s": 0.4, "breaker_cap_s": 0.4, "concurrency": 4, "rate": 400}
    world.start("a", many(30), **policy)
    world.start("b", **policy)
    await until(lambda: _openings(world, 3))
    told = await world.told()
    instants = [at for _, at, _ in told["arrivals"]]
    # at most 5 failures and the 3 others under way open it; then one at a time tries, at least 0.2 s after another
    tries = instants[8:]
    assert all(later - earlier >= 0.15 for earlier, later in pairwise(tries))
    assert len(tries) <= 1 + (instants[-1] - instants[0]) / 0.15

    await world.faults()

    await world.come_to(done(30))
    assert set((await world.told())["effects"].values()) == {1}
    assert await world.pool.fetchval("SELECT breaker FROM delivery_destinations") == "closed"


async def test_a_far_side_that_refuses_one_record_serves_the_others_with_a_closed_breaker(world: Any) -> None:
    await world.faults({"record": "r0", "fault": "breaks_before", "times": 10_000})
    world.start("a", many(20), breaker_failures=5)

    others = {key: state for key, state in done(20).items() if key != "r0@1"}
    await until(lambda: _stand(world, others))
    assert await world.pool.fetchval("SELECT breaker_openings FROM delivery_destinations") == 0


async def test_health_fails_when_lanes_are_due_and_no_call_ends(world: Any) -> None:
    await world.faults({"fault": "slow", "seconds": 8, "times": 100})
    slow = {"call_timeout_s": 10, "lease_s": 15, "settle_s": 10, "concurrency": 1}
    world.start("a", many(3), limit_s=3, **slow)

    async def stalled() -> bool:
        answer = await world.ask("GET", "/healthz")
        return bool(answer.status_code == 503) and "deliveries to tiny:main has work" in answer.json()["problems"][0]

    await until(stalled)


async def _senders(world: Any) -> set[str]:
    rows = await world.pool.fetch("SELECT DISTINCT by FROM delivery_journal WHERE what = 'answered'")
    return {row["by"] for row in rows}


async def _arrived(world: Any, count: int) -> bool:
    return len((await world.told())["arrivals"]) == count


async def _openings(world: Any, count: int) -> bool:
    found = await world.pool.fetchval("SELECT breaker_openings FROM delivery_destinations")
    return found is not None and found >= count


async def _stand(world: Any, wanted: dict[str, str]) -> bool:
    return wanted.items() <= (await world.states()).items()
