"""The 26 decisions of the golden file, computed by hand, through the pure function."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from usage_rating.domain.outcome import decide
from usage_rating.golden import expected_form, from_golden

GOLDEN = Path(__file__).parents[4] / "tests" / "data" / "golden-invoices.yaml"
CASES = yaml.safe_load(GOLDEN.read_text())["outcome_cases"]
OWN = yaml.safe_load((Path(__file__).parent / "product_cases.yaml").read_text())["outcome_cases"]


def test_the_golden_file_has_its_26_decisions() -> None:
    assert len(CASES) == 26


@pytest.mark.parametrize("case", [*CASES, *OWN], ids=lambda case: case["id"])
def test_decides_as_computed_by_hand(case: dict[str, Any]) -> None:
    signals, timeline, as_of = from_golden(case)

    decision = decide(signals, timeline, as_of=as_of)

    assert expected_form(decision.wanted) == case["expected"]
