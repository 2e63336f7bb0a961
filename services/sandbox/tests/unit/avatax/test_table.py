"""The file of rates is complete, and a float in it is refused."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
import yaml

from sandbox.avatax.domain.filing import filed_before
from sandbox.avatax.domain.reading import WrongTable, table_of
from sandbox.avatax.models import MODELS, model_of, violations
from sandbox.avatax.rates_file import RATES, read_table

EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"


def test_all_that_was_asked_for_is_there() -> None:
    """Ten states that tax software or not, one without a tax, the EU, GB, AU, JP and CH."""
    table = read_table()

    assert len([state for state in table.states.values() if state.jurisdiction is not None]) == 10
    assert [code for code, state in table.states.items() if state.jurisdiction is None] == ["OR"]
    assert sorted(code for code, country in table.countries.items() if country.union == "EU") == EU.split()
    assert {"GB", "AU", "JP", "CH"} <= set(table.countries)


def test_every_rate_says_where_it_stands() -> None:
    """States, the places whose locals it has, and countries."""
    raw = yaml.safe_load(RATES.read_text())
    places = [(place["city"], place) for state in raw["states"].values() for place in state.get("places", ())]
    entries = [*raw["states"].items(), *places, *raw["countries"].items()]

    assert len(entries) > 50
    assert [name for name, each in entries if not each.get("source")] == []
    assert "ILLUSTRATIVE" in RATES.read_text()


@pytest.mark.parametrize(("rate", "sentence"), [(0.19, "in quotes"), ("19%", "is no number"), ("19", "no fraction")])
def test_a_rate_is_text_and_a_fraction(rate: Any, sentence: str) -> None:
    raw = yaml.safe_load(RATES.read_text())
    raw["countries"]["DE"]["rates"] = {date(2021, 1, 1): rate}

    with pytest.raises(WrongTable, match=sentence):
        table_of(raw)


def test_the_longest_beginning_of_a_postal_code_wins() -> None:
    """98110 is Bainbridge Island, though 981 is Seattle."""
    washington = read_table().states["WA"]

    places = [washington.place_of(postal) for postal in ("98110", "98101", "99201")]
    assert [place.city if place else None for place in places] == ["BAINBRIDGE ISLAND", "SEATTLE", None]


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-10", "2026-10-01"),
        ("2026-11-11", "2026-11-01"),
        ("2027-01-05", "2026-12-01"),
        ("2027-01-11", "2027-01-01"),
    ],
)
def test_after_the_tenth_the_months_before_are_filed(now: str, until: str) -> None:
    assert filed_before(datetime.fromisoformat(now)).isoformat() == until


def test_an_answer_that_is_not_of_the_model_is_found() -> None:
    """What `Driver.raw` asserts of every answer can fail: a field too many, a text for a number, no list."""
    body: dict[str, Any] = {"totalTax": "8.88", "totalTx": 1, "lines": {}, "locked": 0, "id": True}

    assert len(list(violations("Transaction", body))) == len(body)
    assert list(violations("Transaction", {"totalTax": 1, "lines": [{"tax": 1, "details": [{"rate": 1}]}]})) == []
    assert model_of("POST", "/transactions/create", 201) in MODELS
