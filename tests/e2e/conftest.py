"""One small month through the whole line, kept running for the tests that look at it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
import yaml

T = TypeVar("T")
SETTLED = str(Path(sys.executable).parent / "settled")


@dataclass(frozen=True, slots=True)
class Month:
    """A demo that is over, its facts, and its line still running."""

    folder: Path
    code: int
    facts: dict[str, Any]

    def settled(self, *arguments: str) -> tuple[int, Any]:
        """Run a command of the line with --json; its exit code and what it printed."""
        result = self.said(*arguments, "--json")
        assert result.stdout, result.stderr
        return result.returncode, json.loads(result.stdout)

    def said(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the line as a person would, in a window of 120 cells."""
        env = {**_env(self.folder), "COLUMNS": "120"}
        return subprocess.run(
            [SETTLED, *arguments], cwd=self.folder, env=env, capture_output=True, text=True, check=False
        )

    def url(self, service: str) -> str:
        """Base URL of a service."""
        ports = json.loads((self.folder / "out/demo/state/services.json").read_text())
        return f"http://127.0.0.1:{ports[service]['port']}"

    @property
    def header(self) -> dict[str, str]:
        """The header of the CLI's own key, which may do everything."""
        kept = json.loads((self.folder / "out/demo/state/credentials.json").read_text())
        return {"Authorization": f"Bearer {kept['access_key']}"}

    def stripe(self, path: str, *, method: str = "POST", **options: Any) -> httpx.Response:
        """Call the sandbox behind the door's back: as the account's holder, its control paths as the CLI does."""
        headers = self.header if path.startswith("/_sandbox") else {"Authorization": "Bearer sk_test_sandbox"}
        return httpx.request(method, f"{self.url('sandbox')}{path}", headers=headers, **options)

    def fault(self, **order: Any) -> None:
        """Switch a fault of the sandbox on."""
        self.stripe("/_sandbox/faults", json=order).raise_for_status()

    def customers_with(self, meter: str) -> list[str]:
        """Customers whose contract, of either version, prices a meter."""
        agreed = yaml.safe_load((self.folder / "out/demo/workload/contracts.yaml").read_text())["contracts"]
        return [
            each["customer"]
            for each in agreed
            if meter in [part.get("meter") for part in (*each.get("metered", ()), *each.get("items", ()))]
        ]

    def get(self, service: str, path: str) -> Any:
        """GET a JSON document of a service."""
        answer = httpx.get(f"{self.url(service)}{path}", headers=self.header, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def stripe_id(self, customer: str) -> str:
        """The customer's id at Stripe."""
        return str(self.get("invoicing-sync", f"/v1/contracts/{customer}")["stripe_customer"])

    def until(self, ask: Callable[[], T | None], *, within_s: float = 120) -> T:
        """Ask until the answer is not None, at most `within_s`."""
        deadline = time.monotonic() + within_s
        while (answer := ask()) is None:
            assert time.monotonic() < deadline, "it did not come about in time"
            time.sleep(0.2)
        return answer

    def truth(self) -> dict[str, Any]:
        """The ground truth, which no service has seen."""
        truth: dict[str, Any] = json.loads((self.folder / "out/demo/workload/truth.json").read_text())
        return truth


def _env(folder: Path) -> dict[str, str]:
    return {**os.environ, "SETTLED_STATE": str(folder / "out/demo/state"), "NO_COLOR": "1"}


@pytest.fixture(scope="session")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    """A month of 26 customers, adversarial conversations included."""
    folder = Path(tmp_path_factory.mktemp("month"))
    command = [SETTLED, "demo", "--customers", "26", "--conversations", "300", "--doors", "1", "--keep", "--json"]
    try:
        result = subprocess.run(
            command, cwd=folder, env=_env(folder), capture_output=True, text=True, timeout=900, check=False
        )
        assert result.stdout, result.stderr
        yield Month(folder, result.returncode, json.loads(result.stdout))
    finally:
        subprocess.run([SETTLED, "down", "--remove-state"], cwd=folder, env=_env(folder), check=True)
