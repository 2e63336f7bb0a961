"""What is wrong with a contract: a stable code, the field, and a sentence that a stranger understands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from event_schemas.sentences import sentence

# What tells the members of a list apart, in the order in which it is looked for.
NAMES = ("key", "meter", "at", "revision", "until")


@dataclass(frozen=True, slots=True)
class Flaw:
    """`code` is stable, `field` a path such as `items.seat.price`, `sentence` plain English."""

    code: str
    field: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.field}: {self.sentence}"


class Contradicts(ValueError):
    """The parts of a contract cannot be meant together. Inside a model: pydantic carries it out."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        self.flaws = tuple(flaws)
        super().__init__("; ".join(map(str, self.flaws)))


class ContractRefused(Exception):
    """A document is no contract that can be billed; all that is wrong with it."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        self.flaws = tuple(flaws)
        super().__init__("\n".join(map(str, self.flaws)))


CODES = {
    "missing": "field_missing",
    "extra_forbidden": "unknown_field",
    "string_pattern_mismatch": "malformed",
    "value_error": "malformed",
    "greater_than_equal": "too_small",
    "less_than_equal": "too_large",
    "too_short": "too_few",
    "too_long": "too_many",
    "string_too_short": "too_few",
    "string_too_long": "too_many",
    "union_tag_invalid": "unknown_word",
    "union_tag_not_found": "field_missing",
    "literal_error": "unknown_word",
    "enum": "unknown_word",
}
CODES_OF_QUANTITIES = {"greater_than_equal": "negative_quantity", "less_than_equal": "quantity_too_large"}


def flaws_of(error: ValidationError, document: Any) -> tuple[Flaw, ...]:
    """What pydantic found in a document, in our words: nothing of what was sent is quoted but names of fields."""
    faults = error.errors(include_input=False)
    return tuple(flaw for fault in faults if not follows(fault, faults) for flaw in _flaws(fault, document))


def follows(fault: Any, faults: Sequence[Any]) -> bool:
    """Whether a list is only too short because of the faults in it, which leave it none."""
    inside = (other["loc"][: len(fault["loc"])] == fault["loc"] for other in faults if other is not fault)
    return fault["type"] == "too_short" and any(inside)


def _flaws(fault: Any, document: Any) -> Iterator[Flaw]:
    raised = fault.get("ctx", {}).get("error")
    if isinstance(raised, Contradicts):
        yield from raised.flaws
        return
    kind, field = fault["type"], path(fault["loc"], document, missing=fault["type"] == "missing")
    codes = CODES_OF_QUANTITIES if field.endswith("quantity") and kind in CODES_OF_QUANTITIES else CODES
    name = field.rpartition(".")[2] or "the contract"
    yield Flaw(codes.get(kind, "wrong_type"), field, sentence(fault, name=name))


def path(where: Sequence[str | int], document: Any, *, missing: bool = False) -> str:
    """A place as people write it: members of a list by their key, and no names of variants, which are in no file."""
    parts: list[str] = []
    at = document
    for number, part in enumerate(where):
        if isinstance(at, Mapping) and part in at:
            at = at[part]
            parts.append(str(part))
        elif isinstance(at, Sequence) and isinstance(part, int) and part < len(at):
            at = at[part]
            parts.append(_name(at, part))
        elif (missing and number == len(where) - 1) or not isinstance(at, Mapping | Sequence):
            parts.append(str(part))
    return ".".join(parts)


def _name(member: Any, place: int) -> str:
    names = [member.get(name) for name in NAMES] if isinstance(member, Mapping) else []
    return next((str(name) for name in names if isinstance(name, str | int)), str(place))
