"""The files that others rely on: committed as generated, every topic and type complete, every example true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml
from pydantic import ValidationError

from event_schemas.generation import differences, json_schema, write
from event_schemas.registry import EVENT_TYPES, EventType
from event_schemas.topics import TOPICS
from event_schemas.wire import PRINTABLE, ProductEvent, RatingProgress, UsageRated, flaw_of

FOLDER = Path(__file__).parents[2]
EXAMPLES = [
    (event, path)
    for event in EVENT_TYPES
    for path in sorted((FOLDER / "examples" / event.name / str(event.version)).glob("*.json"))
]
REFUSED = [
    (event, path)
    for event in EVENT_TYPES
    for path in sorted((FOLDER / "examples" / event.name / str(event.version) / "refused").glob("*.json"))
]


def named(value: Any) -> str:
    return value.stem if isinstance(value, Path) else str(getattr(value, "name", value))


def test_the_committed_files_are_what_the_models_say() -> None:
    assert differences(FOLDER) == []


def test_a_changed_file_and_a_stray_one_are_named(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "jsonschema" / "usage.v1.schema.json").write_text("{}")
    (tmp_path / "topics" / "stray.yaml").write_text("")

    assert differences(tmp_path) == ["jsonschema/usage.v1.schema.json", "topics/stray.yaml (nothing generates it)"]


def test_every_topic_has_an_owner_a_producer_and_an_event() -> None:
    carried = {topic.name for event in EVENT_TYPES for topic in event.topics}

    assert carried == set(TOPICS)
    assert all(topic.owner and topic.producers and topic.consumers for topic in TOPICS.values())


@pytest.mark.parametrize("event", EVENT_TYPES, ids=named)
def test_every_type_has_an_ordinary_and_an_awkward_example(event: EventType) -> None:
    present = {path.stem for its_event, path in EXAMPLES if its_event is event}

    assert present == {"ordinary", "awkward"}


@pytest.mark.parametrize(("event", "path"), EXAMPLES, ids=named)
def test_an_example_holds_against_schema_and_model(event: EventType, path: Path) -> None:
    example = json.loads(path.read_text())

    jsonschema.Draft202012Validator(json_schema(event)).validate(example)
    event.model.model_validate_json(path.read_text())


FAST: dict[str, Any] = {
    "conversation.signal": ProductEvent,
    "resolution": ProductEvent,
    "usage": ProductEvent,
    "usage.rated": UsageRated,
    "rating.progress": RatingProgress,
}


@pytest.mark.parametrize(("event", "path"), [pair for pair in EXAMPLES if pair[0].name in FAST], ids=named)
def test_the_fast_form_reads_the_same_examples(event: EventType, path: Path) -> None:
    decoded = msgspec.json.decode(path.read_bytes(), type=FAST[event.name])

    assert FAST[event.name] is not ProductEvent or flaw_of(decoded) is None


@pytest.mark.parametrize(("event", "path"), REFUSED, ids=named)
def test_what_must_be_refused_is_refused_by_both_forms(event: EventType, path: Path) -> None:
    with pytest.raises(ValidationError):
        event.model.model_validate_json(path.read_text())
    if event.topics[0].name == "events.accepted":
        try:
            decoded = msgspec.json.decode(path.read_bytes(), type=ProductEvent)
        except msgspec.ValidationError:
            return
        assert flaw_of(decoded) is not None


def test_the_bus_is_one_asyncapi_document() -> None:
    document = yaml.safe_load((FOLDER / "asyncapi.yaml").read_text())

    assert document["asyncapi"] == "3.0.0"
    assert set(document["channels"]) == set(TOPICS)
    for message in document["components"]["messages"].values():
        assert (FOLDER / message["payload"]["schema"]["$ref"]).exists()
        assert all((FOLDER / example["payload"]["$ref"]).exists() for example in message["examples"])
    for operation in document["operations"].values():
        assert operation["channel"]["$ref"].removeprefix("#/channels/") in document["channels"]


def test_no_identifier_can_carry_a_sentence() -> None:
    assert not PRINTABLE.match("two words")
    assert not PRINTABLE.match("line\n")
    assert not PRINTABLE.match("ü")
