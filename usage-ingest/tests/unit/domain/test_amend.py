"""An operator's changes to an event: all of them or none, only inside the event, and told without a sender's words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_ingest.domain.amend import Amendment, NoSuchField, amended
from usage_ingest.testing import an_event


def test_fields_are_dropped_and_then_set() -> None:
    event = an_event(data={"signal": "customer_message", "intend": "question", "text": "hello"})

    changed = amended(event, Amendment(("data.text", "data.intend"), (("data.intent", "question"),)))

    assert changed == an_event(data={"signal": "customer_message", "intent": "question"})


def test_the_event_given_is_left_alone() -> None:
    event = an_event(data={"signal": "ai_answer", "inner": {"text": "hello"}})

    amended(event, Amendment(("data.inner.text",), (("data.channel", "email"),)))

    assert event == an_event(data={"signal": "ai_answer", "inner": {"text": "hello"}})


@pytest.mark.parametrize(
    ("amendment", "path"),
    [
        (Amendment(drop=("data.text",)), "data.text"),
        (Amendment(drop=("data.signal.text",)), "data.signal.text"),
        (Amendment(drop=("nothing.here",)), "nothing.here"),
        (Amendment(set=(("extra.intent", "question"),)), "extra.intent"),
        (Amendment(drop=("data.intent", "data.text"), set=(("subject", "s"),)), "data.text"),
    ],
)
def test_a_path_that_leads_nowhere_is_named_and_nothing_is_changed(amendment: Amendment, path: str) -> None:
    changed = amended(an_event(), amendment)

    assert isinstance(changed, NoSuchField)
    assert changed.path == path
    assert path in changed.sentence


@pytest.mark.parametrize(
    ("amendment", "sentence"),
    [
        (Amendment(drop=("",)), "a path is names"),
        (Amendment(drop=("data..text",)), "a path is names"),
        (Amendment(drop=("x" * 201,)), "a path is names"),
        (Amendment(drop=("id",)), "id stays as it is"),
        (Amendment(set=(("source", "urn:x"),)), "source stays as it is"),
        (Amendment(set=(("receivedat", "2026-01-01T00:00:00Z"),)), "receivedat stays as it is"),
        (Amendment(drop=("data.text", "data.text")), "two of the paths"),
        (Amendment(drop=("data",), set=(("data.intent", "question"),)), "two of the paths"),
        (Amendment(drop=tuple(f"data.f{n}" for n in range(21))), "at most 20 fields"),
    ],
)
def test_paths_that_cannot_be_meant_are_refused_before_anything_is_tried(amendment: Amendment, sentence: str) -> None:
    assert sentence in (amendment.flaw() or "")


def test_names_that_only_begin_alike_do_not_overlap() -> None:
    assert Amendment(drop=("data.text", "data.text_en", "data.te"), set=(("data.t", 1),)).flaw() is None


def test_what_is_told_holds_only_names_of_the_schema() -> None:
    amendment = Amendment(("data.my password is hunter2", "hunter2.signal"), (("data.intent", "hunter2"),), True)

    assert amendment.facts() == {"drop": ["data.*", "*.signal"], "set": ["data.intent"], "accept_time": True}
    assert Amendment().facts() is None


JSON = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=3)),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)
PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(".".join)


def value_at(event: Any, path: str) -> list[Any]:
    for name in path.split("."):
        if not isinstance(event, dict) or name not in event:
            return []
        event = event[name]
    return [event]


@given(st.dictionaries(st.sampled_from("abc"), JSON), PATHS, PATHS, st.integers())
def test_afterwards_what_was_dropped_is_gone_and_what_was_set_is_there(
    event: dict[str, Any], dropped: str, set_: str, value: int
) -> None:
    amendment = Amendment((dropped,), ((set_, value),))
    if amendment.flaw() is not None:
        return

    changed = amended(event, amendment)

    if not isinstance(changed, NoSuchField):
        assert value_at(event, dropped)
        assert value_at(changed, dropped) == []
        assert value_at(changed, set_) == [value]
