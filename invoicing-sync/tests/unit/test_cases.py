"""Every kind of case that the code opens stands in one table with its life, and the README shows that table."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from invoicing_sync.store.cases import KINDS, open_case

FOLDER = Path(__file__).parents[2]
OPENING, CLOSING = {"open_case", "open_case_once", "_set_aside"}, {"close_case", "close_cases"}


def calls(names: set[str]) -> Iterator[ast.Call]:
    for path in (FOLDER / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Attribute | ast.Name):
                name = called.attr if isinstance(called, ast.Attribute) else called.id
                if name in names:
                    yield cast(ast.Call, node)


def kinds_in(call: ast.Call) -> set[str]:
    """The kind among the first arguments, where it is written out; and in the loop around a forwarded one."""
    return {
        argument.value for argument in call.args[:2] if isinstance(argument, ast.Constant) and argument.value in KINDS
    }


def loops() -> Iterator[str]:
    """Kinds that a `for kind in (...)` names."""
    for path in (FOLDER / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.For)
                and isinstance(node.iter, ast.Tuple)
                and getattr(node.target, "id", "") == "kind"
            ):
                yield from (part.value for part in node.iter.elts if isinstance(part, ast.Constant))


def test_what_the_code_opens_and_the_table_are_one_set() -> None:
    opened = {kind for call in calls(OPENING) for kind in kinds_in(call)}

    assert opened == set(KINDS)


async def test_a_kind_that_is_not_in_the_table_cannot_be_opened() -> None:
    nowhere = cast(Any, None)

    with pytest.raises(ValueError, match="add it to KINDS"):
        await open_case(nowhere, "a_new_kind", "key", now=datetime(2026, 10, 1, tzinfo=UTC))


def test_the_code_closes_exactly_the_kinds_that_close_by_themselves() -> None:
    closed = {kind for call in calls(CLOSING) for kind in kinds_in(call)} | set(loops())

    assert closed == {kind for kind, life in KINDS.items() if life.closes is not None}


def test_the_readme_names_the_cases_that_carry_assumptions() -> None:
    """And what is said to do tells of them."""
    carrying = {
        kind
        for call in calls(OPENING)
        if "assumptions" in {keyword.arg for keyword in call.keywords}
        for kind in kinds_in(call)
    }
    text = (FOLDER / "README.md").read_text().split("These cases have it:")[1].split(".")[0]

    assert carrying == set(re.findall(r"`(\w+)`", text))
    assert {kind for kind in carrying if not re.search(r"`assumptions`|assumption A\d", KINDS[kind].do)} == set()


def test_the_readme_shows_the_table_word_for_word() -> None:
    section = (FOLDER / "README.md").read_text().split("\n## Cases\n")[1].split("\n## ")[0]
    shown = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \| (.+) \|$", section, re.MULTILINE)

    assert shown == [(kind, life.opens, life.closes or "never", life.do) for kind, life in KINDS.items()]
