"""Dying on purpose: only where armed, at the pass that was asked for, and never at a place that was not declared."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from chassis.failpoints import VARIABLE, Failpoints

GAPS = {"before-publish": "the entries are published again", "after-publish": "the position is stored again"}
PROGRAM = """
from chassis.failpoints import Failpoints
failpoints = Failpoints("rating", {"before-publish": "", "after-publish": ""})
for number in range(1, 6):
    failpoints.reach("after-publish")
    failpoints.reach("before-publish")
    print(number, flush=True)
"""


def run_with(armed: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, VARIABLE: armed}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(("armed", "passed"), [("rating.before-publish", []), ("rating.before-publish:3", ["1", "2"])])
def test_dies_by_sigkill_at_the_pass_that_was_asked_for(armed: str, passed: list[str]) -> None:
    ended = run_with(armed)

    assert ended.returncode == -signal.SIGKILL
    assert ended.stdout.split() == passed


@pytest.mark.parametrize("armed", ["", "usage-ingest.before-publish", "rating.before-publish:6"])
def test_lives_where_nothing_is_armed_for_it_or_the_pass_is_not_reached(armed: str) -> None:
    ended = run_with(armed)

    assert ended.returncode == 0
    assert ended.stdout.split() == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    "armed", ["rating.before-lunch", "rating.", "rating.before-publish:soon", "rating.before-publish:0"]
)
def test_an_order_that_cannot_be_carried_out_stops_the_start(armed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failpoint test that never dies would pass for the wrong reason."""
    monkeypatch.setenv(VARIABLE, armed)

    with pytest.raises(ValueError, match=r"failpoint|invalid literal"):
        Failpoints("rating", GAPS)


def test_a_place_that_was_not_declared_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)

    with pytest.raises(ValueError, match="has not declared the failpoint 'before-lunch'"):
        Failpoints("rating", GAPS).reach("before-lunch")
