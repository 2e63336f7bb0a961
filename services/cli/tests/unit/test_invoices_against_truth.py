"""An invoice is held against the truth in each of its lines, at Stripe and at the door; what is wrong is told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from settled_cli.demo.invoices import invoice_differences, standing, standing_amounts

DAY = "2026-11-01T00:00:00Z"
Fields = dict[str, Any]


def at_stripe(*amounts: int, back: tuple[int, ...] = (), **fields: Any) -> Fields:
    lines = [{"amount": amount, "metadata": {}} for amount in amounts]
    lines += [{"amount": amount, "metadata": {"settled_key": "taken_back/seat/1"}} for amount in back]
    day = int(datetime.fromisoformat(DAY.replace("Z", "+00:00")).timestamp())
    whole = {"number": "S-1", "period_end": day, "status": "open", "total": sum(amounts) + sum(back), "lines": lines}
    return whole | fields


def line(kind: str, item: str, amount: int, *, why: bool = True) -> Fields:
    return {"kind": kind, "item": item, "amount_minor": amount, "why": {"formula": "…"} if why else None}


def answer(*lines: Fields, **fields: Any) -> Fields:
    return {"period_end": DAY, "released_at": DAY, "held_reason": None, "lines": list(lines)} | fields


TRUTH = {
    "day": DAY,
    "total": 38_703,
    "lines": [
        {"kind": "advance", "item": "seat", "amount": 39_000},
        {"kind": "usage", "item": "resolution", "amount": 99},
        {"kind": "included", "item": "sms", "amount": 0},
        {"kind": "discount", "item": "seat", "amount": -396},
    ],
}
LINES = (line("advance", "seat", 39_000), line("usage", "resolution", 99), line("discount", "seat", -396))
RIGHT = at_stripe(39_000, 99, -396)


def found(stripe: list[Fields], shown: list[Fields], truth: list[Fields] | None = None) -> list[str]:
    return [each.what for each in invoice_differences("acme", [TRUTH] if truth is None else truth, stripe, shown)]


def test_the_same_lines_are_no_difference() -> None:
    assert found([RIGHT], [answer(*LINES)]) == []


WHERE = "acme: invoice of 2026-11-01 00:00"


@pytest.mark.parametrize(
    ("stripe", "shown", "told"),
    [
        ([], [answer(*LINES)], [f"{WHERE}: how many at Stripe and here"]),
        ([RIGHT, RIGHT], [answer(*LINES)] * 2, [f"{WHERE}: how many at Stripe and here"]),
        ([RIGHT], [], [f"{WHERE}: how many at Stripe and here"]),
        ([at_stripe(39_000, 98, -395)], [answer(*LINES)], [f"{WHERE}: amounts"]),
        ([at_stripe(39_000, 99)], [answer(*LINES)], [f"{WHERE}: amounts", f"{WHERE}: total"]),
        ([RIGHT | {"status": "draft"}], [answer(*LINES)], [f"{WHERE}: is finalised"]),
        ([RIGHT], [answer(*LINES[:2], line("discount", "resolution", -396))], [f"{WHERE}: lines"]),
        ([RIGHT], [answer(*LINES[:2], line("usage", "seat", -396))], [f"{WHERE}: lines"]),
        ([RIGHT], [answer(*LINES, released_at=None)], [f"{WHERE}: is issued, and not held"]),
        ([RIGHT], [answer(*LINES, held_reason="no")], [f"{WHERE}: is issued, and not held"]),
        (
            [RIGHT],
            [answer(*LINES[:2], line("discount", "seat", -396, why=False))],
            [f"{WHERE}: lines without a reason"],
        ),
    ],
)
def test_each_way_to_be_wrong_is_told(stripe: list[Fields], shown: list[Fields], told: list[str]) -> None:
    assert found(stripe, shown) == told


def test_an_invoice_of_another_day_is_told_unless_it_is_a_draft_or_bills_nothing() -> None:
    assert found([RIGHT], [answer(*LINES)], []) == ["acme: invoice S-1"]
    assert found([RIGHT | {"status": "draft"}], [], []) == []
    assert found([at_stripe(0)], [], []) == []


def test_a_day_on_which_nothing_is_due_may_have_no_invoice() -> None:
    nothing = {"day": DAY, "total": 0, "lines": [{"kind": "included", "item": "sms", "amount": 0}]}

    assert found([], [], [nothing]) == []
    assert found([at_stripe(0)], [answer()], [nothing]) == []
    assert found([at_stripe(1)], [answer()], [nothing]) == [f"{WHERE}: amounts", f"{WHERE}: total"]


def test_what_is_taken_back_cancels_one_line_of_its_item_and_amount() -> None:
    """The rest stands, also of what takes back what is not there."""
    lines = [
        line("usage", "sms", 50),
        line("usage", "sms", 50),
        line("usage", "fax", 70),
        line("taken_back", "sms", -50),
        line("taken_back", "sms", -70),
    ]

    assert [(one["kind"], one["item"], one["amount_minor"]) for one in standing(lines)] == [
        ("usage", "sms", 50),
        ("usage", "fax", 70),
        ("taken_back", "sms", -70),
    ]
    assert sorted(standing_amounts(at_stripe(50, 50, 70, back=(-50, -90))["lines"])) == [-90, 50, 70]
