"""The gap list of the README and the declared failpoints are one set, and every one is reached in the code."""

from __future__ import annotations

import re
from pathlib import Path

from invoicing_sync.gaps import GAPS

FOLDER = Path(__file__).parents[2]


def test_the_readmes_gap_list_is_the_declared_set() -> None:
    section = (FOLDER / "README.md").read_text().split("## Dying in between")[1].split("\n## ")[0]

    assert set(re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)) == set(GAPS)


def test_every_declared_gap_is_reached_somewhere() -> None:
    source = "".join(path.read_text() for path in (FOLDER / "src").rglob("*.py"))

    assert set(re.findall(r'failpoints\.reach\("([a-z-]+)"\)', source)) == set(GAPS)


def test_every_setting_is_in_the_readme() -> None:
    from invoicing_sync.settings import Settings

    text = (FOLDER / "README.md").read_text()

    assert {name for name in Settings.model_fields if f"`{name.upper()}`" not in text} == set()
