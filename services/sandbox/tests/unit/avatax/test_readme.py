"""The README's lists are complete, and what the code says of its assumptions stands there."""

from __future__ import annotations

import re
from pathlib import Path

from sandbox.avatax.answers import Answers
from sandbox.avatax.faults import KINDS
from sandbox.avatax.operations import OPERATIONS
from sandbox.avatax.settings import Settings

PACKAGE = Path(__file__).parents[3] / "src/sandbox/avatax"
README = (PACKAGE / "README.md").read_text()


def test_every_setting_fault_and_call_stands_in_the_readme() -> None:
    """By variable, by kind, by the last part of its path."""
    ends = {operation.path.rsplit("/", 1)[-1] for operation in OPERATIONS}

    assert [name for name in Settings.model_fields if f"`{name.upper()}`" not in README] == []
    assert [kind for kind in KINDS if f"`{kind}`" not in README] == []
    assert [end for end in ends if f"{end}`" not in README and f"/{end}" not in README] == []


def test_every_switch_stands_in_the_readme_with_its_default_first() -> None:
    """In the words: **switch** `name`: `value`, `value`."""
    found = {
        name: tuple(re.findall(r"`(\w+)`", values))
        for name, values in re.findall(r"\*\*switch\*\* `(\w+)`: ((?:`\w+`(?: \([^)]*\))?(?:, )?)+)", README)
    }

    assert found == Answers.all_choices()
    assert all(values[0] == Answers().shown()[name] for name, values in found.items())


def test_the_assumptions_are_numbered_through_and_those_that_the_code_names_exist() -> None:
    """A number in a docstring, or in the file of rates, leads to its row."""
    rows = [int(number) for number in re.findall(r"^\| V(\d+) \|", README, re.MULTILINE)]
    files = [*PACKAGE.rglob("*.py"), PACKAGE / "rates.yaml"]
    named = {int(number) for file in files for number in re.findall(r"\bV(\d+)\b", file.read_text())}

    assert rows == list(range(1, len(rows) + 1))
    assert named
    assert named <= set(rows)
