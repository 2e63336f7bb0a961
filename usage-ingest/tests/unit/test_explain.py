"""A decoder's message becomes a flaw that a stranger understands and that quotes nothing."""

from __future__ import annotations

import pytest

from usage_ingest.explain import explain


@pytest.mark.parametrize(
    ("message", "field", "sentence"),
    [
        ("Object missing required field `id`", "id", "id is required and missing"),
        ("Object missing required field `signal` - at `$.data`", "data.signal", "data.signal is required and missing"),
        (
            "Expected `str`, got `int` - at `$.data.meter`",
            "data.meter",
            "data.meter is of the wrong type or size: expected str, got int",
        ),
        (
            "Expected `str` of length <= 200 - at `$.id`",
            "id",
            "id is of the wrong type or size: expected str of length <= 200",
        ),
        (
            "Expected `datetime` with a timezone component - at `$.time`",
            "time",
            "time needs an offset from UTC, such as Z",
        ),
        ("Invalid enum value 'secret' - at `$.flag`", "flag", "flag is not one of the words that this field takes"),
        ("Something new with 'secret' - at `$.data[...]`", None, "the event does not fit the schema of its type"),
        ("", None, "the event does not fit the schema of its type"),
    ],
)
def test_says_where_and_what(message: str, field: str | None, sentence: str) -> None:
    flaw = explain(message)

    assert (flaw.reason, flaw.field, flaw.sentence) == ("malformed", field, sentence)


def test_an_unknown_field_has_a_reason_of_its_own() -> None:
    flaw = explain("Object contains unknown field `secret` - at `$.data.corrects`")

    assert (flaw.reason, flaw.field, flaw.named) == ("unknown_field", "data.corrects", "data.corrects.secret")
    assert "secret" not in flaw.sentence
