"""The whole line on one machine: the embedded stack and our services, under one state folder."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from chassis.key_file import create_key, read_keys, rotate_key, write_private
from chassis.keyring import KeyRefused, KeyScope, new_secret
from embedded_stack import Stack, StackError
from embedded_stack.processes import Services, ServiceSpec
from settled_cli import folders

STATE = Path(os.environ.get("SETTLED_STATE", ".settled"))
PARTITIONS = 8
MODULES = {
    "sandbox": "sandbox",
    "usage-ingest": "usage_ingest",
    "rating": "usage_rating",
    "invoicing-sync": "invoicing_sync",
    "contracts": "contracts_service",
}
ALL = ("sandbox", "usage-ingest", "rating", "invoicing-sync", "contracts")
# On few cores the ledger goes first: the door's work waits in its rows, and the sandbox is the other side's machine.
NICE = {"invoicing-sync": 10, "sandbox": 10}
SECOND = "ie"  # the name of a second door and of its account; the first ones have none
ISSUERS = ("settled-us", "settled-ie")  # of the first door, and of the second
CLI_KEY = "settled-cli"  # the names of the keys that `up` makes
SERVICE_KEY = "services"
Say = Callable[[str], None]


@dataclass(slots=True)
class Plan:
    """What to run. `clock_start` (RFC 3339) gives business time to the sandbox; None: it is real time."""

    clock_start: str | None = None
    services: tuple[str, ...] = ALL
    rating_processes: int = 1
    doors: int = 1  # 2: one for each of ISSUERS, each with an account, a schema, keys and an endpoint of its own
    env: dict[str, str] = field(default_factory=dict)


class Fleet:
    """Starts, finds again and stops everything under a state folder."""

    def __init__(self, state: Path = STATE, *, fsync: bool = True) -> None:
        self.state = state.resolve()
        self.stack = Stack(self.state, fsync=fsync)
        self._plan_file = self.state / "plan.json"
        self._credentials = self.state / "credentials.json"
        self.keys_file = self.state / "keys.jsonl"
        self._service_key_file = self.state / "service.key"
        self.services = Services(self.state, {})

    def up(self, plan: Plan, say: Say = lambda _: None) -> None:
        """
        Bring everything up and return when all is ready. Harmless when it is up already.

        Raises:
            FolderRefused: the state folder holds files of somebody else.
            StackError: a part did not come up.
        """
        folders.mark(self.state, "settled up")
        say("starting PostgreSQL and Kafka")
        urls = self.stack.start()
        self._ensure_keys()
        self.services = Services(self.state, {**urls.env(), **self._env(plan), **plan.env})
        say("migrating")
        with ThreadPoolExecutor(max_workers=2) as pool:
            specs = list(self._specs(plan))
            one_each = [spec for spec in specs if not spec.name.startswith("rating-") or spec.name == "rating-0"]
            list(pool.map(lambda spec: self.services.run_once(spec.module, "migrate", env=spec.env), one_each))
        if "usage-ingest" in plan.services and "api_key" not in self._kept():
            self._make_senders_key()
        say("starting the services")
        for spec in specs:
            self.services.start(spec)
        for spec in specs:
            self.services.wait_ready(spec.name)

    def down(self, *, remove_state: bool = False) -> None:
        """Stop everything; data is kept unless `remove_state`. Raises FolderRefused where the folder is not ours."""
        if remove_state:
            folders.remove(self.state)
        else:
            folders.stop(self.state)

    def url(self, service: str) -> str:
        """Base URL of a service."""
        return self.services.url("rating-0" if service == "rating" else service)

    def rating_urls(self) -> list[str]:
        """Base URLs of the rating processes."""
        return [self.services.url(name) for name in self.services.names() if name.startswith("rating-")]

    @property
    def doors(self) -> list[str]:
        """The doors of this line, the first one first."""
        return self._of_each_account("invoicing-sync")

    @property
    def accounts(self) -> list[str]:
        """The sandboxes of this line, each an account of Stripe's; the first one owns business time."""
        return self._of_each_account("sandbox")

    def _of_each_account(self, name: str) -> list[str]:
        second = f"{name}-{SECOND}"
        return [name, second] if second in self.services.names() else [name]

    @property
    def api_key(self) -> str:
        """The sender's key that was made when the line was first brought up. Raises FileNotFoundError before that."""
        return self._secret("api_key")

    @property
    def access_key(self) -> str:
        """The key by which the CLI asks every service. Raises FileNotFoundError where `up` has made none."""
        return self._secret("access_key")

    def _secret(self, name: str) -> str:
        secret = self._kept().get(name)
        if secret is None:
            raise FileNotFoundError(f"{self._credentials} holds no key of this line: `settled up` makes it")
        return secret

    def keep_secret(self, name: str, secret: str) -> bool:
        """Keep the new secret of a key that `up` made, so that rotating it shuts nobody out; False for other keys."""
        if name == CLI_KEY:
            self._keep(access_key=secret)
        elif name == SERVICE_KEY:
            write_private(self._service_key_file, f"{secret}\n")
        return name in (CLI_KEY, SERVICE_KEY)

    @property
    def running(self) -> bool:
        """Whether the services of this state folder run."""
        return bool(self.services.running())

    def _env(self, plan: Plan) -> dict[str, str]:
        sandbox = self.services.reserve("sandbox")
        env = {
            "EVENT_PARTITIONS": str(PARTITIONS),
            "ACCESS_KEYS_FILE": str(self.keys_file),
            "SERVICE_KEY_FILE": str(self._service_key_file),
            "SERVICE_KEY": "",  # one of somebody's environment would be a second one
            "STRIPE_API_KEY": "sk_test_sandbox",
            "STRIPE_BASE_URL": sandbox,
            "PUBLIC_URL": self.services.reserve("invoicing-sync"),
        }
        if not os.environ.get("QUARANTINE_KEYS") and not os.environ.get("QUARANTINE_KEYS_FILE"):
            env["QUARANTINE_KEYS_FILE"] = str(self._quarantine_keys())
        if plan.clock_start:
            env |= {"SANDBOX_CLOCK_START": plan.clock_start, "BUSINESS_CLOCK_URL": f"{sandbox}/_sandbox/clock"}
        return env

    def _specs(self, plan: Plan) -> Iterable[ServiceSpec]:
        for name in plan.services:
            if name == "rating":
                for number in range(plan.rating_processes):
                    yield ServiceSpec(f"rating-{number}", MODULES[name])
            else:
                env = self._first(plan).get(name, {}) if plan.doors > 1 else {}
                yield ServiceSpec(name, MODULES[name], env=env, nice=NICE.get(name, 0))
        if plan.doors > 1:
            for name, env in self._second(plan).items():
                yield ServiceSpec(f"{name}-{SECOND}", MODULES[name], env=env, nice=NICE[name])

    @staticmethod
    def _first(plan: Plan) -> dict[str, dict[str, str]]:
        """What the first door and its account are told where there are two."""
        return {"sandbox": {"SANDBOX_API_KEYS": "sk_test_sandbox"}, "invoicing-sync": {"ISSUERS": ISSUERS[0]}}

    def _second(self, plan: Plan) -> dict[str, dict[str, str]]:
        """The second account follows the first one's business time, and its door the account's: no event is ahead."""
        key = f"sk_test_sandbox_{SECOND}"
        sandbox = self.services.reserve(f"sandbox-{SECOND}")
        account = {"SANDBOX_NAME": SECOND, "SANDBOX_API_KEYS": key}
        door = {"DOOR_NAME": SECOND, "ISSUERS": ISSUERS[1], "STRIPE_API_KEY": key, "STRIPE_BASE_URL": sandbox}
        door["PUBLIC_URL"] = self.services.reserve(f"invoicing-sync-{SECOND}")
        if plan.clock_start:
            account["SANDBOX_CLOCK_URL"] = f"{self.services.reserve('sandbox')}/_sandbox/clock"
            door["BUSINESS_CLOCK_URL"] = f"{sandbox}/_sandbox/clock"
        return {"sandbox": account, "invoicing-sync": door}

    def _ensure_keys(self) -> None:
        """Keys of the house for the CLI and for the services among themselves, also on a state from before them."""
        for name, scope, there in (
            (CLI_KEY, KeyScope.ADMIN, "access_key" in self._kept()),
            (SERVICE_KEY, KeyScope.READ, self._service_key_file.exists()),
        ):
            if not there:
                self._make_house_key(name, scope)

    def _make_house_key(self, name: str, scope: KeyScope) -> None:
        secret = new_secret()
        try:
            if any(
                key.name == name for key in read_keys(self.keys_file)
            ):  # its secret was lost: a start that died here
                rotate_key(self.keys_file, name, secret=secret, overlap=timedelta(0))
            else:
                create_key(self.keys_file, name, scope, secret=secret)
        except KeyRefused as refused:
            raise StackError(str(refused)) from None
        self.keep_secret(name, secret)

    def _make_senders_key(self) -> None:
        made = self.services.run_once("usage_ingest", "keys", "create", "--name", CLI_KEY, "--json")
        self._keep(api_key=json.loads(made)["key"])

    def _kept(self) -> dict[str, str]:
        try:
            kept: dict[str, str] = json.loads(self._credentials.read_text())
        except FileNotFoundError:
            return {}
        return kept

    def _keep(self, **secrets: str) -> None:
        write_private(self._credentials, json.dumps({**self._kept(), **secrets}))

    def _quarantine_keys(self) -> Path:
        """The file of the key under which usage-ingest seals its quarantine, made when there is none."""
        file = self.state / "quarantine.keys"
        if not file.exists():
            write_private(file, f"k-{secrets.token_hex(4)}:{base64.b64encode(secrets.token_bytes(32)).decode()}\n")
        return file
