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
from embedded_stack.children import StateFile
from embedded_stack.kafka import Kafka
from embedded_stack.postgres import Postgres

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
    """PostgreSQL and Kafka under one state folder. DATABASE_URL and KAFKA_BOOTSTRAP_SERVERS win over them."""

    def __init__(self, state_dir: Path, *, fsync: bool = True) -> None:
        self.state_dir = state_dir.resolve()
        self._state = StateFile(self.state_dir / "stack.json")
        self._given = {"postgres": os.environ.get("DATABASE_URL"), "kafka": os.environ.get("KAFKA_BOOTSTRAP_SERVERS")}
        self.state_dir.mkdir(parents=True, exist_ok=True)
        self.postgres = Postgres(self.state_dir, self._state, fsync=fsync)
        self.kafka = Kafka(self.state_dir, self._state)

    @property
    def _own(self) -> list[Postgres | Kafka]:
        return [part for part in (self.postgres, self.kafka) if not self._given[part.name]]

    def start(self) -> StackUrls:
        """
        Bring up what the environment does not give, both parts at once; starting twice is harmless.

        Raises:
            StackError: a part died or did not answer in time.
        """
        starts: list[Callable[[], None]] = [part.start for part in self._own]
        self._prepare_state()
        with ThreadPoolExecutor(max_workers=2) as pool:
            for result in [pool.submit(start) for start in starts]:
                result.result()
        return self.urls

    def postgres_only(self) -> None:
        """Bring up PostgreSQL alone, for tests that need no broker."""
        self._prepare_state()
        self.postgres.start()

    @property
    def urls(self) -> StackUrls:
        """Where the stack answers once it has been started."""
        return StackUrls(
            self._given["postgres"] or self.postgres.url, self._given["kafka"] or self.kafka.bootstrap_servers
        )

    def status(self) -> dict[str, Any]:
        """Each part: running, its pid, its log."""
        found: dict[str, Any] = {}
        for part in (self.postgres, self.kafka):
            child = self._state.child(part.name)
            found[part.name] = {
                "running": bool(self._given[part.name]) or (child is not None and child.process() is not None),
                "pid": child.pid if child else None,
                "given": self._given[part.name] is not None,
                "log": str(part.log),
            }
        return found

    def stop(self, *, remove_state: bool = False) -> None:
        """End what was started here; data is kept unless `remove_state`."""
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

    def _prepare_state(self) -> None:
        """Two threads write the state file: make their entries before they start."""
        for part in self._own:
            if part.name not in self._state.read():
                ports = {"port": children.free_port()}
                if part.name == "kafka":
                    ports["controller_port"] = children.free_port()
                self._state.record(part.name, **ports)
