"""Dead letters with the vendor's sentence; what people do about them, by HTTP; what the metrics say."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from chassis.testing import until

pytestmark = pytest.mark.integration
WHY = {"reason": "the period was opened again"}


async def id_of(world: Any, record: str, version: int = 1) -> int:
    found: int = await world.pool.fetchval(
        "SELECT delivery_id FROM deliveries WHERE record = $1 AND version = $2", record, version
    )
    return found


async def test_a_refusal_is_a_dead_letter_with_its_sentence_and_is_driven_again_by_name(world: Any) -> None:
    await world.faults({"record": "r1", "fault": "refuses"})
    world.start("a", [("r1", 1, [])])
    await world.come_to({"r1@1": "refused"})

    dead = (await world.ask("GET", "/v1/deliveries?state=refused&state=waiting_for_person")).json()["deliveries"]
    assert [(one["record"], one["code"], one["sentence"]) for one in dead] == [("r1", "E17", "The period is closed.")]
    number = dead[0]["id"]
    driven = await world.ask("POST", f"/v1/deliveries/{number}/drive-again", json=WHY, key=world.keys.operate)
    assert (driven.status_code, driven.json()["state"]) == (200, "pending")

    await world.come_to({"r1@1": "done"})
    whole = (await world.ask("GET", f"/v1/deliveries/{number}", key=world.keys.read)).json()
    assert whole["content"] == {"total": 100}
    assert whole["reference"] == "id-of-r1"
    assert [(entry["what"], entry["answer"], entry["by"]) for entry in whole["journal"]] == [
        ("intends", None, "a"),
        ("answered", "refused", "a"),
        ("driven_again", None, "test-operate"),
        ("intends", None, "a"),
        ("answered", "done", "a"),
    ]
    assert whole["journal"][2]["sentence"] == WHY["reason"]
    assert (await world.told())["effects"] == {"tiny:main/r1@1": 1}


async def test_what_was_cancelled_is_not_sent_and_cancelling_again_changes_nothing(world: Any) -> None:
    await world.faults({"record": "r1", "fault": "person"})
    world.start("a", [("r1", 1, [])])
    await world.come_to({"r1@1": "waiting_for_person"})
    number = await id_of(world, "r1")

    for _ in range(2):
        answer = await world.ask("POST", f"/v1/deliveries/{number}/cancel", json=WHY)
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")

    assert (await world.told())["effects"] == {}
    acts = await world.pool.fetchval("SELECT count(*) FROM delivery_journal WHERE what = 'cancelled'")
    assert acts == 1


async def test_what_is_done_can_neither_be_cancelled_nor_driven_again(world: Any) -> None:
    world.start("a", [("r1", 1, [])])
    await world.come_to({"r1@1": "done"})
    number = await id_of(world, "r1")

    for act in ("cancel", "drive-again"):
        answer = await world.ask("POST", f"/v1/deliveries/{number}/{act}", json=WHY)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_allowed")
    missing = await world.ask("POST", "/v1/deliveries/9999/cancel", json=WHY)
    assert (missing.status_code, missing.json()["code"]) == (404, "no_such_delivery")


async def test_what_a_person_changed_over_there_is_a_finding_until_somebody_decides(world: Any) -> None:
    """Neither the version in doubt nor the next one is written over it by itself."""
    await world.faults(
        {"record": "r1", "fault": "breaks_before"}, {"record": "r1", "fault": "look_up_down", "times": 2}
    )
    world.start("a", [("r1", 1, [])])
    await world.vendor.post("/by-hand/r1", json={"version": 0, "content": {"total": 7}})
    await world.come_to({"r1@1": "waiting_for_person"})
    world.start("b", [("r1", 2, [])])
    await world.come_to({"r1@1": "waiting_for_person", "r1@2": "pending"})
    await until(lambda: _resting(world))
    assert (await world.told())["effects"] == {}

    answer = await world.ask("POST", f"/v1/deliveries/{await id_of(world, 'r1')}/drive-again", json=WHY)

    assert answer.json()["state"] == "superseded"
    await world.come_to({"r1@1": "superseded", "r1@2": "done"})
    assert (await world.told())["effects"] == {"tiny:main/r1@2": 1}


async def test_cancelling_the_newest_state_of_a_parent_lets_its_children_go_by_the_one_before(world: Any) -> None:
    world.start("a", [("p", 1, [])])
    await world.come_to({"p@1": "done"})
    await world.faults({"record": "p", "fault": "refuses"})
    world.start("b", [("p", 2, []), ("c", 1, ["p"])])
    await world.come_to({"p@1": "done", "p@2": "refused", "c@1": "pending"})

    await world.ask("POST", f"/v1/deliveries/{await id_of(world, 'p', 2)}/cancel", json=WHY)

    await world.come_to({"p@1": "done", "p@2": "cancelled", "c@1": "done"})


async def test_the_metrics_say_how_deep_how_old_how_many_and_why_not(world: Any) -> None:
    await world.faults({"record": "r1", "fault": "refuses"}, {"record": "r2", "fault": "down", "times": 10_000})
    world.start("a", [("r1", 1, []), ("r2", 1, []), ("r3", 1, []), ("r4", 1, ["r1"])], max_failures=10_000)
    await until(lambda: _says(world, 'settled_deliveries_depth{destination="tiny:main",state="refused"} 1.0'))

    for line in (
        'settled_deliveries_depth{destination="tiny:main",state="pending"}',
        'settled_deliveries_lanes_waiting_for_parents{destination="tiny:main"} 1.0',
        'settled_deliveries_settled_total{destination="tiny:main",state="done"} 1.0',
        'settled_deliveries_calls_total{act="send",answer="refused",destination="tiny:main"} 1.0',
        'settled_deliveries_calls_total{act="send",answer="unavailable",destination="tiny:main"}',
        'settled_deliveries_breaker_open{destination="tiny:main"} 0.0',
    ):
        assert await _says(world, line), line
    shown = (await world.ask("GET", "/metrics")).text
    age = next(line for line in shown.splitlines() if line.startswith("settled_deliveries_oldest_open_seconds{"))
    assert float(age.split()[-1]) > 0


async def test_quiet_waits_for_deliveries_of_facts_up_to_its_instant(world: Any) -> None:
    await world.faults({"record": "r1", "fault": "down", "times": 10_000})
    world.start("a", [("r1", 1, [])], max_failures=10_000)
    await world.come_to({"r1@1": "pending"})

    before = (await world.ask("GET", "/quiet", params={"at": "2026-02-01T00:00:00Z"})).json()
    at = (await world.ask("GET", "/quiet", params={"at": "2026-03-01T00:00:00Z"})).json()

    assert before == {"quiet": True, "waiting_for": []}
    assert at == {"quiet": False, "waiting_for": ["1 deliveries to tiny:main"]}


async def test_nobody_rewrites_the_journal(world: Any) -> None:
    world.start("a", [("r1", 1, [])])
    await world.come_to({"r1@1": "done"})

    for statement in ("UPDATE delivery_journal SET by = 'x'", "DELETE FROM delivery_journal", "DELETE FROM deliveries"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await world.pool.execute(statement)


async def _resting(world: Any) -> bool:
    return await world.pool.fetchval("SELECT count(*) FROM delivery_lanes WHERE due_at IS NOT NULL") == 0


async def _says(world: Any, text: str) -> bool:
    return text in (await world.ask("GET", "/metrics")).text
