"""Children are known by pid and start time; nobody else is ever touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from embedded_stack import StackError, children
from embedded_stack.children import Child
from embedded_stack.state import StateFile

FOREVER = [sys.executable, "-c", "import signal; signal.pause()"]


@pytest.fixture
def child(tmp_path: Path):
    made = children.spawn(FOREVER, log=tmp_path / "child.log")
    yield made
    children.kill(made)


def test_a_child_is_found_by_its_pid_and_start_time(child: Child) -> None:
    assert child.process() is not None


def test_a_process_with_the_same_pid_and_another_start_is_somebody_else(child: Child) -> None:
    assert child.ticks is not None
    stranger = replace(child, ticks=child.ticks - 1)

    children.kill(stranger)
    children.stop(stranger)

    assert stranger.process() is None
    assert child.process() is not None


def test_a_change_of_the_wall_clock_loses_no_child(child: Child) -> None:
    assert replace(child, created=child.created - 3600).process() is not None


def test_where_ticks_are_unknown_the_time_of_creation_decides(child: Child) -> None:
    assert replace(child, ticks=None).process() is not None
    assert replace(child, ticks=None, created=child.created - 3600).process() is None


def test_a_killed_child_leaves_no_zombie(child: Child) -> None:
    children.kill(child)

    assert not psutil.pid_exists(child.pid)


def test_a_child_that_ignores_sigterm_is_killed_after_the_grace_time(tmp_path: Path) -> None:
    log = tmp_path / "stubborn.log"
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
    stubborn = children.spawn([sys.executable, "-c", code], log=log)
    children.wait_until(lambda: None if log.read_text() else "silent", child=stubborn, log=log, what="it", within_s=10)

    children.stop(stubborn, grace_s=0.2)

    assert stubborn.process() is None


def test_a_stopped_child_is_woken_to_hear_its_end(child: Child) -> None:
    children.kill(child, signal.SIGSTOP)

    children.stop(child, grace_s=5)

    assert child.process() is None


def test_waiting_for_a_child_that_died_names_its_log_and_the_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "broken.log"
    broken = children.spawn([sys.executable, "-c", "raise SystemExit('no such luck')"], log=log)

    with pytest.raises(StackError) as failure:
        children.wait_until(lambda: "not yet", child=broken, log=log, what="It", within_s=10)

    assert f"It died while starting. Log: {log}\n  | no such luck" == str(failure.value)


def test_waiting_too_long_says_why_it_is_not_ready(child: Child, tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"It is not ready after 0 s: still thinking. Log: .*child\.log"):
        children.wait_until(lambda: "still thinking", child=child, log=tmp_path / "child.log", what="It", within_s=0.1)


def test_ports_lie_below_those_that_outgoing_connections_take() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])

    ports = {children.free_port() for _ in range(50)}

    assert min(ports) >= 15_000
    assert max(ports) < max(lowest, 16_001)


def test_children_are_remembered_across_commands(tmp_path: Path) -> None:
    state = StateFile(tmp_path / "state.json")
    state.record("one", child=Child(7, 1.5, 99), port=15_001)
    state.record("one", url="x")

    again = StateFile(tmp_path / "state.json")

    assert again.child("one") == Child(7, 1.5, 99)
    assert again.child("two") is None
    assert again.read()["one"]["port"] == 15_001


def test_writers_of_the_state_file_do_not_lose_each_others_facts(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from embedded_stack.state import StateFile\n"
        "state = StateFile(Path(sys.argv[1]))\n"
        "for number in range(50): state.record(f'{sys.argv[2]}-{number}', port=number)"
    )
    path = tmp_path / "state.json"
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in ("a", "b", "c")]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]

    assert len(StateFile(path).read()) == 150
    assert path.stat().st_mode & 0o077 == 0
    assert os.listdir(tmp_path).count("state.draft") == 0
