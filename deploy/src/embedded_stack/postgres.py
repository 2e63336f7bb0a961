"""PostgreSQL as a local process."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import asyncpg

from embedded_stack import children
from embedded_stack.cache import postgres_home
from embedded_stack.children import Child, Demotion, StackError, StateFile

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "1GB",
    "effective_cache_size": "8GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "autovacuum_vacuum_cost_delay": "1ms",
    "jit": "off",
    "timezone": "UTC",
    "log_min_duration_statement": "2000",
}


class Postgres:
    """One cluster under the state folder; `fsync=False` is for tests that never kill the machine."""

    name = "postgres"

    def __init__(self, state_dir: Path, state: StateFile, *, fsync: bool = True) -> None:
        self._state = state
        self._fsync = fsync
        self.log = state_dir / "logs" / "postgres.log"
        # a data folder of the server's own user needs parents that this user may enter
        self._data = state_dir / "postgres" if os.geteuid() != 0 else Path(_private_home(state_dir)) / "postgres"

    @property
    def url(self) -> str:
        """The administrator's URL of the database `settled`."""
        port = self._state.read()[self.name]["port"]
        return f"postgresql://postgres@127.0.0.1:{port}/settled"

    def start(self) -> None:
        """Start, or find again, and return when it answers a query. Raises StackError."""
        child = self._state.child(self.name)
        if child is None or child.process() is None:
            child = self._launch()
        children.wait_until(self._answers, child=child, log=self.log, what="PostgreSQL", within_s=60)

    def stop(self) -> None:
        """Fast shutdown; data is kept."""
        child = self._state.child(self.name)
        if child is not None:
            children.stop(child, number=signal.SIGINT, grace_s=60)

    def remove(self) -> None:
        """Take the data away; the server must be stopped."""
        shutil.rmtree(self._data, ignore_errors=True)
        if os.geteuid() == 0:
            shutil.rmtree(self._data.parent, ignore_errors=True)

    def _launch(self) -> Child:
        home = postgres_home()
        if not (self._data / "PG_VERSION").exists():
            self._initialise(home)
        (self._data / "postmaster.pid").unlink(missing_ok=True)  # a crash leaves it; no process of ours runs here
        port = self._state.read().get(self.name, {}).get("port") or children.free_port()
        options = dict(SETTINGS, port=str(port), fsync="on" if self._fsync else "off")
        command = [str(home / "bin" / "postgres"), "-D", str(self._data)]
        for key, value in options.items():
            command += ["-c", f"{key}={value}"]
        child = children.spawn(command, log=self.log, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, demoted=Demotion())
        self._state.record(self.name, child=child, port=port)
        return child

    def _initialise(self, home: Path) -> None:
        self._data.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir(mode=0o700)
        as_user: dict[str, object] = {}
        if os.geteuid() == 0:
            shutil.chown(self._data, "nobody", "nogroup")
            as_user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        command = [str(home / "bin" / "initdb"), "-D", str(self._data), "-U", "postgres", "-A", "trust"]
        command += ["--no-sync", "--locale=C", "--encoding=UTF8"]
        result = subprocess.run(command, capture_output=True, text=True, cwd="/", **as_user)  # type: ignore[call-overload]
        if result.returncode != 0:
            raise StackError(f"initdb failed:\n{result.stderr}")

    def _answers(self) -> bool:
        try:
            asyncio.run(_ensure_database(self.url))
        except (OSError, asyncpg.PostgresError, TimeoutError):
            return False
        return True


async def _ensure_database(url: str) -> None:
    connection = await asyncpg.connect(url.rsplit("/", 1)[0] + "/postgres", timeout=5)
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = 'settled'"):
            await connection.execute("CREATE DATABASE settled")
    finally:
        await connection.close()


def _private_home(state_dir: Path) -> str:
    """A folder outside the checkout for the server's own user, remembered in the state folder."""
    marker = state_dir / "postgres-home"
    if marker.exists() and Path(marker.read_text()).exists():
        return marker.read_text()
    base = Path(os.environ.get("SETTLED_POSTGRES_DIR", "/var/lib/settled")) / "data"
    base.mkdir(parents=True, exist_ok=True)
    home = tempfile.mkdtemp(prefix="cluster-", dir=base)
    Path(home).chmod(0o755)
    state_dir.mkdir(parents=True, exist_ok=True)
    marker.write_text(home)
    return home
