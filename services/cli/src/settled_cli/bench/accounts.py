"""What each process has used, and what the rating processes say of their batches."""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx
import psutil

from settled_cli.fleet import Fleet


@dataclass(frozen=True, slots=True)
class Account:
    """CPU seconds (user and system) so far, resident bytes now."""

    cpu_s: float
    resident_bytes: int


def accounts(fleet: Fleet) -> dict[str, Account]:
    """Every process of the line, the load itself included; PostgreSQL's backends are summed."""
    found = {}
    for name in fleet.services.running():
        use = fleet.services.usage(name)
        found[name] = Account(use.cpu_s, use.resident_bytes)
    for name, part in fleet.stack.status().items():
        if part["pid"]:
            found[name] = _with_children(part["pid"])
    found["load"] = _one(psutil.Process())
    return found


def _one(process: psutil.Process) -> Account:
    times = process.cpu_times()
    return Account(times.user + times.system, process.memory_info().rss)


def _with_children(pid: int) -> Account:
    parent = psutil.Process(pid)
    times = parent.cpu_times()
    cpu = times.user + times.system + times.children_user + times.children_system
    resident = _own_bytes(parent)
    for child in parent.children(recursive=True):
        try:
            one = _one(child)
            cpu, resident = cpu + one.cpu_s, resident + _own_bytes(child)
        except psutil.NoSuchProcess:
            continue
    return Account(cpu, resident)


def _own_bytes(process: psutil.Process) -> int:
    memory = process.memory_info()
    return int(memory.rss - getattr(memory, "shared", 0))


def touched(fleet: Fleet) -> tuple[float, float]:
    """(events applied, conversations decided because of arrivals) so far, summed over the rating processes."""
    events = conversations = 0.0
    for url in fleet.rating_urls():
        headers = {"Authorization": f"Bearer {fleet.access_key}"}
        text = httpx.get(f"{url}/metrics", headers=headers, timeout=10).text
        events += _sum(text, r"^rating_events_total\{[^}]*\} (\S+)$")
        conversations += _sum(text, r'^rating_decisions_total\{cause="arrivals"\} (\S+)$')
    return events, conversations


def _sum(text: str, pattern: str) -> float:
    return sum(float(value) for value in re.findall(pattern, text, re.MULTILINE))
