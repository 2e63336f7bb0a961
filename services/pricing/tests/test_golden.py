"""The 30 invoices computed by hand, line by line, and the points of rounding; amounts come from the file alone."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from pricing.golden import answer
from pricing.golden.answer import rounding_point

FILE = Path(__file__).parents[3] / "tests" / "data" / "golden-invoices.yaml"
DOCUMENT = yaml.safe_load(FILE.read_text())
CASES = DOCUMENT["cases"]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_engine_says_what_was_computed_by_hand(case: dict[str, Any]) -> None:
    expected, said = answer(case, DOCUMENT["price_tables"])

    assert said == expected


def test_there_are_thirty_cases() -> None:
    assert len(CASES) == 30


@pytest.mark.parametrize("point", DOCUMENT["rounding_points"], ids=lambda point: point["exact"])
def test_the_points_of_rounding(point: dict[str, Any]) -> None:
    assert rounding_point(point) == point["rounded"]


def numbers(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where integers stand in what is expected; a point's quantity is a question, not an answer."""
    if isinstance(node, dict):
        return [
            p
            for key, value in node.items()
            for p in numbers(value, (*path, key))
            if (*path, key)[-1:] != ("qty",) or "points" not in path
        ]
    if isinstance(node, list):
        return [p for place, value in enumerate(node) for p in numbers(value, (*path, place))]
    return [path] if isinstance(node, int) else []


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_any_other_number_would_be_a_miss(case: dict[str, Any]) -> None:
    """Each integer of each expectation is moved by one, and the answer must differ: nothing is copied from it."""
    for path in numbers(case["expected"]):
        wrong = deepcopy(case)
        node = wrong["expected"]
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] += 1

        expected, said = answer(wrong, DOCUMENT["price_tables"])

        assert said != expected, path
