"""The import contracts catch what they are there for: each is seen to fail on a planted violation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PLANTED = [
    ("rating/src/usage_rating", "domain/outcome.py", "import time", "A rule does no I/O"),
    ("rating/src/usage_rating", "domain/outcome.py", "import logging", "A rule does no I/O"),
    ("rating/src/usage_rating", "domain/entries.py", "import asyncpg", "A rule does no I/O"),
    ("invoicing-sync/src/invoicing_sync", "usage/domain/routing.py", "import stripe", "A rule does no I/O"),
    ("invoicing-sync/src/invoicing_sync", "invoices/domain/gate.py", "import logging", "A rule does no I/O"),
    ("services/sandbox/src/sandbox", "stripe/domain/amounts.py", "import time", "A rule does no I/O"),
    ("services/cli/src/settled_cli", "what_if/domain/overlay.py", "import httpx", "A rule does no I/O"),
    ("rating/src/usage_rating", "handlers.py", "import usage_ingest", "No service imports another"),
    ("services/chassis/src/chassis", "clock.py", "import sandbox", "The shared libraries know no service"),
    ("services/workload/src/workload", "truth/money.py", "import usage_rating", "The truth shares nothing"),
    ("services/workload/src/workload", "truth/money.py", "import pricing.models", "The sandbox and the truth price"),
    ("services/sandbox/src/sandbox", "stripe/domain/amounts.py", "import pricing.prices", "The sandbox and the truth"),
    ("services/sandbox/src/sandbox", "avatax/domain/tax.py", "import logging", "A rule does no I/O"),
    ("services/sandbox/src/sandbox", "avatax/desk.py", "import sandbox.journal", "No vendor's stand-in knows"),
    ("services/sandbox/src/sandbox", "avatax/request.py", "import event_schemas.values", "The sandbox's amounts share"),
    ("services/sandbox/src/sandbox", "avatax/domain/tax.py", "import pricing.engine", "The sandbox and the truth"),
    ("rating/src/usage_rating", "handlers.py", "import pricing.engine", "Only the door, the contracts"),
    ("services/pricing/src/pricing", "terms.py", "import time", "A rule does no I/O"),
    ("services/pricing/src/pricing", "models/flat.py", "import logging", "A rule does no I/O"),
    ("services/pricing/src/pricing", "terms.py", "import event_schemas.contracts", "The engine knows values and times"),
    ("services/pricing/src/pricing", "terms.py", "import usage_rating", "The engine knows values and times"),
    ("services/pricing/src/pricing", "terms.py", "import event_schemas.contract_v2", "The engine knows values"),
    ("services/pricing/src/pricing", "engine.py", "import pricing.agreed", "The engine does not know the module"),
    ("services/contracts/src/contracts_service", "catalog/domain/checks.py", "import logging", "A rule does no I/O"),
    ("services/contracts/src/contracts_service", "catalog/folder.py", "import settled_cli", "What is sold rests on"),
]


def lint(pythonpath: str = "") -> subprocess.CompletedProcess[str]:
    """Hold the contracts against the packages, those in `pythonpath` before the installed ones."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    env = {**os.environ, "PYTHONPATH": pythonpath}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_all_contracts_are_kept() -> None:
    result = lint()

    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(("package", "module", "line", "contract"), PLANTED, ids=[f"{p[1]}:{p[2]}" for p in PLANTED])
def test_a_planted_violation_is_caught(tmp_path: Path, package: str, module: str, line: str, contract: str) -> None:
    copy = tmp_path / Path(package).name
    shutil.copytree(ROOT / package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    planted = copy / module
    planted.write_text(planted.read_text() + f"\n{line}\n")

    result = lint(str(tmp_path))

    assert result.returncode == 1
    broken = [row for row in result.stdout.splitlines() if " BROKEN" in row]
    assert any(row.startswith(contract) for row in broken), broken
