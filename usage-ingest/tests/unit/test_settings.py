"""Every setting stands in the README."""

from __future__ import annotations

from pathlib import Path

from usage_ingest.settings import Settings

README = Path(__file__).parents[2] / "README.md"


def test_every_setting_of_its_own_is_in_the_readme() -> None:
    own = set(Settings.model_fields) - set(Settings.__mro__[1].model_fields)  # type: ignore[attr-defined]

    missing = {name for name in own if f"`{name.upper()}`" not in README.read_text()}

    assert missing == set()
