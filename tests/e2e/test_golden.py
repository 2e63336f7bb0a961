"""What was computed by hand, decisions and invoices, through HTTP, Kafka and PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SETTLED = str(Path(sys.executable).parent / "settled")
GOLDEN = Path(__file__).parents[1] / "data" / "golden-invoices.yaml"


NOT_RUN = {"X02"}


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_26_of_26_decisions_and_29_of_29_invoices_through_the_service() -> None:
    """One invoice case is not run that way, and says why."""
    code, verdicts = through("service", GOLDEN)

    states = [verdict["state"] for verdict in verdicts]
    assert [(v["id"], v["expected"], v["got"]) for v in verdicts if v["state"] == "miss"] == []
    assert (code, states.count("ok"), len(states)) == (0, 26 + 29, 26 + 30)
    assert {v["id"] for v in verdicts if v["state"] == "not run" and v["note"]} == NOT_RUN


def test_a_wrong_expectation_is_a_miss_and_a_non_zero_exit(tmp_path: Path) -> None:
    text = GOLDEN.read_text().replace("expected: {net: 1, ledger", "expected: {net: 2, ledger", 1)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(text)

    result = subprocess.run([SETTLED, "golden", str(wrong), "--json"], capture_output=True, text=True, check=False)

    states = {verdict["id"]: verdict["state"] for verdict in json.loads(result.stdout)}
    assert result.returncode == 1
    assert [id_ for id_, state in states.items() if state == "miss"] == ["O01"]


def through(way: str, file: Path) -> tuple[int, list[dict[str, str]]]:
    command = [SETTLED, "golden", str(file), "--through", way, "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.returncode, json.loads(result.stdout)


def test_30_of_30_invoices_and_7_of_7_points_of_rounding_through_the_engine() -> None:
    code, verdicts = through("engine", GOLDEN)

    states = [verdict["state"] for verdict in verdicts]
    assert (code, states.count("ok"), len(states)) == (0, 26 + 30 + 7, 26 + 30 + 7)


def test_30_of_30_invoices_by_the_contract_that_says_them() -> None:
    code, verdicts = through("contract", GOLDEN)

    states = [verdict["state"] for verdict in verdicts]
    assert (code, states.count("ok"), len(states)) == (0, 26 + 30, 26 + 30)


@pytest.mark.parametrize("way", ["engine", "contract"])
def test_a_cent_more_on_one_line_is_a_miss(tmp_path: Path, way: str) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(GOLDEN.read_text().replace("amount: 40788}", "amount: 40789}"))

    code, verdicts = through(way, wrong)

    assert code == 1
    assert [verdict["id"] for verdict in verdicts if verdict["state"] == "miss"] == ["G01"]


def test_what_a_contract_cannot_say_is_a_miss_with_the_sentence(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(GOLDEN.read_text().replace('percent: "20", invoices: 3', 'percent: "120", invoices: 3'))

    code, verdicts = through("contract", wrong)

    (miss,) = [verdict for verdict in verdicts if verdict["state"] == "miss"]
    assert (code, miss["id"]) == (1, "G03")
    assert "discounts.discount-0.percent: 120 percent off" in str(miss["got"])
