"""How a service's process ends: by SIGTERM after its open requests, by failing work with exit code 1."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from chassis.testing import HouseKeys
from embedded_stack.children import free_port

PROGRAM = """
import asyncio, sys
from contextlib import asynccontextmanager
from pathlib import Path
from chassis.access import Access
from chassis.app import create_app, run
from chassis.health import Health
from chassis.key_file import KeyFile
from chassis.telemetry import configure_logging

kind, port, keys = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
configure_logging("test")
entered = asyncio.Event()

@asynccontextmanager
async def lifespan(app):
    if kind == "no-start":
        raise RuntimeError("cannot start")
    yield
    print("lifespan ended", flush=True)

app = create_app("test", health=Health(), access=Access(KeyFile(keys)), lifespan=lifespan)

@app.get("/slow")
async def slow() -> str:
    entered.set()
    print("request began", flush=True)
    await asyncio.sleep(1)
    print("request ended", flush=True)
    return "done"

async def work():
    try:
        if kind == "failing":
            await asyncio.sleep(0.2)
            raise RuntimeError("the work is broken")
        await asyncio.Event().wait()
    finally:
        if kind == "failing-late":
            raise RuntimeError("the work broke while it stopped")
        print("work ended", flush=True)

asyncio.run(run(app, host="127.0.0.1", port=port, work={"reading": work()}))
"""


class Process:
    """The program above, as its own process."""

    def __init__(self, kind: str, log: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._log = log
        keys = HouseKeys(log.parent)
        self.header = keys.header
        with log.open("wb") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, kind, str(port), str(keys.file)],
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        return self._log.read_text()

    def ready(self) -> None:
        self._until(self._answers)

    def says(self, text: str) -> None:
        self._until(lambda: text in self.output)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def _until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 40
        while not holds():
            assert time.monotonic() < deadline, self.output
            assert self.popen.poll() is None, self.output
            time.sleep(0.02)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Process]]:
    made: list[Process] = []

    def one(kind: str) -> Process:
        made.append(Process(kind, tmp_path / "log"))
        return made[-1]

    yield one
    for process in made:
        process.popen.kill()
        process.popen.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_open_request_finish_then_stops_the_work(
    number: signal.Signals, start: Callable[[str], Process]
) -> None:
    process = start("steady")
    process.ready()
    with ThreadPoolExecutor(1) as pool:
        request = pool.submit(httpx.get, f"{process.url}/slow", headers=process.header, timeout=30)
        process.says("request began")
        process.popen.send_signal(number)

        assert request.result().json() == "done"

    assert process.popen.wait(30) == 0
    said = [line for line in process.output.splitlines() if not line.startswith("{")]
    assert said == ["request began", "request ended", "lifespan ended", "work ended"]


def test_failing_work_stops_the_service_with_exit_code_1_and_says_which(start: Callable[[str], Process]) -> None:
    process = start("failing")

    assert process.popen.wait(30) == 1

    assert '"level": "critical"' in process.output
    assert '"work": "reading"' in process.output
    assert "the work is broken" in process.output


def test_work_that_breaks_while_it_stops_is_logged(start: Callable[[str], Process]) -> None:
    process = start("failing-late")
    process.ready()
    process.popen.terminate()

    assert process.popen.wait(30) == 0

    assert "work failed while stopping" in process.output


def test_a_start_that_fails_is_no_orderly_end(start: Callable[[str], Process]) -> None:
    process = start("no-start")

    assert process.popen.wait(30) == 3

    assert "cannot start" in process.output
