"""The numbered assumptions."""

from __future__ import annotations

from invoicing_sync.assumptions.domain.catalogue import ASSUMPTIONS


def test_numbers_are_stable_and_without_gaps() -> None:
    assert list(ASSUMPTIONS) == [f"A{number}" for number in range(1, len(ASSUMPTIONS) + 1)]


def test_every_switch_belongs_to_one_assumption() -> None:
    switches = [one.switch for one in ASSUMPTIONS.values() if one.switch]

    assert sorted(switches) == ["draft_usage", "finalised_usage", "kept_drafts"]
