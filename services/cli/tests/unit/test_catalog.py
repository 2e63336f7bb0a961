"""`settled catalog`: what it says about a folder, sound or not, and about what is stored."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from contracts_service.catalog.domain.models import content_of
from contracts_service.catalog.domain.versions import KeptCatalog, Uses, applied, compare
from contracts_service.catalog.folder import read_document, read_folder
from settled_cli import catalog as commands
from settled_cli.catalog import catalog, differences, summary
from settled_cli.line import LineError

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


class Stored:
    """The service's part, by its own rules, without HTTP and a database."""

    def __init__(self) -> None:
        self.fleet = SimpleNamespace(doors=["invoicing-sync"])
        self.kept = KeptCatalog()
        self.uses: Uses = {}
        self.stripe: list[dict[str, Any]] | None = []

    async def get(self, service: str, path: str) -> dict[str, Any]:
        if (service, path) == ("invoicing-sync", "/v1/catalogue"):
            if self.stripe is None:
                raise LineError("invoicing-sync does not answer")
            return {"objects": self.stripe}
        assert (service, path) == ("contracts", "/v1/catalog")
        return {"number": self.kept.number, "catalog": content_of(self.kept.offered())}

    async def post(self, service: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        assert service == "contracts"
        wanted = read_document(body["catalog"])
        found = compare(self.kept, wanted, self.uses)
        if path == "/v1/catalog/apply":
            assert body["number"] == self.kept.number
            self.kept = applied(self.kept, wanted)
        return {
            "number": self.kept.number,
            "changes": [asdict(one) for one in found.changes],
            "unchanged": len(found.differences) - len(found.changes),
            "refusals": [asdict(flaw) for flaw in found.refusals],
        }


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Stored:
    line = Stored()
    monkeypatch.setattr(commands, "ask", lambda question: asyncio.run(question(line)))
    return line


def run(*arguments: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(catalog, [*arguments, "--json"])
    found: dict[str, Any] = json.loads(done.stdout)
    return done.exit_code, found


def test_applying_twice_changes_nothing_and_an_export_says_the_same(stored: Stored, tmp_path: Path) -> None:
    code, planned = run("plan", str(SHIPPED))
    assert (code, len(planned["changes"]), stored.kept.number) == (0, 39, 0)

    assert run("apply", str(SHIPPED))[1]["number"] == 1
    again = CliRunner().invoke(catalog, ["apply", str(SHIPPED)])
    assert "nothing to do: the catalogue is number 1" in again.stdout

    assert run("export", str(tmp_path / "out"))[0] == 0
    stripe = {"asked": True, "why": None, "edited": [], "unknown": []}
    planned = {"number": 1, "changes": [], "unchanged": 39, "refusals": [], "stripe": stripe}
    assert run("plan", str(tmp_path / "out")) == (0, planned)
    assert read_folder(tmp_path / "out") == read_folder(SHIPPED)


def test_a_folder_with_yaml_is_not_written_into(stored: Stored, tmp_path: Path) -> None:
    (tmp_path / "plans.yaml").write_text("plans: {}")

    assert CliRunner().invoke(catalog, ["export", str(tmp_path)]).exit_code == 2


def test_a_price_in_use_is_refused_and_nothing_is_applied(stored: Stored, tmp_path: Path) -> None:
    run("apply", str(SHIPPED))
    stored.uses = {("plans", "essential_monthly", 1): 2}
    for file in SHIPPED.glob("*.yaml"):
        (tmp_path / file.name).write_text(file.read_text().replace('"39"', '"45"'))

    code, refused = run("apply", str(tmp_path))

    assert (code, stored.kept.number) == (1, 1)
    assert [flaw["code"] for flaw in refused["refusals"]] == ["price_in_use"]


def test_a_plan_fits_80_columns(stored: Stored) -> None:
    found = asyncio.run(stored.post("contracts", "/v1/catalog/plan", {"catalog": content_of(read_folder(SHIPPED))}))
    flaw = {"code": "price_in_use", "field": "plans.a.prices", "sentence": "2 customers have agreed to version 1 " * 3}
    console = Console(width=80)
    with console.capture() as captured:
        console.print(differences({**found, "refusals": [flaw]}, done=False, width=80))
    lines = captured.get().splitlines()

    assert max(len(line) for line in lines) <= 80
    assert lines[0] == "39 differences, 0 entries unchanged"
    assert lines[-1] == "✗ nothing was applied"
    assert any("new" in line and "plans.essential_monthly" in line for line in lines)


AT_STRIPE = {"stripe_id": "x_1", "active": True, "ours": True, "edits": []}
ARCHIVED = AT_STRIPE | {"kind": "price", "name": "settled.advance.copilot.usd.0", "item": "copilot", "active": False}
ARCHIVED |= {"edits": ["it was archived"]}


def test_a_plan_names_what_stripe_has_and_what_a_person_changed_there(stored: Stored) -> None:
    unknown = AT_STRIPE | {"kind": "product", "name": "Consulting", "item": None, "ours": False}
    stored.stripe = [AT_STRIPE | {"kind": "meter", "name": "resolution", "item": "resolution"}, ARCHIVED, unknown]

    code, found = run("plan", str(SHIPPED))
    told = CliRunner().invoke(catalog, ["plan", str(SHIPPED)], env={"COLUMNS": "200"}).output

    assert code == 1
    assert (found["stripe"]["edited"], found["stripe"]["unknown"]) == ([ARCHIVED], [unknown])
    assert "it was archived" in told
    assert "Consulting" in told


def test_a_plan_without_an_answer_of_stripe_says_so_and_is_a_plan(stored: Stored) -> None:
    stored.stripe = None

    code, found = run("plan", str(SHIPPED))

    assert (code, found["stripe"]["asked"]) == (0, False)
    assert len(found["changes"]) > 0
    assert "Stripe was not asked: invoicing-sync does not answer" in " ".join(
        CliRunner().invoke(catalog, ["plan", str(SHIPPED)], env={"COLUMNS": "200"}).output.split()
    )
