"""A line that was kept survives a mistyped and a second command; the right one replaces it; `down` ends all of it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil
import pytest

from settled_cli.fleet import Fleet, Plan
from settled_cli.folders import work_folder

pytestmark = [pytest.mark.integration, pytest.mark.timeout(500)]

SERVICES = ("sandbox", "usage-ingest")
SETTLED = str(Path(sys.executable).parent / "settled")
WRONG = {"demo": ("--month", "2026-13"), "faults": ("--rounds", "0"), "bench": ("--compare", "nowhere.json")}


@dataclass(frozen=True, slots=True)
class Kept:
    """A line in `out/demo/state` of a folder; `out/faults` and `out/bench` are the same place under other names."""

    folder: Path

    @property
    def state(self) -> Path:
        """Where its data is."""
        return self.folder / "out" / "demo" / "state"

    def settled(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command as a person would in that folder."""
        env = {**os.environ, "SETTLED_STATE": "out/demo/state", "NO_COLOR": "1", "COLUMNS": "500"}
        return subprocess.run(
            [SETTLED, *arguments], cwd=self.folder, env=env, capture_output=True, text=True, timeout=450, check=False
        )

    def processes(self) -> set[psutil.Process]:
        """What runs of the line; a process is known by pid and start."""
        fleet = Fleet(self.state)
        stack = [part["pid"] for part in fleet.stack.status().values()]
        pids = [*stack, *(fleet.services.pid(name) for name in fleet.services.running())]
        return {psutil.Process(pid) for pid in pids if pid is not None}

    def data(self) -> list[str]:
        """The rows that were written before the commands came."""

        async def read() -> list[str]:
            connection = await asyncpg.connect(Fleet(self.state).stack.urls.database_url)
            try:
                return [row["word"] for row in await connection.fetch("SELECT word FROM kept ORDER BY word")]
            finally:
                await connection.close()

        return asyncio.run(read())


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """A small line, left running by a command that has ended."""
    line = Kept(tmp_path_factory.mktemp("kept"))
    try:
        with work_folder(line.folder / "out" / "demo", "settled demo", replace=False):
            fleet = Fleet(line.state, fsync=False)
            fleet.up(Plan(services=SERVICES))
        for name in ("faults", "bench"):
            (line.folder / "out" / name).symlink_to("demo")
        asyncio.run(_write(fleet.stack.urls.database_url))
        yield line
    finally:
        Fleet(line.state).down()


async def _write(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('a'), ('b')")
    finally:
        await connection.close()


@pytest.mark.parametrize("command", WRONG)
def test_a_mistyped_command_touches_nothing(command: str, kept: Kept) -> None:
    before = kept.processes()

    ended = kept.settled(command, *WRONG[command], "--replace")

    assert ended.returncode == 2
    assert WRONG[command][0] in ended.stderr
    assert (kept.processes(), len(before), kept.data()) == (before, 4, ["a", "b"])


@pytest.mark.parametrize("command", WRONG)
def test_a_second_command_is_refused_and_says_how_to_stop_the_line(command: str, kept: Kept) -> None:
    before = kept.processes()

    ended = kept.settled(command)

    assert ended.returncode == 2
    assert f"a line runs in out/{command} (kafka, postgres, sandbox, usage-ingest)" in ended.stderr
    assert f"SETTLED_STATE=out/{command}/state settled down, or say --replace" in ended.stderr
    assert (kept.processes(), len(before), kept.data()) == (before, 4, ["a", "b"])


def test_down_and_clean_end_nothing_that_the_environment_stands_for(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With DATABASE_URL set the embedded PostgreSQL is not stopped: its data must not go from under it."""
    monkeypatch.setenv("DATABASE_URL", Fleet(kept.state).stack.urls.database_url)

    ended = kept.settled("down", "--remove-state")

    assert ended.returncode == 2
    assert "postgres of out/demo/state still runs, because DATABASE_URL" in ended.stderr
    assert kept.data() == ["a", "b"]


def test_down_ends_every_process_and_keeps_the_data(kept: Kept) -> None:
    Fleet(kept.state, fsync=False).up(Plan(services=SERVICES))
    before = kept.processes()

    ended = kept.settled("down")

    assert ended.returncode == 0, ended.stderr
    assert len(before) == 4
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in before)
    Fleet(kept.state, fsync=False).up(Plan(services=SERVICES))
    assert kept.data() == ["a", "b"]


@pytest.mark.parametrize("command", ["faults", "bench"])
def test_replace_stops_the_line_in_order_before_its_data_goes(command: str, kept: Kept) -> None:
    """What `faults` and `bench` do first with --replace; a whole run of either takes minutes."""
    Fleet(kept.state, fsync=False).up(Plan(services=SERVICES))
    before = kept.processes()
    assert len(before) == 4

    with work_folder(kept.folder / "out" / command, f"settled {command}", replace=True) as folder:
        assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in before)
        assert len(list(folder.iterdir())) == 1


@pytest.mark.slow
def test_the_right_command_replaces_the_line_and_down_ends_all_of_the_new_one(kept: Kept) -> None:
    Fleet(kept.state, fsync=False).up(Plan(services=SERVICES))
    before = kept.processes()

    ended = kept.settled(
        "demo", "--replace", "--keep", "--customers", "1", "--conversations", "0", "--doors", "1", "--json"
    )
    after = kept.processes()
    stopped = kept.settled("down", "--remove-state")

    assert (ended.returncode, stopped.returncode) == (0, 0), ended.stderr + stopped.stderr
    assert (len(before), len(after), before & after) == (4, 7, set())
    assert not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in before | after)
    assert not kept.state.exists()
