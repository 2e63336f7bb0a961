"""
The fast structs with `flaw_of`, which guard the hot path, and the pydantic models, from which the published JSON
Schemas come, take and refuse the same JSON.

Pydantic judges strictly, as JSON Schema would: a number is no time, a string no number. The published schemas say
`format: date-time`; pydantic itself reads more than that (Unix times as strings, times without seconds), so the format
is held here as a JSON Schema validator holds it. Seen to fail on planted bugs: `flag` allowed beside `escalated`, ids
of at most 199 characters, `thanks` missing, each in one of the two.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from event_schemas.events.conversation_signal_v1 import ConversationSignalEvent
from event_schemas.events.resolution_v1 import ResolutionEvent
from event_schemas.events.usage_v1 import UsageEvent
from event_schemas.vocabulary import Channel, Flag, Intent, ResolutionState, SignalType
from event_schemas.wire import ProductEvent, flaw_of
from usage_ingest.testing import an_event

MODELS: TypeAdapter[Any] = TypeAdapter(ConversationSignalEvent | ResolutionEvent | UsageEvent)
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)\Z")  # RFC 3339, 5.6
STRUCTS = msgspec.json.Decoder(ProductEvent)

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.builds(list),
    st.builds(dict),  # fresh ones: a test writes into what it drew
)
EDGES = st.sampled_from(
    [
        "",
        " ",
        "a",
        "a b",
        "x" * 50,
        "x" * 51,
        "x" * 100,
        "x" * 101,
        "x" * 200,
        "x" * 201,
        "a\n",
        "\u00e9",
        "\x7f",
        "-",
        "a.b:c_1",
    ]
)
IDENTIFIERS = st.one_of(EDGES, st.text(st.characters(min_codepoint=0x20, max_codepoint=0x80), max_size=8))
SLUGS = st.one_of(
    EDGES, st.from_regex(r"[a-z][a-z0-9_]{0,3}", fullmatch=True), st.sampled_from(["A", "a\n", "1a", "_a"])
)
QUANTITIES = st.one_of(
    st.from_regex(r"-?[0-9]{0,16}(\.[0-9]{0,13})?", fullmatch=True),
    st.sampled_from(["1e3", "+1", "1_000", "\u0661", "1.", ".5", "0", "00.10", "NaN", "Infinity", "1\n", "0" * 31]),
)
TIMES = st.one_of(
    st.datetimes().map(lambda time: time.isoformat() + "Z"),
    st.sampled_from(
        [
            "2026-03-02T10:00:08",
            "2016-12-31T23:59:60Z",
            "2026-02-30T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "yesterday",
            "",
            "9999-12-31T23:59:59.999999Z",
            "2026-03-02T10:00:08+02:00",
            "2026-03-02T10:00:08-00:00",
            "2026-03-02T25:00:00Z",
            "1772445608",
            "2026-03-02T10:00Z",
            "2026-03-02",
        ]
    ),
)
REFERENCES = st.one_of(
    JUNK, st.fixed_dictionaries({"source": IDENTIFIERS, "id": IDENTIFIERS}, optional={"note": st.text(max_size=3)})
)


def words(values: Any) -> list[str]:
    return [str(value.value) for value in values]


SOUND_WORD = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20)
SOUND_SLUG = st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True)
SIGNALS = [name for name in words(SignalType) if name != "resolution"]
NEEDED = {
    "customer_message": {"intent": st.sampled_from(words(Intent))},
    "outcome_reached": {"outcome_type": SOUND_SLUG},
    "flagged": {"flag": st.sampled_from(words(Flag))},
    "merged_into": {"into": SOUND_WORD},
}
EVIDENCE = st.one_of(SOUND_WORD, st.none())
CHANNELS = st.sampled_from(words(Channel))


@st.composite
def sound_events(draw: st.DrawFn) -> dict[str, Any]:
    """An event that is sound, of any type, with any of its optional fields."""
    kind = draw(st.sampled_from(["conversation.signal", "resolution", "usage"]))
    if kind == "conversation.signal":
        signal = draw(st.sampled_from(SIGNALS))
        optional: dict[str, Any] = {"channel": CHANNELS, "outcome_type": SOUND_SLUG, "evidence": EVIDENCE}
        if signal == "cleared":
            optional["flag"] = st.sampled_from(words(Flag))
        needed = NEEDED.get(signal, {})
        left = {name: strategy for name, strategy in optional.items() if name not in needed}
        data = draw(st.fixed_dictionaries({"signal": st.just(signal), **needed}, optional=left))
    elif kind == "resolution":
        state = st.sampled_from(words(ResolutionState))
        optional = {"outcome_type": SOUND_SLUG, "channel": CHANNELS, "evidence": EVIDENCE}
        data = draw(st.fixed_dictionaries({"state": state}, optional=optional))
    else:
        quantity = st.from_regex(r"[0-9]{1,9}(\.[0-9]{1,6})?", fullmatch=True)
        reference = st.fixed_dictionaries({"source": SOUND_WORD, "id": SOUND_WORD})
        optional = {"corrects": st.one_of(reference, st.none()), "evidence": EVIDENCE}
        data = draw(st.fixed_dictionaries({"meter": SOUND_SLUG, "quantity": quantity}, optional=optional))
    return an_event(id=draw(SOUND_WORD), subject=draw(SOUND_WORD), type=kind, data=data, source="urn:x")


WORDS = st.sampled_from(["", "other_word", *SIGNALS, *words(Intent), *words(Flag), *words(Channel), "confirmed"])
ENVELOPE = {
    "type": st.one_of(st.sampled_from(["conversation.signal", "resolution", "usage"]), JUNK),
    "specversion": st.one_of(st.sampled_from(["1.0", "0.3"]), JUNK),
    "id": st.one_of(IDENTIFIERS, JUNK),
    "source": st.one_of(IDENTIFIERS, JUNK),
    "subject": st.one_of(IDENTIFIERS, JUNK),
    "customer": st.one_of(IDENTIFIERS, JUNK),
    "time": st.one_of(TIMES, JUNK),
    "receivedat": st.one_of(TIMES, st.none(), JUNK),
    "datacontenttype": st.one_of(st.sampled_from(["application/json", "text/plain"]), JUNK),
    "traceparent": JUNK,
    "data": JUNK,
}
FIELDS = {
    "signal": st.one_of(WORDS, JUNK),
    "intent": st.one_of(WORDS, JUNK),
    "channel": st.one_of(WORDS, JUNK),
    "outcome_type": st.one_of(SLUGS, JUNK),
    "flag": st.one_of(WORDS, JUNK),
    "into": st.one_of(IDENTIFIERS, JUNK),
    "evidence": st.one_of(IDENTIFIERS, JUNK),
    "state": st.one_of(WORDS, JUNK),
    "meter": st.one_of(SLUGS, JUNK),
    "quantity": st.one_of(QUANTITIES, JUNK),
    "corrects": REFERENCES,
    "text": JUNK,
}


@st.composite
def spoilt_events(draw: st.DrawFn) -> dict[str, Any]:
    """A sound event in which up to two members were replaced, added or taken away; it may still be sound."""
    event = draw(sound_events())
    for _ in range(draw(st.integers(0, 2))):
        inside = draw(st.booleans()) and isinstance(event.get("data"), dict)
        pool, target = (FIELDS, event["data"]) if inside else (ENVELOPE, event)
        name = draw(st.sampled_from(sorted(pool)))
        if draw(st.integers(0, 4)) == 0:
            target.pop(name, None)
        else:
            target[name] = draw(pool[name])
    return event


def structs_take(body: bytes) -> bool:
    try:
        return flaw_of(STRUCTS.decode(body)) is None
    except msgspec.ValidationError:
        return False


def models_take(body: bytes) -> bool:
    try:
        MODELS.validate_json(body, strict=True)
    except ValidationError:
        return False
    event = json.loads(body)
    return all(DATE_TIME.match(event[name]) for name in ("time", "receivedat") if event.get(name) is not None)


def assert_same(event: dict[str, Any]) -> None:
    body = json.dumps(event).encode()
    taken = structs_take(body)
    assert taken == models_take(body), f"structs {'take' if taken else 'refuse'} it, models do not: {body.decode()}"


@settings(max_examples=1500, deadline=None)
@given(spoilt_events())
@example(an_event(data={"signal": "escalated", "flag": "spam"}))
@example(an_event(data={"signal": "customer_message", "intent": "thanks"}))
@example(an_event(id="x" * 200))
@example(an_event(time=1772445608))
@example(an_event(time="1772445608"))
@example(an_event(data={"signal": "ai_answer", "channel": None}))
def test_both_take_and_refuse_the_same_events(event: dict[str, Any]) -> None:
    body = json.dumps(event).encode()

    taken = structs_take(body)

    assert taken == models_take(body), f"structs {'take' if taken else 'refuse'} it, models do not: {body.decode()}"


@settings(max_examples=300, deadline=None)
@given(sound_events())
def test_both_take_every_sound_event(event: dict[str, Any]) -> None:
    body = json.dumps(event).encode()

    assert structs_take(body)
    assert models_take(body)
