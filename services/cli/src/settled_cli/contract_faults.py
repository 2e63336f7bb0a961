"""What is wrong in a contract file, in sentences: which line, whose contract, which field, and what to write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml
from pydantic import ValidationError

from event_schemas.contract_v2 import Contradicts
from event_schemas.sentences import place, sentence

MOST = 10  # faults told at once
_PLACED = re.compile(r"contracts\.(\d+)\.([\w.]+): (.+)")  # a check of the whole file, which names a place in it


def told(path: object, text: str, document: Any, error: ValidationError) -> str:
    """All faults of a file that is YAML and holds no sound contracts, a line each."""
    if not isinstance(document, dict):
        return f"{path} must begin with `contracts:` and hold a list of contracts below it"
    found = error.errors(include_input=False)
    faults = [fault for fault in found if not _follows(fault, found)]
    lines = [line for fault in faults[:MOST] for line in _lines(path, text, document, fault)]
    more = len(faults) - MOST
    return "\n  ".join([*lines, f"and {more} more"] if more > 0 else lines)


def _follows(fault: Any, found: Sequence[Any]) -> bool:
    """Whether a list is only too short because of the faults in it, which leave it none."""
    inside = (other["loc"][: len(fault["loc"])] == fault["loc"] for other in found if other is not fault)
    return fault["type"] == "too_short" and any(inside)


def told_of_yaml(path: object, error: yaml.YAMLError) -> str:
    """A file that is no YAML: where reading it ended."""
    mark = getattr(error, "problem_mark", None)
    where = f" line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
    return f"{path}{where} is not YAML: look at its indentation, colons and quotes there"


def _lines(path: object, text: str, document: dict[str, Any], fault: Any) -> list[str]:
    """A fault as a line; a contract of version 2 that contradicts itself as one for each way in which it does."""
    raised = fault.get("ctx", {}).get("error")
    if not isinstance(raised, Contradicts):
        return [_told(path, text, document, fault)]
    where = _known(document, fault["loc"], missing=False)
    line, owner = _line(text, where), _owner(document, where)
    return [f"{path} line {line}: {owner}: {flaw}" for flaw in raised.flaws]


def _told(path: object, text: str, document: dict[str, Any], fault: Any) -> str:
    loc, said = fault["loc"], None
    if placed := _PLACED.match(str(fault.get("ctx", {}).get("error", ""))):
        inside = [int(part) if part.isdigit() else part for part in placed[2].split(".")]
        loc, said = (*loc, int(placed[1]), *inside), placed[3]
    where = _known(document, loc, missing=said is not None or fault["type"] == "missing")
    line = _line(text, where)
    owner = _owner(document, where)
    name = place(where[2:] if owner else where) or "the contract"
    told = f"{name}: {said}" if said else sentence(fault, name=name)
    return f"{path}{f' line {line}' if line else ''}: {f'{owner}: ' if owner else ''}{told}"


def _known(document: Any, where: Sequence[str | int], *, missing: bool) -> tuple[str | int, ...]:
    """The place without the names of variants, which are in no file; the name of a missing field stays."""
    kept: list[str | int] = []
    at = document
    for number, part in enumerate(where):
        last = number == len(where) - 1
        inside = isinstance(at, dict) and part in at
        inside = inside or (isinstance(at, list) and isinstance(part, int) and part < len(at))
        if inside:
            at = at[part]
        elif not (last and missing):
            continue
        kept.append(part)
    return tuple(kept)


def _owner(document: Any, where: Sequence[str | int]) -> str | None:
    """The customer of the contract that a place is in."""
    if len(where) < 2 or where[0] != "contracts" or not isinstance(where[1], int):
        return None
    contract = document["contracts"][where[1]]
    customer = contract.get("customer") if isinstance(contract, dict) else None
    return str(customer) if customer else f"contract {where[1] + 1}"


def _line(text: str, where: Sequence[str | int]) -> int | None:
    """The line, counted from 1, on which a place stands; that of what it is missing from."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    line = None if node is None else node.start_mark.line + 1
    for part in where:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if found is None:
                return line
            node, line = found[1], found[0].start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            return line
    return line
