"""Each effect exactly once on the far side, which counts them: whoever dies, hangs up or comes back too late."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from chassis.deliveries import GAPS
from chassis.testing import until

pytestmark = pytest.mark.integration
SIGKILL = -9
MANY = [(f"r{number}", 1, []) for number in range(6)]
ALL_DONE = {f"r{number}@1": "done" for number in range(6)}
EACH_ONCE = {f"tiny:main/r{number}@1": 1 for number in range(6)}


@pytest.mark.parametrize("passes", [1, 3])
@pytest.mark.parametrize("gap", sorted(GAPS))
async def test_dying_in_the_gap_doubles_and_loses_nothing(world: Any, gap: str, passes: int) -> None:
    passes = 1 if gap == "delivery-enqueued" else passes
    await world.faults({"fault": "breaks_after", "times": 3})  # so that there is something to look up
    world.start("a", MANY, failpoint=f"tiny.{gap}:{passes}", concurrency=1)
    assert await world.ended("a") == SIGKILL, world.said("a")

    world.start("a", MANY)

    await world.come_to(ALL_DONE)
    assert (await world.told())["effects"] == EACH_ONCE


async def test_a_write_whose_answer_was_lost_is_looked_up_and_not_made_again(world: Any) -> None:
    await world.faults({"record": "r1", "fault": "breaks_after"})

    world.start("a", [("r1", 1, [])])

    await world.come_to({"r1@1": "done"})
    assert await world.answers("r1") == [("send", "unclear"), ("look_up", "found")]
    assert (await world.told())["effects"] == {"tiny:main/r1@1": 1}


async def test_what_was_not_written_before_the_error_is_written_after_the_look_up(world: Any) -> None:
    await world.faults({"record": "r1", "fault": "breaks_before"})

    world.start("a", [("r1", 1, [])])

    await world.come_to({"r1@1": "done"})
    assert await world.answers("r1") == [("send", "unclear"), ("look_up", "absent"), ("send", "done")]
    assert (await world.told())["effects"] == {"tiny:main/r1@1": 1}


async def test_a_write_that_takes_place_after_we_hung_up_is_waited_for(world: Any) -> None:
    """The far side writes 0.3 s after our time-out: a look-up at once would say that it is not there."""
    await world.faults({"record": "r1", "fault": "slow", "seconds": 0.6})

    world.start("a", [("r1", 1, [])], call_timeout_s=0.3, settle_s=1.2)

    await world.come_to({"r1@1": "done"})
    assert await world.answers("r1") == [("send", "unclear"), ("look_up", "found")]
    assert (await world.told())["effects"] == {"tiny:main/r1@1": 1}


async def test_a_look_up_that_cannot_be_made_leaves_the_doubt(world: Any) -> None:
    await world.faults({"record": "r1", "fault": "breaks_after"}, {"record": "r1", "fault": "look_up_down", "times": 2})

    world.start("a", [("r1", 1, [])])

    await world.come_to({"r1@1": "done"})
    assert [answer for _, answer in await world.answers("r1")] == ["unclear", "unavailable", "unavailable", "found"]
    assert (await world.told())["effects"] == {"tiny:main/r1@1": 1}


async def test_a_replica_that_stood_still_while_another_took_over_stores_nothing(world: Any) -> None:
    """It comes back with an answer that says "unclear", about what the other one has found to be done."""
    await world.faults({"record": "r1", "fault": "breaks_after", "seconds": 0.3})
    frozen = world.start("zombie", [("r1", 1, [])])
    await until(lambda: _written(world, 1))
    frozen.send_signal(signal.SIGSTOP)

    world.start("b")
    await world.come_to({"r1@1": "done"})
    frozen.send_signal(signal.SIGCONT)

    await until(lambda: "not ours to store" in world.said("zombie"))
    assert await world.states() == {"r1@1": "done"}
    assert await world.answers("r1") == [("look_up", "found")]
    assert (await world.told())["effects"] == {"tiny:main/r1@1": 1}


async def test_a_stop_lets_the_calls_under_way_end_and_stores_their_answers(world: Any) -> None:
    await world.faults({"fault": "slow", "seconds": 0.4, "times": 6})
    replica = world.start("a", MANY, call_timeout_s=2, lease_s=4, settle_s=3)
    await until(lambda: _arrived(world, 6))

    replica.terminate()

    assert await world.ended("a") == 0, world.said("a")
    assert await world.states() == ALL_DONE
    assert (await world.told())["effects"] == EACH_ONCE


async def test_handing_over_the_same_again_changes_nothing(world: Any) -> None:
    for owner in ("a", "b"):
        world.start(owner, MANY)
        await world.come_to(ALL_DONE)
    world.replicas["b"].terminate()
    await world.ended("b")

    assert (await world.told())["effects"] == EACH_ONCE


async def _written(world: Any, count: int) -> bool:
    return len((await world.told())["written"]) == count


async def _arrived(world: Any, count: int) -> bool:
    return len((await world.told())["arrivals"]) == count
