"""What the demo holds against the truth of corrections: to the minor unit, for every customer."""

from __future__ import annotations

from typing import Any

import pytest

from settled_cli import corrections
from settled_cli.demo.check import credit_differences, priced_differences


def priced(customer: str, minor: int | None, *, currency: str = "USD", document: str | None = "credit_note") -> Any:
    items = [] if minor is None else [{"item": "resolution", "difference_minor": minor}]
    return {"customer": customer, "currency": currency, "document": document, "difference_minor": minor, "items": items}


TRUTH = {"acme": {"priced": {"resolution": -297}}, "beta": {"priced": {}}}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([priced("acme", -297)], []),
        ([priced("acme", -200), priced("acme", -97)], []),
        ([priced("acme", -297), priced("beta", 0)], []),
        ([priced("acme", -298)], [("acme: corrections priced", {"resolution": -297}, {"resolution": -298})]),
        ([], [("acme: corrections priced", {"resolution": -297}, {})]),
        (
            [priced("acme", -297), priced("beta", 1), priced("gamma", 2)],
            [("beta: corrections priced", {}, {"resolution": 1}), ("gamma: corrections priced", {}, {"resolution": 2})],
        ),
        (
            [priced("acme", None)],
            [("acme: corrections priced", {"resolution": -297}, {"a period that is not complete": None})],
        ),
    ],
)
def test_a_minor_unit_too_much_or_too_little_is_a_difference(
    found: list[dict[str, Any]], told: list[tuple[str, dict[str, int], dict[str, int | None]]]
) -> None:
    assert [(each.what, each.expected, each.got) for each in priced_differences(TRUTH, found)] == told


@pytest.mark.parametrize(
    ("credited", "told"),
    [
        ({"acme": 297}, []),
        ({"acme": 296}, [("acme: credit notes", 297, 296)]),
        ({}, [("acme: credit notes", 297, 0)]),
        ({"acme": 297, "beta": 1}, [("beta: credit notes", 0, 1)]),
        ({"acme": 297, "nobody": 1}, [("nobody: credit notes", 0, 1)]),
    ],
)
def test_credit_notes_are_what_the_truth_owes_back(credited: dict[str, int], told: list[tuple[str, int, int]]) -> None:
    assert [(each.what, each.expected, each.got) for each in credit_differences(TRUTH, credited)] == told


def test_corrections_are_summed_by_what_they_become_and_by_currency() -> None:
    found = [
        priced("acme", -297),
        priced("beta", -100, currency="JPY"),
        priced("gamma", -3),
        priced("delta", 99, document="prior_period"),
        priced("acme", 0, document="nothing"),
        priced("beta", None, document=None),
    ]

    assert corrections.sentences(found) == [
        "3 credit notes: JPY -100, USD -3.00",
        "1 prior-period line: USD 0.99",
        "1 comes to nothing",
        "1 waits for the period's own numbers",
    ]
