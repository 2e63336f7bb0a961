"""How lines of a body meet the lines that stand: matched by key, added, or in their place."""

from __future__ import annotations

from typing import Any

from sandbox.documents import Body
from sandbox.netsuite.errors import user_error
from sandbox.netsuite.records.types import Sublist


def merged(name: str, sublist: Sublist, standing: list[Body], given: list[Body], *, replace: bool) -> list[Body]:
    """
    The lines as they would be.

    A line that names its key changes the line that has it; one that does not is added, also where it says what another
    line says already. With `replace` the lines that no key names go. In a list that is numbered a key must be there;
    in the others (apply, payment, currencies) one that is not there is a new line.

    Raises:
        NetSuiteError: a line number that no line has, or a key twice.
    """
    numbered = sublist.keys == ("line",)
    by_key = {_key(sublist, line): line for line in standing if sublist.keys}
    changed: dict[Any, Body] = {}
    added: list[Body] = []
    for number, line in enumerate(given):
        key = _key(sublist, line)
        if key is None:
            added.append(line)
        elif key in changed:
            raise user_error(f"The sublist {name} names the line {key} twice.", f"{name}.items[{number}]")
        elif key in by_key:
            changed[key] = {**by_key[key], **line}
        elif numbered and standing:
            said = f"Unable to find a matching line for sublist {name} with key: [line] and value: [{key}]."
            raise user_error(said, f"{name}.items[{number}]")
        else:
            changed[key] = line
    old = [] if replace else [line for line in standing if _key(sublist, line) not in changed]
    if not numbered:
        first = [
            changed.pop(_key(sublist, line), line) for line in standing if not replace or _key(sublist, line) in changed
        ]
        return [*first, *changed.values(), *added]
    lines = sorted([*old, *changed.values()], key=lambda line: line["line"])
    last = lines[-1]["line"] if lines else 0
    return [*lines, *({**line, "line": last + n} for n, line in enumerate(added, 1))]


def _key(sublist: Sublist, line: Body) -> Any:
    """The key of a line; None where it names none. `line` of an application is 0 and does not tell lines apart."""
    return line.get(sublist.keys[0]) if sublist.keys else None
