"""A folder of YAML: every mistake with its file and line, all at once; and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts_service.catalog.folder import CatalogRefused, read_document, read_folder, to_files
from contracts_service.testing import a_catalog

SHIPPED = Path(__file__).parents[3] / "catalog"


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def split(folder: Path, document: dict[str, Any]) -> Path:
    """A file for each section."""
    return written(folder, **{section: yaml.safe_dump({section: content}) for section, content in document.items()})


def mistakes(folder: Path) -> list[tuple[str, int | None, str, str]]:
    with pytest.raises(CatalogRefused) as refused:
        read_folder(folder)
    return [(one.file, one.line, one.code, one.field) for one in refused.value.mistakes]


def test_sections_may_stand_in_any_files(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    document = a_catalog()
    plans = document.pop("plans")
    split(tmp_path, document)
    (tmp_path / "deeper" / "new.yml").write_text(yaml.safe_dump({"plans": {"basic": plans.pop("basic")}}))
    (tmp_path / "old.yaml").write_text(yaml.safe_dump({"plans": plans}))

    assert read_folder(tmp_path) == read_document(a_catalog())


def test_every_mistake_of_every_file_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    split(tmp_path, a_catalog(plans=...))
    written(
        tmp_path,
        plans="plans:\n  basic:\n    name: Basic\n    product: basic_seat\n    sold_in: [USD]\n    prices: {USD: 39}\n"
        "    policy: strict\n",
        twice="coupons:\n  welcome: {name: Again, percent: '5'}\n",
        broken="plans: [",
        list="- plans\n",
        wrong="add_ons: 3\nprices: {}\n",
        empty="# nothing yet\n",
    )

    assert mistakes(tmp_path) == [
        ("add_ons.yaml", 12, "unknown_plan", "add_ons.insight.plans"),
        ("broken.yaml", 1, "not_yaml", ""),
        ("list.yaml", 1, "wrong_type", ""),
        ("plans.yaml", 6, "malformed", "plans.basic.prices.USD"),
        ("twice.yaml", 2, "duplicate_key", "coupons.welcome"),
        ("wrong.yaml", 1, "wrong_type", "add_ons"),
        ("wrong.yaml", 2, "unknown_field", ""),
    ]


def test_a_missing_field_is_told_with_the_line_of_what_lacks_it(tmp_path: Path) -> None:
    split(tmp_path, a_catalog(trials=...))
    written(tmp_path, trials="trials:\n  fortnight:\n    name: Two weeks\n")

    assert mistakes(tmp_path) == [("trials.yaml", 2, "field_missing", "trials.fortnight.days")]


def test_a_key_that_stands_twice_in_a_file_is_a_mistake_and_not_the_last_one(tmp_path: Path) -> None:
    split(tmp_path, a_catalog(trials=...))
    written(tmp_path, trials="trials:\n  fortnight: {name: A, days: 14}\n  fortnight: {name: B, days: 15, days: 16}\n")

    assert mistakes(tmp_path) == [
        ("trials.yaml", 3, "duplicate_key", "trials.fortnight"),
        ("trials.yaml", 3, "duplicate_key", "trials.fortnight.days"),
    ]


def test_a_group_that_holds_itself_is_refused(tmp_path: Path) -> None:
    split(tmp_path, a_catalog(trials=...))
    written(tmp_path, trials="trials: {fortnight: &t {name: A, days: 14, allowances: *t}}\n")

    assert {code for _, _, code, _ in mistakes(tmp_path)} <= {"wrong_type", "malformed"}


def test_a_folder_without_yaml_says_so(tmp_path: Path) -> None:
    assert mistakes(tmp_path) == [(str(tmp_path), None, "no_files", "")]


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "plans.yaml").write_bytes(b"\xff\xfe\x00")

    assert mistakes(tmp_path) == [("plans.yaml", None, "unreadable", "")]


def test_the_shipped_catalogue_is_sound_and_comes_back_whole(tmp_path: Path) -> None:
    catalog = read_folder(SHIPPED)

    for name, text in to_files(catalog).items():
        (tmp_path / name).write_text(text)

    assert read_folder(tmp_path) == catalog
    assert [str(currency) for currency in catalog.currencies] == ["USD", "EUR", "GBP", "JPY", "KWD"]
    assert {plan.product for plan in catalog.plans.values()} == {
        "essential_seat",
        "advanced_seat",
        "expert_seat",
        "legacy_seat",
    }
    assert catalog.plans["essential_monthly"].prices["USD"].unit_price == "39"  # type: ignore[union-attr, index]
