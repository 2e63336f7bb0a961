"""Never an older state over a newer one, parents first, and one record's trouble is nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.testing import until

pytestmark = pytest.mark.integration


async def test_only_the_newest_of_the_states_that_wait_is_sent(world: Any) -> None:
    world.start("a", [("r1", 1, []), ("r1", 3, []), ("r1", 2, [])])

    await world.come_to({"r1@1": "superseded", "r1@2": "superseded", "r1@3": "done"})
    assert (await world.told())["written"] == [["r1", 3]]


async def test_an_older_state_that_comes_after_a_newer_one_is_never_sent(world: Any) -> None:
    world.start("a", [("r1", 5, [])])
    await world.come_to({"r1@5": "done"})

    world.start("b", [("r1", 4, []), ("r1", 6, [])])

    await world.come_to({"r1@4": "superseded", "r1@5": "done", "r1@6": "done"})
    assert (await world.told())["written"] == [["r1", 5], ["r1", 6]]


async def test_a_newer_state_waits_until_the_older_one_in_doubt_was_looked_up(world: Any) -> None:
    await world.faults({"record": "r1", "fault": "breaks_after"}, {"record": "r1", "fault": "look_up_down", "times": 3})
    world.start("a", [("r1", 1, [])])
    await until(lambda: _unclear(world))

    world.start("b", [("r1", 2, [])])

    await world.come_to({"r1@1": "done", "r1@2": "done"})
    assert (await world.told())["written"] == [["r1", 1], ["r1", 2]]


async def test_children_wait_for_their_parents_whatever_order_they_come_in(world: Any) -> None:
    await world.faults({"record": "customer", "fault": "down", "times": 3})

    world.start("a", [("line", 1, ["invoice"]), ("invoice", 1, ["customer", "item"]), ("customer", 1, [])])
    await until(lambda: _stands(world, "customer@1", "done"))
    assert (await world.states())["invoice@1"] == "pending"
    world.start("b", [("item", 1, [])])

    await world.come_to(dict.fromkeys(("line@1", "invoice@1", "customer@1", "item@1"), "done"))
    assert [record for record, _ in (await world.told())["written"]] == ["customer", "item", "invoice", "line"]


async def test_a_refused_parent_holds_its_children_and_nobody_else_and_is_not_waited_for(world: Any) -> None:
    await world.faults({"record": "customer", "fault": "refuses"})

    world.start("a", [("invoice", 1, ["customer"]), ("customer", 1, []), ("other", 1, [])])

    await world.come_to({"invoice@1": "pending", "customer@1": "refused", "other@1": "done"})
    await until(lambda: _parked(world))
    assert (await world.ask("GET", "/quiet", params={"at": "2026-03-02T00:00:00Z"})).json()["quiet"] is True
    listed = (await world.ask("GET", "/v1/deliveries", params={"record": "invoice"})).json()["deliveries"]
    assert [one["waits_for"] for one in listed] == ["customer"]


async def test_many_children_of_one_parent_are_all_woken(world: Any) -> None:
    await world.faults({"record": "p", "fault": "down", "times": 4})
    children = [(f"c{number}", 1, ["p"]) for number in range(60)]

    world.start("a", [*children, ("p", 1, [])])
    world.start("b")

    await world.come_to(dict.fromkeys(("p@1", *(f"c{number}@1" for number in range(60))), "done"))
    written = [record for record, _ in (await world.told())["written"]]
    assert (written[0], len(written), len(set(written))) == ("p", 61, 61)


async def _unclear(world: Any) -> bool:
    return (await world.states()).get("r1@1") == "unclear"


async def _stands(world: Any, key: str, state: str) -> bool:
    return (await world.states()).get(key) == state


async def _parked(world: Any) -> bool:
    return await world.pool.fetchval("SELECT count(*) FROM delivery_lanes WHERE waits_for IS NOT NULL") == 1
