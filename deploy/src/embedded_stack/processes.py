"""Our own services as local processes: started on loopback ports that they keep, found again by the next command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from embedded_stack import children
from embedded_stack.state import StateFile


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """
    A service to run: `python -m MODULE ARGS`, told its PORT by the environment.

    `nice` above 0 lets the others go first where all share few cores (0 to 19, as of the command `nice`).
    """

    name: str
    module: str
    args: tuple[str, ...] = ("serve",)
    env: Mapping[str, str] = field(default_factory=dict)
    nice: int = 0


@dataclass(frozen=True, slots=True)
class Use:
    """What a process has used: CPU seconds (user and system) since its start, resident bytes now."""

    cpu_s: float
    resident_bytes: int


class Services:
    """The services under one state folder."""

    def __init__(self, state_dir: Path, env: Mapping[str, str]) -> None:
        self.state_dir = state_dir.resolve()
        self._state = StateFile(self.state_dir / "services.json")
        self._env = dict(env)
        self._specs: dict[
            str, ServiceSpec
        ] = {}  # in memory: an environment may hold keys, and the state file is a file

    def start(self, spec: ServiceSpec) -> None:
        """Start a service on the port that it had before, or a free one; harmless when it runs already."""
        self._specs[spec.name] = spec
        child = self._state.child(spec.name)
        if child is not None and child.process() is not None:
            return
        port = self._state.read().get(spec.name, {}).get("port") or children.free_port()
        env = {**os.environ, **self._env, **spec.env, "PORT": str(port), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", spec.module, *spec.args]
        child = children.spawn(command, log=self.log(spec.name), env=env, nice=spec.nice)
        self._state.record(spec.name, child=child, port=port)

    def run_once(self, module: str, *args: str, env: Mapping[str, str] | None = None) -> str:
        """Run a command of a service to its end; its output. Raises StackError with what it said when it fails."""
        command = [sys.executable, "-m", module, *args]
        result = subprocess.run(
            command, env={**os.environ, **self._env, **(env or {})}, capture_output=True, text=True, check=False
        )
        if result.returncode != 0:
            said = "\n".join((result.stdout + result.stderr).splitlines()[-20:])
            raise children.StackError(f"{' '.join(command[1:])} failed:\n{said}")
        return result.stdout

    def restart(self, name: str) -> None:
        """Stop a service that this object has started, if it still runs, and start it as before, on the same port."""
        self.stop(name)
        self.start(self._specs[name])

    def wait_ready(self, name: str, *, within_s: float = 60.0) -> None:
        """Return when `/readyz` answers 200. Raises StackError with the log's tail."""
        child = self._state.child(name)
        if child is None:
            raise children.StackError(f"{name} was never started, or was stopped")
        children.wait_until(
            lambda: self._not_ready(name), child=child, log=self.log(name), what=name, within_s=within_s
        )

    def url(self, name: str) -> str:
        """Base URL of a service."""
        return f"http://127.0.0.1:{self._state.read()[name]['port']}"

    def reserve(self, name: str) -> str:
        """Base URL of a service that is not started yet: its port is chosen now."""
        if "port" not in self._state.read().get(name, {}):
            self._state.record(name, port=children.free_port())
        return self.url(name)

    def log(self, name: str) -> Path:
        """Where a service's output goes."""
        return self.state_dir / "logs" / f"{name}.log"

    def pid(self, name: str) -> int | None:
        """Process id while it runs."""
        child = self._state.child(name)
        return child.pid if child is not None and child.process() is not None else None

    def names(self) -> list[str]:
        """All services that were ever started here."""
        return list(self._state.read())

    def crashed(self) -> list[str]:
        """The services that were started, are gone, and were not stopped by us."""
        return [name for name in self.names() if self._state.child(name) is not None and self.pid(name) is None]

    def running(self) -> list[str]:
        """The services that run now."""
        return [name for name in self.names() if self.pid(name) is not None]

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal; SIGKILL is waited for."""
        child = self._state.child(name)
        if child is not None:
            children.kill(child, number)

    def stop(self, name: str, *, grace_s: float = 20.0) -> None:
        """SIGTERM, and SIGKILL after the grace time."""
        child = self._state.child(name)
        if child is not None:
            children.stop(child, grace_s=grace_s)
            self._state.record(name, child=None)

    def stop_all(self) -> None:
        """Stop all of them, the last started first: all are told at once, then each is waited for."""
        names = list(reversed(self.names()))
        for name in names:
            self.kill(name, signal.SIGTERM)
        for name in names:
            self.stop(name)

    def usage(self, name: str) -> Use:
        """What a running service has used so far. Raises StackError when it does not run."""
        child = self._state.child(name)
        process = child.process() if child is not None else None
        if process is None:
            raise children.StackError(f"{name} does not run")
        times = process.cpu_times()
        return Use(times.user + times.system, process.memory_info().rss)

    def _not_ready(self, name: str) -> str | None:
        try:
            answer = httpx.get(f"{self.url(name)}/readyz", timeout=2)
        except httpx.TransportError as error:
            return str(error) or type(error).__name__
        return None if answer.status_code == 200 else f"/readyz answered {answer.status_code}: {answer.text[:300]}"
