"""The whole line on one machine: the embedded stack and our services, under one state folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from embedded_stack import Stack
from embedded_stack.processes import Services, ServiceSpec

STATE = Path(os.environ.get("SETTLED_STATE", ".settled"))
PARTITIONS = 8
MODULES = {
    "sandbox": "sandbox",
    "usage-ingest": "usage_ingest",
    "rating": "usage_rating",
    "invoicing-sync": "invoicing_sync",
}
ALL = tuple(MODULES)
# On few cores the ledger goes first: the door's work waits in its rows, and the sandbox is the other side's machine.
NICE = {"invoicing-sync": 10, "sandbox": 10}
Say = Callable[[str], None]


@dataclass(slots=True)
class Plan:
    """What to run. `clock_start` (RFC 3339) gives business time to the sandbox; None: it is real time."""

    clock_start: str | None = None
    services: tuple[str, ...] = ALL
    rating_processes: int = 1
    env: dict[str, str] = field(default_factory=dict)


class Fleet:
    """Starts, finds again and stops everything under a state folder."""

    def __init__(self, state: Path = STATE, *, fsync: bool = True) -> None:
        self.state = state.resolve()
        self.stack = Stack(self.state, fsync=fsync)
        self._plan_file = self.state / "plan.json"
        self._credentials = self.state / "credentials.json"
        self.services = Services(self.state, {})

    def up(self, plan: Plan, say: Say = lambda _: None) -> None:
        """Bring everything up and return when all is ready. Harmless when it is up already."""
        say("starting PostgreSQL and Kafka")
        urls = self.stack.start()
        self.services = Services(self.state, {**urls.env(), **self._env(plan), **plan.env})
        say("migrating")
        with ThreadPoolExecutor(max_workers=2) as pool:
            list(pool.map(lambda name: self.services.run_once(MODULES[name], "migrate"), plan.services))
        if not self._credentials.exists():
            self._make_key()
        say("starting the services")
        specs = list(self._specs(plan))
        for spec in specs:
            self.services.start(spec)
        for spec in specs:
            self.services.wait_ready(spec.name)

    def down(self, *, remove_state: bool = False) -> None:
        """Stop everything; data is kept unless `remove_state`."""
        self.services.stop_all()
        self.stack.stop(remove_state=remove_state)

    def url(self, service: str) -> str:
        """Base URL of a service."""
        return self.services.url("rating-0" if service == "rating" else service)

    def rating_urls(self) -> list[str]:
        """Base URLs of the rating processes."""
        return [self.services.url(name) for name in self.services.names() if name.startswith("rating-")]

    @property
    def api_key(self) -> str:
        """The operator's key that was made when the line was first brought up."""
        key: str = json.loads(self._credentials.read_text())["api_key"]
        return key

    @property
    def running(self) -> bool:
        """Whether the services of this state folder run."""
        return bool(self.services.running())

    def _env(self, plan: Plan) -> dict[str, str]:
        sandbox = self.services.reserve("sandbox")
        env = {
            "EVENT_PARTITIONS": str(PARTITIONS),
            "STRIPE_API_KEY": "sk_test_sandbox",
            "STRIPE_BASE_URL": sandbox,
            "PUBLIC_URL": self.services.reserve("invoicing-sync"),
        }
        if plan.clock_start:
            env |= {"SANDBOX_CLOCK_START": plan.clock_start, "BUSINESS_CLOCK_URL": f"{sandbox}/_sandbox/clock"}
        return env

    def _specs(self, plan: Plan) -> Iterable[ServiceSpec]:
        for name in plan.services:
            if name == "rating":
                for number in range(plan.rating_processes):
                    yield ServiceSpec(f"rating-{number}", MODULES[name])
            else:
                yield ServiceSpec(name, MODULES[name], nice=NICE.get(name, 0))

    def _make_key(self) -> None:
        made = self.services.run_once("usage_ingest", "keys", "create", "--name", "settled-cli", "--operator", "--json")
        self._credentials.touch(mode=0o600)
        self._credentials.write_text(json.dumps({"api_key": json.loads(made)["key"]}))
