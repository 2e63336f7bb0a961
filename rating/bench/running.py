"""What every benchmark of rating runs on: a stack, a migrated database, and processes that end with it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from chassis.testing import HouseKeys
from embedded_stack import Stack

PARTITIONS = 8
RATING = [sys.executable, "-m", "usage_rating"]


@dataclass(slots=True)
class Running:
    """`env` is what a process of rating is started with; `processes` are those that were."""

    stack: Stack
    env: dict[str, str]
    processes: list[psutil.Popen] = field(default_factory=list)

    def serve(self, **env: str) -> psutil.Popen:
        """Start a process, with settings of its own on top."""
        own = {**self.env, **env}
        self.processes.append(psutil.Popen([*RATING, "serve"], env=own, stdout=subprocess.DEVNULL))
        return self.processes[-1]


@contextmanager
def running(state: Path | None) -> Iterator[Running]:
    """A stack of its own, or the one under `state`; both are gone afterwards, and so are the processes."""
    stack = Stack(state or Path(tempfile.mkdtemp(prefix="rating-bench-")))
    stack.start()
    env = {**os.environ, **stack.urls.env(), **HouseKeys(stack.state_dir).env, "EVENT_PARTITIONS": str(PARTITIONS)}
    made = Running(stack, env)
    try:
        subprocess.run([*RATING, "migrate"], env=env, check=True, capture_output=True)
        yield made
    finally:
        for process in made.processes:
            process.terminate()
        for process in made.processes:
            process.wait(30)
        stack.stop(remove_state=True)
