"""What the tests of all members share: how they are spread over workers, and the last lines of the summary."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# Tests that share what is slow to start stay on one worker; the longest shares begin first, so that all end together.
DOOR = "invoicing-sync/tests/integration/"
SHARES = (
    f"{DOOR}test_gaps.py",
    f"{DOOR}test_a {DOOR}test_c {DOOR}test_d {DOOR}test_f",
    DOOR,
    "tests/e2e/test_month.py tests/e2e/test_people.py tests/e2e/test_access.py tests/e2e/test_what_if.py",
    "rating/tests/integration",
    "services/cli/tests/integration",
    "tests/e2e/test_secured_line.py",
    "usage-ingest/tests/integration",
    "services/chassis/tests/integration",
    "tests/e2e",
    "deploy/tests/integration",
    "services/sandbox/tests/integration/netsuite",
    "services/sandbox/tests/integration",
    "services/contracts/tests/integration",
)
COUNTS = pytest.StashKey[Counter[str]]()
CHECKED = "requests held against Stripe's document"  # operation -> count, as a worker hands it over
_checked: Counter[str] = Counter()


class ByShare(LoadScopeScheduling):
    """Each share is one piece of work, and each file that belongs to none."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((share for share in SHARES if _is_of(file, share)), file)


def _is_of(file: str, share: str) -> bool:
    return any(file.startswith(part) for part in share.split())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Pieces of work go out in the order in which they were collected."""
    config.option.loadscopereorder = False
    return ByShare(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a worker, the shares come first; without workers the order stays, with what is quick in between."""
    _tell_apart(items)
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _rank(item.nodeid.partition("::")[0]))


def _tell_apart(items: list[pytest.Item]) -> None:
    """
    Give each operation that schemathesis tests an id of its own.

    It names them by operation, and pytest 9.2 leaves that out of their ids. xdist knows tests by their ids: of those
    that share one it would run the first alone, and say nothing.
    """
    shared = Counter(item.nodeid for item in items)
    for item in items:
        if shared[item.nodeid] > 1 and item.parent is not None:
            item._id = type(item.id).parse(f"{item.parent.nodeid}::{item.name}")
    names = Counter(item.nodeid for item in items)
    assert len(names) == len(items), f"tests with one id, of which one would run: {names.most_common(3)}"


def _rank(file: str) -> int:
    return next((number for number, share in enumerate(SHARES) if _is_of(file, share)), len(SHARES))


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
