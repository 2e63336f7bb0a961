"""The gaps, the places in the code, the README and the tests are one set; and so are the settings."""

from __future__ import annotations

import re
from pathlib import Path

from contracts_service.gaps import FAILPOINTS
from contracts_service.settings import Settings

ROOT = Path(__file__).parents[2]
REACHED = re.compile(r'FAILPOINTS\.reach\(\s*"([^"]+)"')


def test_every_declared_gap_is_reached_in_the_code_and_no_other() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))

    assert set(REACHED.findall(sources)) == set(FAILPOINTS.gaps)


def test_the_readme_lists_the_same_gaps() -> None:
    listed = re.findall(r"^\| `([a-z]+\.[a-z-]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert sorted(listed) == sorted(FAILPOINTS.gaps)


def test_every_gap_has_a_test_that_dies_there() -> None:
    tests = (ROOT / "tests/integration/test_gaps.py").read_text()

    assert all(f'"{gap}"' in tests or f'"contracts.{gap}"' in tests for gap in FAILPOINTS.gaps)


def test_every_setting_of_its_own_is_in_the_readme() -> None:
    own = set(Settings.model_fields) - set(Settings.__mro__[1].model_fields)  # type: ignore[attr-defined]

    missing = {name for name in own if f"`{name.upper()}`" not in (ROOT / "README.md").read_text()}

    assert missing == set()
