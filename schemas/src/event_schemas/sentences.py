"""Faults that pydantic finds, in plain sentences: which field, what is wrong, what to write."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Place = Sequence[str | int]

_DATE = "a day such as 2026-10-01"
_INSTANT = "an instant as RFC 3339 with an offset, such as 2026-10-01T00:00:00Z"
_WHOLE, _NUMBER, _TEXT = "a whole number", "a number", "text"
_DECIMAL = "a decimal number, such as 0.99"
_FIELDS, _LIST = "a group of named fields", "a list"
_URL, _UUID, _BYTES = "a URL such as https://example.com", "a UUID", "bytes"
_ELSE = "of another form: look at the description of this field"

# Each of pydantic's error types, as what the value must be. Names in braces are pydantic's facts about the fault.
MUST_BE = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), _WHOLE),
    "int_parsing_size": "a whole number of fewer digits",
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), _NUMBER),
    **dict.fromkeys(("decimal_type", "decimal_parsing"), _DECIMAL),
    "decimal_max_digits": "a decimal number of at most {max_digits} digits",
    "decimal_max_places": "a decimal number of at most {decimal_places} decimals",
    "decimal_whole_digits": "a decimal number of at most {whole_digits} digits before the point",
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("string_type", "string_unicode"), _TEXT),
    "string_not_ascii": "text of ASCII characters only",
    "string_too_long": "text of at most {max_length} characters",
    **dict.fromkeys(("bytes_type", "bytes_invalid_encoding"), _BYTES),
    "bytes_too_short": "at least {min_length} bytes long",
    "bytes_too_long": "at most {max_length} bytes long",
    "too_long": "a list of at most {max_length}",
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type", "deque_type", "iterable_type"), _LIST),
    **dict.fromkeys(("set_item_not_hashable",), "a plain value: a list or a group cannot stand here"),
    **dict.fromkeys(("model_type", "model_attributes_type", "dataclass_type", "dataclass_exact_type"), _FIELDS),
    **dict.fromkeys(("dict_type", "mapping_type", "named_tuple_type"), _FIELDS),
    "invalid_key": "a group whose names are text",
    "greater_than": "above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    **dict.fromkeys(("literal_error", "enum"), "{one_of}"),
    "union_tag_invalid": "a group whose {discriminator} is one of {expected_tags}",
    "union_tag_not_found": "a group that names its {discriminator}",
    "none_required": "left out or null",
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"), _DATE),
    **dict.fromkeys(("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "timezone_aware"), _INSTANT),
    **dict.fromkeys(("datetime_object_invalid", "timezone_offset"), _INSTANT),
    "timezone_naive": "a time without an offset",
    **dict.fromkeys(("date_past", "datetime_past"), "in the past"),
    **dict.fromkeys(("date_future", "datetime_future"), "in the future"),
    **dict.fromkeys(("time_type", "time_parsing"), "a time of day such as 10:30:00"),
    **dict.fromkeys(("time_delta_type", "time_delta_parsing"), "a duration such as PT1H"),
    **dict.fromkeys(("url_type", "url_parsing", "url_syntax_violation"), _URL),
    "url_too_long": "a URL of at most {max_length} characters",
    "url_scheme": "a URL that begins with {expected_schemes}",
    **dict.fromkeys(("uuid_type", "uuid_parsing"), _UUID),
    "uuid_version": "a UUID of version {expected_version}",
    "json_type": "JSON as text",
    **dict.fromkeys(("recursion_loop", "recursion_depth_exceeded"), "a value that does not hold itself"),
}
# Types that say a sentence of their own, in `sentence` below.
TOLD_APART = {"missing", "extra_forbidden", "json_invalid", "value_error", "assertion_error", "string_pattern_mismatch"}
TOLD_APART |= {"too_short", "string_too_short"}

# What a person writes: more than blanks, and no NUL, which JSON can say and PostgreSQL cannot store.
WORDS = r"^[^\x00]*[^\x00\s][^\x00]*$"

# Our own patterns in words; a pattern that is missing here fails a test.
FORMS = {
    r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$": "a customer's id: up to 100 letters, digits and _ . : -, the first no sign",
    r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$": "a customer's id: up to 100 letters, digits and _ . : -, the first no sign",
    r"^[\x21-\x7e]{1,200}$": "1 to 200 visible ASCII characters without a blank",
    r"^[\x21-\x7e]+$": "visible ASCII characters without a blank",
    r"^[!-~]+$": "visible ASCII characters without a blank",
    r"^[a-z][a-z0-9_]{0,49}$": "up to 50 lower-case letters, digits and _, beginning with a letter",
    r"^[a-z][a-z0-9-]{0,49}$": "up to 50 lower-case letters, digits and -, beginning with a letter",
    r"^[a-z][a-z0-9_-]{0,49}$": "up to 50 lower-case letters, digits, _ and -, beginning with a letter",
    r"^([a-z][a-z_]{0,29})?$": "empty, or up to 30 lower-case letters and _, beginning with a letter",
    r"^[A-Z]{2}$": "a country's two letters (ISO 3166-1), such as DE",
    r"^[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+$": "an e-mail address such as billing@example.com",
    WORDS: "text with more than blanks in it, and without the character NUL",
    r"^[^\x00]*\S[^\x00]*$": "text with more than blanks in it",
    r"^([a-z][a-z_]{0,20})?$": "empty, or up to 21 lower-case letters and _, beginning with a letter",
    r"^[A-Z0-9]+(_[A-Z0-9]+)?$": "an account such as TSTDRV1000001 or 1234567_SB1",
    r"^[1-9][0-9]{0,8}$": "a record's internal id: 1 to 9 digits, the first no zero",
    r"^[A-Z]{3}$": "a currency's three letters (ISO 4217), such as USD",
    r"^\d{4}-(0[1-9]|1[0-2])$": "a month such as 2026-10",
    r"^/[A-Za-z]+(/[A-Za-z0-9:_!-]+)*$": "a path such as /invoice/1",
    r"^\d{1,19}$": "1 to 19 digits",
}


def place(where: Place) -> str:
    """Where something stands, as people write it: `contracts[0].timeline[1].policy`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where)
    return text.removeprefix(".")


def sentence(fault: Mapping[str, Any], *, name: str, missing: str = "is required and missing") -> str:
    """
    One of pydantic's faults (an entry of `ValidationError.errors()`) in our words.

    It quotes nothing of what was sent. `name` is the field as its reader knows it.
    """
    kind, facts = fault["type"], fault.get("ctx", {})
    if kind == "missing":
        return f"{name} {missing}"
    if kind == "extra_forbidden":
        return f"{name} is not a field that is known here: correct its name, or leave it out"
    if kind == "json_invalid":
        return f"{name} is not JSON"
    if kind in ("value_error", "assertion_error"):
        said = str(facts["error"])  # a sentence of ours
        if said.startswith(name):
            return said
        return f"{name} {said}" if said.startswith("must ") else f"{name}: {said}"
    if kind in ("too_short", "string_too_short"):
        things = "entries" if kind == "too_short" else "characters"
        least = facts["min_length"]
        return f"{name} must not be empty" if least == 1 else f"{name} must have at least {least} {things}"
    if kind == "string_pattern_mismatch":
        return f"{name} must be {FORMS.get(facts['pattern'], _ELSE)}"
    return f"{name} must be {MUST_BE.get(kind, _ELSE).format(**facts, one_of=_one_of(facts))}"


def _one_of(facts: Mapping[str, Any]) -> str:
    expected = str(facts.get("expected", ""))
    return f"one of {expected}" if re.search(r"'(, | or )", expected) else expected
