"""
Deliveries a second against a far side that answers in 5 ms, all on this machine.

    python services/chassis/tests/integration/deliveries/bench.py [--replicas 2] [--count 6000] [--wire]

With `--wire` the far side is a process and every call an HTTP request; without it the call is a wait of 5 ms, and the
figure is that of the mechanism. Afterwards every delivery must be done, and with `--wire` be counted once over there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import httpx

from chassis import deliveries
from chassis.deliveries import Desired
from chassis.store import create_pool, migrate, transaction
from chassis.testing import HouseKeys, until
from embedded_stack import Stack

HERE = Path(__file__).parent
ANSWER_S = "0.005"
POLICY = {"rate": 1e6, "burst": 1e6, "concurrency": 64, "call_timeout_s": 10, "lease_s": 20, "settle_s": 20}
VERSION = """
from alembic import op
from chassis.deliveries import make_tables
revision, down_revision = "0001", None
def upgrade():
    make_tables(op.execute, app_role="tiny_app")
"""


def start(script: str, *arguments: str, **env: str) -> subprocess.Popen[bytes]:
    """A process of this folder."""
    return subprocess.Popen(
        [sys.executable, HERE / script, *arguments], env={**os.environ, **env}, stdout=subprocess.PIPE
    )


async def measure(stack: Stack, folder: Path, *, replicas: int, count: int, wire: bool) -> str:
    """Hand over `count` deliveries, start the replicas, and time from the first answer stored to the last."""
    url = stack.urls.database_url
    (folder / "migrations").mkdir()
    (folder / "migrations" / "0001_deliveries.py").write_text(VERSION)
    await migrate(url, "tiny", folder / "migrations")
    pool = await create_pool(url, "tiny")
    at = datetime(2026, 3, 1, tzinfo=UTC)
    async with transaction(pool) as tx:
        await deliveries.enqueue(tx, "tiny:main", [Desired(f"r{n}", 1, {"total": n}, at) for n in range(count)])
    vendor = start("tiny_vendor.py", ANSWER_S)
    assert vendor.stdout is not None
    port = int(await asyncio.to_thread(vendor.stdout.readline))
    far_side = f"http://127.0.0.1:{port}" if wire else f"sleep:{ANSWER_S}"
    env = {"DATABASE_URL": url, "TINY_URL": far_side, "TINY_POLICY": json.dumps(POLICY), "PORT": "0"}
    env |= HouseKeys(folder).env
    started = [start("replica.py", TINY_OWNER=f"replica-{number}", **env) for number in range(replicas)]

    async def all_done() -> bool:
        await asyncio.sleep(0.2)
        return await pool.fetchval("SELECT count(*) FROM deliveries WHERE state <> 'done'") == 0

    await until(all_done, within_s=300)
    seconds = await pool.fetchval("SELECT extract(epoch FROM max(settled_at) - min(settled_at))::float FROM deliveries")
    if wire:
        async with httpx.AsyncClient() as client:
            effects = (await client.get(f"{far_side}/told")).json()["effects"]
        assert len(effects) == count, "not each"
        assert set(effects.values()) == {1}, "not each exactly once"
    for process in (*started, vendor):
        process.terminate()
        process.communicate()
    await pool.close()
    return f"{replicas} replicas, {'HTTP' if wire else 'no wire'}: {count / seconds:,.0f} deliveries a second"


def main() -> None:
    """Measure once, over a stack of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--wire", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        stack = Stack(Path(name) / "stack")
        try:
            stack.start()
            print(asyncio.run(measure(stack, Path(name), replicas=asked.replicas, count=asked.count, wire=asked.wire)))
        finally:
            stack.stop(remove_state=True)


if __name__ == "__main__":
    main()
