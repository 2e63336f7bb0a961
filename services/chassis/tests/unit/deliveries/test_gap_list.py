"""The gap list of the README and the gaps that a door takes over are one set, and every one is reached in the code."""

from __future__ import annotations

import re
from pathlib import Path

from chassis.deliveries import GAPS

FOLDER = Path(__file__).parents[3]


def test_the_readmes_gap_list_is_the_declared_set() -> None:
    section = (FOLDER / "README.md").read_text().split("### Dying in between")[1].split("\n## ")[0]

    assert set(re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)) == set(GAPS)


def test_every_declared_gap_is_reached_somewhere() -> None:
    source = "".join(path.read_text() for path in (FOLDER / "src/chassis/deliveries").rglob("*.py"))
    reached = " ".join(re.findall(r"failpoints\.reach\((.*)\)", source))

    assert set(re.findall(r'"([a-z-]+)"', reached)) == set(GAPS)


def test_every_number_of_a_policy_is_in_the_readme() -> None:
    from chassis.deliveries import Policy

    text = (FOLDER / "README.md").read_text()

    assert {name for name in Policy.__dataclass_fields__ if f"`{name}`" not in text} == set()
