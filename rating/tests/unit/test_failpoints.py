"""The gaps that are declared, the places in the code, and the README's table are one set."""

from __future__ import annotations

import re
from pathlib import Path

import usage_rating
from usage_rating.failpoints import GAPS

SOURCES = Path(usage_rating.__file__).parent
README = Path(__file__).parents[2] / "README.md"


def test_every_declared_gap_is_a_place_in_the_code() -> None:
    text = "\n".join(path.read_text() for path in SOURCES.rglob("*.py"))

    reached = re.findall(r'failpoints\.reach\("([a-z-]+)"\)', text)

    assert sorted(reached) == sorted(GAPS)


def test_the_consumer_names_every_gap_in_its_order_of_effects() -> None:
    text = (SOURCES / "consumer.py").read_text().split('"""')[1]

    assert set(re.findall(r"─ ([a-z]+(?:-[a-z]+)+)", text)) == set(GAPS)


def test_the_readme_says_of_every_gap_what_repeats() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", README.read_text(), re.MULTILINE)

    assert dict(rows) == GAPS
