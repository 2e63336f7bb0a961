"""Child processes that outlive the command that started them, known by pid and start time, never by pid alone."""

from __future__ import annotations

import os
import pwd
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

_POLL_S = 0.05
_LONGEST_POLL_S = 0.25
_GONE_POLL_S = 0.01
_KILLED_WITHIN_S = 10.0
_STARTED: dict[int, subprocess.Popen[bytes]] = {}  # children of this very process: someone has to reap them


class StackError(Exception):
    """A part did not come up, or died; the message names its log and that log's last lines."""


@dataclass(frozen=True, slots=True)
class Child:
    """
    A process that we started, and what tells it from a later one with the same pid.

    `ticks` is its start in clock ticks since boot, exact and deaf to changes of the wall clock; where a machine does
    not tell it, `created` (epoch seconds) decides, within a second.
    """

    pid: int
    created: float
    ticks: int | None = None

    @classmethod
    def of(cls, process: psutil.Process) -> Child:
        """A running process, to be remembered. Raises psutil.NoSuchProcess."""
        return cls(process.pid, process.create_time(), _ticks(process.pid))

    def process(self) -> psutil.Process | None:
        """The process while it runs, else None."""
        if self.pid in _STARTED and _STARTED[self.pid].poll() is not None:
            del _STARTED[self.pid]
        try:
            found = psutil.Process(self.pid)
            if self.ticks is not None:
                same = _ticks(self.pid) == self.ticks
            else:
                same = abs(found.create_time() - self.created) < 1.0
            return found if same and not _ended(found) else None
        except psutil.NoSuchProcess:
            return None


def _ended(process: psutil.Process) -> bool:
    """A zombie without other threads; while one of a killed process's threads lives, its ports and files are held."""
    return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1


def _ticks(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat.rpartition(")")[2].split()[19])  # field 22; the name before it may hold spaces


@dataclass(frozen=True, slots=True)
class Demotion:
    """The user that a child runs as where we are root; PostgreSQL refuses to run as root."""

    user: str = "nobody"

    @property
    def group_id(self) -> int:
        """The user's own group, which distributions name differently."""
        return pwd.getpwnam(self.user).pw_gid

    def arguments(self) -> dict[str, Any]:
        """For subprocess; empty where we are not root."""
        return {"user": self.user, "group": self.group_id, "extra_groups": []} if os.geteuid() == 0 else {}


def free_port() -> int:
    """
    A loopback port that nothing listens on now.

    Below the range that outgoing connections take theirs from: a client that keeps trying a port of that range while
    its server is down ends up connected to itself, and the server cannot come back.
    """
    for _ in range(200):
        port = random.randrange(15_000, min(_lowest_outgoing_port(), 40_000))
        if port_is_free(port):
            return port
    raise StackError("no free loopback port was found between 15000 and 40000")


def _lowest_outgoing_port() -> int:
    told = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest = int(told.read_text().split()[0]) if told.exists() else 32_768
    return lowest if lowest > 16_000 else 32_768


def port_is_free(port: int) -> bool:
    """Whether a server could listen on it now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    demoted: Demotion | None = None,
    nice: int = 0,
) -> Child:
    """Start a process in a session of its own, its output appended to `log`. Raises StackError when it ends at once."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd="/",
            start_new_session=True,
            **(demoted.arguments() if demoted else {}),
        )
    _STARTED[process.pid] = process
    _yield_to_others(process.pid, nice)
    try:
        return Child.of(psutil.Process(process.pid))
    except psutil.NoSuchProcess as error:
        raise StackError(f"{command[0]} ended at once. Log: {log}\n{tail(log)}") from error


def _yield_to_others(pid: int, nice: int) -> None:
    """Lower a fresh process's priority; where Linux groups processes by session, that of its group is what counts."""
    if nice == 0:
        return
    with suppress(ProcessLookupError):  # it has ended already, which the caller finds out and tells
        os.setpriority(os.PRIO_PROCESS, pid, nice)
    group = Path(f"/proc/{pid}/autogroup")
    with suppress(FileNotFoundError, ProcessLookupError):
        group.write_text(str(nice))


def stop(child: Child, *, grace_s: float = 15.0, number: int = signal.SIGTERM) -> None:
    """End a child: a signal, and SIGKILL for it and its own children when the grace time is over. Safe to repeat."""
    process = child.process()
    if process is None:
        return
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)
        if number != signal.SIGKILL:
            process.send_signal(signal.SIGCONT)  # a stopped process would sleep through its own end
        if not _gone(child, within_s=grace_s):
            for each in [process, *process.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            _gone(child, within_s=_KILLED_WITHIN_S)


def kill(child: Child, number: int = signal.SIGKILL) -> None:
    """Send a signal without waiting for what it does; SIGKILL is waited for."""
    process = child.process()
    if process is None:
        return
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)
    if number == signal.SIGKILL:
        _gone(child, within_s=_KILLED_WITHIN_S)


def _gone(child: Child, *, within_s: float) -> bool:
    """Wait until it runs no more. One that its parent has not reaped yet is gone."""
    deadline = time.monotonic() + within_s
    while child.process() is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(_GONE_POLL_S)
    return True


def wait_until(not_ready: Callable[[], str | None], *, child: Child, log: Path, what: str, within_s: float) -> None:
    """
    Return once `not_ready()` has nothing to say; what it says goes into the error.

    Raises:
        StackError: the child died, or the time is over; with the log's place and its last lines.
    """
    deadline = time.monotonic() + within_s
    pause_s = _POLL_S
    while (reason := not_ready()) is not None:
        if child.process() is None:
            raise StackError(f"{what} died while starting. Log: {log}\n{tail(log)}")
        if time.monotonic() > deadline:
            raise StackError(f"{what} is not ready after {within_s:.0f} s: {reason}. Log: {log}\n{tail(log)}")
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.2, _LONGEST_POLL_S)  # PostgreSQL logs every attempt


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, indented; without the frames of Java's stack traces, which would be all of them."""
    if not log.exists():
        return "  (no log was written)"
    with log.open("rb") as text:
        text.seek(max(0, log.stat().st_size - 16_384))
        written = text.read().decode(errors="replace").splitlines()
    told = [line for line in written if not line.startswith("\tat ")]
    return "\n".join(f"  | {line}" for line in told[-lines:])
