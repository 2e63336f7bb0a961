"""The closed lists: complete in the README, and the same words in models, schemas and the fast form."""

from __future__ import annotations

import inspect
import re
from enum import StrEnum
from pathlib import Path
from typing import get_args

import pytest

from event_schemas import vocabulary
from event_schemas.topics import TOPICS
from event_schemas.values import Currency
from event_schemas.vocabulary import RANK, SignalType
from event_schemas.wire import SignalName

README = (Path(__file__).parents[2] / "README.md").read_text()
LISTS: list[type[StrEnum]] = [
    found
    for _, found in inspect.getmembers(vocabulary, inspect.isclass)
    if issubclass(found, StrEnum) and found is not StrEnum
]


def section_of(name: str) -> str:
    """The README's text from `**Name**` to the next list or heading."""
    found = re.search(rf"^\*\*{name}\*\*(.*?)(?=^\*\*|^## )", README, re.MULTILINE | re.DOTALL)
    assert found is not None, f"{name} is not in the README"
    return found[1]


@pytest.mark.parametrize("closed_list", [*LISTS, Currency], ids=lambda found: found.__name__)
def test_every_word_is_explained_in_the_readme(closed_list: type[StrEnum]) -> None:
    section = section_of(closed_list.__name__)

    assert [word.value for word in closed_list if f"`{word.value}`" not in section] == []


def test_every_topic_is_in_the_readme() -> None:
    assert [name for name in TOPICS if f"`{name}`" not in README] == []


def test_a_product_may_send_every_signal_but_the_resolution_which_is_its_own_event() -> None:
    assert set(get_args(SignalName)) | {"resolution"} == {signal.value for signal in SignalType}


def test_of_one_instant_exclusions_come_first_and_the_products_word_last() -> None:
    assert sorted(SignalType, key=RANK.__getitem__)[:4] == ["flagged", "cleared", "merged_into", "customer_message"]
    assert max(SignalType, key=RANK.__getitem__) == "resolution"
