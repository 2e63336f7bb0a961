"""The lists of the package's README are complete."""

from __future__ import annotations

from pathlib import Path

import sandbox.netsuite
from sandbox.netsuite.answers import Answers
from sandbox.netsuite.control import KINDS
from sandbox.netsuite.records.catalogue import RECORDS
from sandbox.netsuite.settings import Settings
from sandbox.netsuite.suiteql.expressions import AGGREGATES
from sandbox.netsuite.suiteql.functions import FUNCTIONS
from sandbox.netsuite.suiteql.tables import TABLES

README = (Path(sandbox.netsuite.__file__).parent / "README.md").read_text()


def test_every_setting_fault_record_and_table_stands_in_the_readme() -> None:
    settings = [name.upper() for name in Settings.model_fields]
    named = [*settings, *KINDS, *RECORDS, *TABLES]

    assert [name for name in named if f"`{name}`" not in README] == []
    assert [name for name in (*FUNCTIONS, *AGGREGATES) if name not in README] == []


def test_every_switch_stands_in_the_readme_with_its_default_first() -> None:
    """As a row: its name, then its values."""
    rows = [
        f"| `{name}` | {', '.join(f'`{one}`' for one in values)} |" for name, values in Answers.all_choices().items()
    ]

    assert [row for row in rows if row not in README] == []
    assert all(values[0] == Answers().shown()[name] for name, values in Answers.all_choices().items())


def test_the_assumptions_are_numbered_without_a_gap_and_the_code_names_those_that_are_there() -> None:
    import re

    numbers = re.findall(r"^\| N(\d+) \|", README, re.MULTILINE)
    sources = [file.read_text() for file in Path(sandbox.netsuite.__file__).parent.rglob("*.py")]
    named = {number for source in sources for number in re.findall(r"assumption N(\d+)", source)}

    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
    assert named <= set(numbers)
