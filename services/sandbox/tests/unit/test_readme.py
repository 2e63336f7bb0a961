"""The README's lists are complete."""

from __future__ import annotations

from pathlib import Path

from sandbox.faults import KINDS
from sandbox.settings import Settings
from sandbox.stripe.answers import Answers, choices

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_every_setting_stands_in_the_readme() -> None:
    """By its variable."""
    missing = [name for name in Settings.model_fields if f"`{name.upper()}`" not in README]

    assert missing == []


def test_every_fault_stands_in_the_readme() -> None:
    """By its kind."""
    assert [kind for kind in KINDS if f"`{kind}`" not in README] == []


def test_every_switch_stands_in_the_readme_with_its_default_first() -> None:
    """As a row: its name, then its values."""
    switches = choices(selling=True)
    rows = [f"| `{name}` | {', '.join(f'`{value}`' for value in values)} |" for name, values in switches.items()]

    assert [row for row in rows if row not in README] == []
    assert all(values[0] == Answers().shown()[name] for name, values in switches.items())
