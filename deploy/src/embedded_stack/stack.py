"""The embedded stack: started by one command, found again by the next, gone without a trace when stopped."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from embedded_stack import children
from embedded_stack.children import StackError
from embedded_stack.kafka import Kafka
from embedded_stack.postgres import Postgres
from embedded_stack.state import StateFile, locked

Part = Literal["postgres", "kafka"]


@dataclass(frozen=True, slots=True)
class StackUrls:
    """Where the stack answers."""

    database_url: str
    kafka_bootstrap_servers: str

    def env(self) -> dict[str, str]:
        """The same as the environment variables that the services read."""
        return {"DATABASE_URL": self.database_url, "KAFKA_BOOTSTRAP_SERVERS": self.kafka_bootstrap_servers}


class Stack:
    """
    PostgreSQL and Kafka under one state folder. DATABASE_URL and KAFKA_BOOTSTRAP_SERVERS win over them.

    `fsync=False` makes PostgreSQL faster and is for tests: a killed server loses nothing, a killed machine may.
    `kafka_heap` as Java writes sizes; SETTLED_KAFKA_HEAP, else 512m.
    """

    def __init__(self, state_dir: Path, *, fsync: bool = True, kafka_heap: str | None = None) -> None:
        self.state_dir = state_dir.resolve()
        self._state = StateFile(self.state_dir / "stack.json")
        self._given = {"postgres": os.environ.get("DATABASE_URL"), "kafka": os.environ.get("KAFKA_BOOTSTRAP_SERVERS")}
        self.state_dir.mkdir(parents=True, exist_ok=True)
        self.postgres = Postgres(self.state_dir, self._state, fsync=fsync)
        self.kafka = Kafka(self.state_dir, self._state, heap=kafka_heap)

    @property
    def _own(self) -> list[Postgres | Kafka]:
        return [part for part in (self.postgres, self.kafka) if not self._given[part.name]]

    def start(self) -> StackUrls:
        """
        Bring up what the environment does not give, both parts at once; starting twice is harmless.

        Raises:
            StackError: a part died or did not answer in time. The other one may run: `stop` ends it.
        """
        self._start(self._own)
        return self.urls

    def postgres_only(self) -> None:
        """Bring up PostgreSQL alone, for tests that need no broker."""
        self._start([self.postgres])

    def _start(self, parts: list[Postgres | Kafka]) -> None:
        starts: list[Callable[[], None]] = [part.start for part in parts]
        with self._alone(), ThreadPoolExecutor(max_workers=2) as pool:
            ended = [pool.submit(start).exception for start in starts]
            failures = [failure for exception in ended if (failure := exception()) is not None]
        if len(failures) > 1 and all(isinstance(failure, StackError) for failure in failures):
            raise StackError("\n".join(str(failure) for failure in failures))
        if failures:
            raise failures[0]

    @property
    def urls(self) -> StackUrls:
        """Where the stack answers once it has been started."""
        return StackUrls(
            self._given["postgres"] or self.postgres.url, self._given["kafka"] or self.kafka.bootstrap_servers
        )

    def status(self) -> dict[str, Any]:
        """Each part: its state (given, running, stopped, crashed), whether it answers, its pid, its log."""
        found: dict[str, Any] = {}
        for part in (self.postgres, self.kafka):
            given = self._given[part.name] is not None
            child = self._state.child(part.name)
            running = child is not None and child.process() is not None
            state = "given" if given else "running" if running else "crashed" if child else "stopped"
            found[part.name] = {
                "state": state,
                "running": given or running,
                "answers": None if given else running and part.not_ready() is None,
                "pid": child.pid if child and running else None,
                "given": given,
                "log": str(part.log),
            }
        return found

    def stop(self, *, remove_state: bool = False) -> None:
        """End what was started here; data is kept unless `remove_state`."""
        with self._alone():
            for part in reversed(self._own):
                part.stop()
        if remove_state:
            self.postgres.remove()
            self.kafka.remove()
            shutil.rmtree(self.state_dir, ignore_errors=True)

    def kill(self, name: Part, number: int = signal.SIGKILL) -> None:
        """Send a signal to one part, for fault tests; `start` brings it up again on the same port with its data."""
        child = self._state.child(name)
        if child is not None:
            children.kill(child, number)

    def _alone(self) -> Any:
        """One command at a time starts or stops what lives in a state folder."""
        return locked(self.state_dir / "command.lock")
