"""PostgreSQL as a local process."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import asyncpg
import psutil

from embedded_stack import children
from embedded_stack.cache import all_may_enter, foreign_dir, postgres_home
from embedded_stack.children import Child, Demotion, StackError
from embedded_stack.probe import ask
from embedded_stack.state import StateFile

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "1GB",  # taken page by page as it is used
    "effective_cache_size": "8GB",
    "max_wal_size": "8GB",  # with the next one: no checkpoint in the middle of a short load
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "autovacuum_vacuum_cost_delay": "1ms",
    "jit": "off",
    "track_commit_timestamp": "on",  # the benchmark reads when a signal was committed
    "timezone": "UTC",
    "log_min_duration_statement": "2000",
}
# A fresh cluster has no old segment to use again: it fills each new one with zeros while every commit waits. 16 MB, the
# default, stopped the line for 70 ms every other second at 10,000 signals/s; 4 MB is a pause of 17.
WAL_SEGMENT_MB = 4
_LEFT_WITHIN_S = 20.0


class Postgres:
    """One cluster under the state folder; `fsync=False` is for tests that never kill the machine."""

    name = "postgres"

    def __init__(self, state_dir: Path, state: StateFile, *, fsync: bool = True) -> None:
        self._state = state
        self._fsync = fsync
        self.log = state_dir / "logs" / "postgres.log"
        self._home = _home(state_dir).resolve()
        self._outside = self._home != state_dir.resolve()
        self._data = self._home / "postgres"

    @property
    def url(self) -> str:
        """The administrator's URL of the database `settled`."""
        port = self._state.read()[self.name]["port"]
        return f"postgresql://postgres@127.0.0.1:{port}/settled"

    def start(self) -> None:
        """Start, or find again, and return when it answers a query. Raises StackError."""
        child = self._state.child(self.name)
        if child is None or child.process() is None:
            child = self._found() or self._launch()
        children.wait_until(self.not_ready, child=child, log=self.log, what="PostgreSQL", within_s=60)

    def stop(self) -> None:
        """Fast shutdown; data is kept."""
        child = self._state.child(self.name)
        if child is not None:
            children.stop(child, number=signal.SIGINT, grace_s=60)
            self._state.record(self.name, child=None)

    def remove(self) -> None:
        """Take the data away; the server must be stopped."""
        shutil.rmtree(self._data, ignore_errors=True)
        if self._outside:
            shutil.rmtree(self._home, ignore_errors=True)

    def not_ready(self) -> str | None:
        """Why it does not answer a query; None when it does. Makes the database `settled` where it is missing."""
        try:
            ask(_ensure_database(self.url))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            return str(error) or type(error).__name__
        return None

    def _found(self) -> Child | None:
        """A server of this data folder that our records have lost: a second one beside it would destroy the data."""
        pid_file = self._data / "postmaster.pid"
        if not pid_file.exists():
            return None
        lines = pid_file.read_text().splitlines()
        if len(lines) < 4 or int(lines[0]) not in self._processes():
            return None
        child = Child.of(psutil.Process(int(lines[0])))
        self._state.record(self.name, child=child, port=int(lines[3]))
        return child

    def _processes(self) -> set[int]:
        """The processes that work in the data folder: every process of a PostgreSQL server does."""
        return {each.pid for each in psutil.process_iter(["cwd"]) if each.info["cwd"] == str(self._data)}

    def _launch(self) -> Child:
        home = postgres_home()
        self._wait_until_left()
        if not (self._data / "PG_VERSION").exists():
            self._initialise(home)
        (self._data / "postmaster.pid").unlink(missing_ok=True)  # a crash leaves it; nobody works here, as we have seen
        port = self._state.read().get(self.name, {}).get("port")
        if port is None or not children.port_is_free(port):
            port = children.free_port()
        options = dict(SETTINGS, port=str(port), fsync="on" if self._fsync else "off")
        command = [str(home / "bin" / "postgres"), "-D", str(self._data)]
        for key, value in options.items():
            command += ["-c", f"{key}={value}"]
        child = children.spawn(command, log=self.log, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, demoted=Demotion())
        self._state.record(self.name, child=child, port=port)
        return child

    def _wait_until_left(self) -> None:
        """After kill -9 of the server its workers go by themselves, a moment later; until then they may still write."""
        deadline = time.monotonic() + _LEFT_WITHIN_S
        while left := self._processes():
            if time.monotonic() > deadline:
                raise StackError(f"processes {sorted(left)} of an earlier PostgreSQL still use {self._data}")
            time.sleep(0.05)

    def _initialise(self, home: Path) -> None:
        """Make the cluster in a draft folder: half of one, left by a crash, is never taken for a whole one."""
        self._home.mkdir(parents=True, exist_ok=True)
        draft = self._home / "postgres.draft"
        for old in (draft, self._data):
            shutil.rmtree(old, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(draft, Demotion().user, Demotion().group_id)
        command = [str(home / "bin" / "initdb"), "-D", str(draft), "-U", "postgres", "-A", "trust"]
        command += ["--no-sync", f"--wal-segsize={WAL_SEGMENT_MB}", "--locale=C", "--encoding=UTF8"]
        result = subprocess.run(command, capture_output=True, text=True, cwd="/", **Demotion().arguments())
        if result.returncode != 0:
            raise StackError(f"initdb failed:\n{result.stdout}{result.stderr}")
        draft.rename(self._data)


async def _ensure_database(url: str) -> None:
    connection = await asyncpg.connect(url.rsplit("/", 1)[0] + "/postgres", timeout=5)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = 'settled'"):
            await connection.execute("CREATE DATABASE settled")
    finally:
        await connection.close()


def _home(state_dir: Path) -> Path:
    """The state folder; where the server's own user cannot enter it, a folder outside that the state folder names."""
    marker = state_dir / "postgres-home"
    if marker.exists() and Path(marker.read_text()).exists():
        return Path(marker.read_text())
    if os.geteuid() != 0 or all_may_enter(state_dir):
        return state_dir
    base = foreign_dir() / "data"
    base.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="cluster-", dir=base))
    home.chmod(0o755)
    (home / "owner").write_text(str(state_dir))  # whose it is, for whoever finds it after its state folder has gone
    marker.write_text(str(home))
    return home
