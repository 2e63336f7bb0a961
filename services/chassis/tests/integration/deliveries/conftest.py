"""A tiny outside system and replicas of a tiny door, all as processes, over the embedded PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.store import Pool, create_pool, migrate
from chassis.testing import HouseKeys, until

HERE = Path(__file__).parent
VERSION = """
from alembic import op
from chassis.deliveries import make_tables

revision = "0001"
down_revision = None

def upgrade() -> None:
    make_tables(op.execute, app_role="tiny_app")
"""
POLICY = {
    "rate": 400,
    "burst": 40,
    "concurrency": 8,
    "call_timeout_s": 0.6,
    "lease_s": 1.0,
    "settle_s": 0.8,
    "retry_base_s": 0.05,
    "retry_cap_s": 0.2,
    "breaker_failures": 1000,
}
Wanted = Sequence[tuple[str, int, list[str]]]


class World:
    """The far side's counts are the judge; our rows are asked too."""

    def __init__(self, database_url: str, pool: Pool, vendor_url: str, keys: HouseKeys, folder: Path) -> None:
        self.pool, self.keys, self._folder = pool, keys, folder
        self.vendor = httpx.AsyncClient(base_url=vendor_url, timeout=10)
        self._env = {"DATABASE_URL": database_url, "TINY_URL": vendor_url, **keys.env}
        self.replicas: dict[str, subprocess.Popen[bytes]] = {}
        self.ports: dict[str, int] = {}

    def start(
        self, owner: str = "a", wanted: Wanted = (), *, failpoint: str = "", limit_s: float = 60, **policy: float
    ) -> subprocess.Popen[bytes]:
        """A replica, which hands `wanted` over when it starts."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.ports[owner] = free.getsockname()[1]
        env = {
            **os.environ,
            **self._env,
            "TINY_OWNER": owner,
            "TINY_WANTED": json.dumps(wanted),
            "TINY_POLICY": json.dumps({**POLICY, **policy}),
            "TINY_LIMIT_S": str(limit_s),
            "PORT": str(self.ports[owner]),
            "SETTLED_FAILPOINT": failpoint,
        }
        with (self._folder / f"{owner}.log").open("ab") as said:
            made = subprocess.Popen([sys.executable, HERE / "replica.py"], env=env, stderr=said)
        self.replicas[owner] = made
        return made

    def said(self, owner: str) -> str:
        """The replica's standard error."""
        return (self._folder / f"{owner}.log").read_text()

    async def ended(self, owner: str = "a") -> int:
        """The exit code of a replica that ends by itself."""
        await until(lambda: self.replicas[owner].poll() is not None)
        return self.replicas[owner].wait()

    def stop(self) -> None:
        """End what still runs."""
        for replica in self.replicas.values():
            if replica.poll() is None:
                replica.send_signal(signal.SIGCONT)
                replica.kill()
                replica.wait()

    async def faults(self, *faults: dict[str, Any]) -> None:
        """Arm the far side."""
        (await self.vendor.post("/faults", json=list(faults))).raise_for_status()

    async def told(self) -> dict[str, Any]:
        """What the far side has seen."""
        answer: dict[str, Any] = (await self.vendor.get("/told")).json()
        return answer

    async def states(self) -> dict[str, str]:
        """`record@version` to state."""
        rows = await self.pool.fetch("SELECT record, version, state FROM deliveries")
        return {f"{row['record']}@{row['version']}": row["state"] for row in rows}

    async def come_to(self, wanted: dict[str, str], *, within_s: float = 30) -> None:
        """Wait until the deliveries stand so."""
        seen: dict[str, str] = {}

        async def so() -> bool:
            seen.update(await self.states())
            return seen == wanted

        try:
            await until(so, within_s=within_s)
        except AssertionError:
            raise AssertionError(f"{seen}; the door said: {[self.said(owner) for owner in self.replicas]}") from None

    async def answers(self, record: str) -> list[tuple[str, str]]:
        """What was answered about a record, in order: (act, kind)."""
        rows = await self.pool.fetch(
            "SELECT j.act, j.answer FROM delivery_journal j JOIN deliveries d USING (delivery_id) "
            "WHERE d.record = $1 AND j.what = 'answered' ORDER BY j.entry_id",
            record,
        )
        return [(row["act"], row["answer"]) for row in rows]

    async def ask(self, method: str, path: str, *, owner: str = "a", key: str | None = None, **more: Any) -> Any:
        """A replica's HTTP API, once it listens."""
        headers = {"Authorization": f"Bearer {key or self.keys.admin}"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.ports[owner]}", headers=headers) as client:
            for _ in range(200):
                try:
                    return await client.request(method, path, **more)
                except httpx.ConnectError:
                    await asyncio.sleep(0.05)
        raise AssertionError(f"the replica never listened: {self.said(owner)}")


@pytest.fixture
def vendor_url() -> Iterator[str]:
    """The far side, with nothing in it."""
    with subprocess.Popen([sys.executable, HERE / "tiny_vendor.py"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.kill()


@pytest.fixture
async def world(database_url: str, vendor_url: str, tmp_path: Path) -> AsyncIterator[World]:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_deliveries.py").write_text(VERSION)
    await migrate(database_url, "tiny", folder)
    pool = await create_pool(database_url, "tiny")
    made = World(database_url, pool, vendor_url, HouseKeys(tmp_path), tmp_path)
    yield made
    made.stop()
    await made.vendor.aclose()
    await pool.close()
