"""The README's lists are complete."""

from __future__ import annotations

from pathlib import Path

from sandbox.faults import KINDS
from sandbox.settings import Settings

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_every_setting_stands_in_the_readme() -> None:
    """By its variable."""
    missing = [name for name in Settings.model_fields if f"`{name.upper()}`" not in README]

    assert missing == []


def test_every_fault_stands_in_the_readme() -> None:
    """By its kind."""
    assert [kind for kind in KINDS if f"`{kind}`" not in README] == []
