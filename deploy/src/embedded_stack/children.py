"""Child processes that outlive the command that started them, known by pid and start time, never by pid alone."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil


class StackError(Exception):
    """A part did not come up, or died; the message names its log and that log's last lines."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process that we started. `created` is its start time: a recycled pid has another."""

    pid: int
    created: float

    def process(self) -> psutil.Process | None:
        """The process while it runs, else None."""
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.created) < 1.0
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


@dataclass(frozen=True, slots=True)
class Demotion:
    """The user that a child runs as where we are root; PostgreSQL refuses to run as root."""

    user: str = "nobody"
    group: str = "nogroup"


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def spawn(
    command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None, demoted: Demotion | None = None
) -> Child:
    """Start a process in a session of its own, its output appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    as_user: dict[str, Any] = (
        {"user": demoted.user, "group": demoted.group, "extra_groups": []} if demoted and os.geteuid() == 0 else {}
    )
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd="/",
            start_new_session=True,
            **as_user,
        )
    return Child(process.pid, psutil.Process(process.pid).create_time())


def stop(child: Child, *, grace_s: float = 15.0, number: int = signal.SIGTERM) -> None:
    """End a child: a signal, and SIGKILL when it has not gone after the grace time. Safe to repeat."""
    process = child.process()
    if process is None:
        return
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)
        try:
            process.wait(grace_s)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(10)
    _reap(child.pid)


def kill(child: Child, number: int = signal.SIGKILL) -> None:
    """Send a signal without waiting for what it does; SIGKILL is waited for."""
    process = child.process()
    if process is None:
        return
    process.send_signal(number)
    if number == signal.SIGKILL:
        with suppress(psutil.TimeoutExpired):
            process.wait(10)
        _reap(child.pid)


def _reap(pid: int) -> None:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def wait_until(ready: Callable[[], bool], *, child: Child, log: Path, what: str, within_s: float) -> None:
    """
    Return once `ready()` is true.

    Raises:
        StackError: the child died, or the time is over; with the log's place and its last lines.
    """
    deadline = time.monotonic() + within_s
    while not ready():
        if child.process() is None:
            raise StackError(f"{what} died while starting. Log: {log}\n{tail(log)}")
        if time.monotonic() > deadline:
            raise StackError(f"{what} did not answer within {within_s:.0f} s. Log: {log}\n{tail(log)}")
        time.sleep(0.05)


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, indented."""
    if not log.exists():
        return "  (no log was written)"
    with log.open("rb") as text:
        text.seek(max(0, log.stat().st_size - 16_384))
        last = text.read().decode(errors="replace").splitlines()[-lines:]
    return "\n".join(f"  | {line}" for line in last)


class StateFile:
    """A small JSON file that is replaced whole, so that a crash never leaves half of it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Any]:
        """Its content; empty where there is none."""
        if not self.path.exists():
            return {}
        content: dict[str, Any] = json.loads(self.path.read_text())
        return content

    def write(self, content: Mapping[str, Any]) -> None:
        """Replace its content."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps(content, indent=2))
        draft.replace(self.path)

    def child(self, name: str) -> Child | None:
        """The child that was recorded under a name."""
        record = self.read().get(name, {}).get("child")
        return Child(**record) if record else None

    def record(self, name: str, **facts: Any) -> None:
        """Add facts under a name; a Child becomes its pid and start time."""
        content = self.read()
        entry = content.setdefault(name, {})
        entry.update({key: asdict(value) if isinstance(value, Child) else value for key, value in facts.items()})
        self.write(content)
