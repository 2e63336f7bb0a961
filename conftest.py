"""What the tests of all members share: the last lines of the summary, which pytest-xdist's workers cannot print."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

COUNTS = pytest.StashKey[Counter[str]]()
CHECKED = "requests held against Stripe's document"  # operation -> count, as a worker hands it over
_checked: Counter[str] = Counter()


def pytest_configure(config: pytest.Config) -> None:
    """One counter for whatever member holds requests against Stripe's document."""
    config.stash[COUNTS] = Counter()


@pytest.fixture(scope="session")
def held_against_stripe(pytestconfig: pytest.Config) -> Counter[str]:
    """Requests that were held against Stripe's document, by operation."""
    return pytestconfig.stash[COUNTS]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a worker: hand the counts over. Elsewhere they are here already."""
    counted = session.config.stash[COUNTS]
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[CHECKED] = dict(counted)
    else:
        _checked.update(counted)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """A worker has ended: add up what it counted."""
    _checked.update(getattr(node, "workeroutput", {}).get(CHECKED, {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How much of Stripe's API the door's tests went through."""
    if _checked:
        terminalreporter.write_line(
            f"the door and the sandbox held to Stripe's OpenAPI document in {_checked.total():,} requests with their"
            f" answers, of {len(_checked)} distinct operations"
        )
