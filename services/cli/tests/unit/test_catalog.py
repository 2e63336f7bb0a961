"""`settled catalog check`: what it says about a sound folder and about one with mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from contracts_service.catalog.folder import read_folder
from settled_cli.catalog import catalog, summary

SHIPPED = Path(__file__).parents[3] / "contracts" / "catalog"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    for file in SHIPPED.glob("*.yaml"):
        (tmp_path / file.name).write_text(
            file.read_text().replace('"39"', "39").replace('percent: "35"', 'percent: "350"')
        )
    return tmp_path


def test_a_sound_folder_is_shown_in_80_columns() -> None:
    console = Console(width=80)
    with console.capture() as captured:
        console.print(summary(read_folder(SHIPPED), width=80))
    lines = captured.get().splitlines()

    assert max(len(line) for line in lines) <= 80
    assert lines[0].startswith("✓ 7 plans, 4 add-ons, 5 currencies: sound")
    assert any("essential_monthly" in line and "USD 39" in line for line in lines)
    assert any("legacy_2023" in line and "no: legacy" in line for line in lines)


def test_every_mistake_is_told_and_the_exit_code_says_a_finding(broken: Path) -> None:
    done = CliRunner().invoke(catalog, ["check", str(broken)])

    assert done.exit_code == 1
    assert "2 mistakes in" in done.stderr
    told = " ".join(done.stderr.split())
    assert (
        'plans.yaml, line 8: plans.essential_monthly.prices.USD: USD: write a price in quotes, such as "0.99"' in told
    )
    assert "offers.yaml, line 11: coupons.welcome.percent: 350 percent off" in told


def test_the_same_as_json(broken: Path) -> None:
    done = CliRunner().invoke(catalog, ["check", str(broken), "--json"])

    assert done.exit_code == 1
    assert [(one["file"], one["line"], one["code"]) for one in json.loads(done.stdout)["mistakes"]] == [
        ("offers.yaml", 11, "discount_percent"),
        ("plans.yaml", 8, "malformed"),
    ]


def test_what_is_no_folder_is_wrong_usage(tmp_path: Path) -> None:
    done = CliRunner().invoke(catalog, ["check", str(tmp_path / "nowhere")])

    assert done.exit_code == 2
    assert "is no folder" in " ".join(done.stderr.split())
