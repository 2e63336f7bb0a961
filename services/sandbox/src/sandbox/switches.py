"""Switches for what no text of a vendor decides: a stand-in can behave either way, so a client is tried on both."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Self, get_args, get_type_hints


class WrongAnswer(ValueError):
    """A switch or a value that the stand-in does not have, in a sentence that names what it has."""


@dataclass(frozen=True, slots=True)
class Switches:
    """A subclass has one field per open question; its type is the closed list of answers, the default first."""

    @classmethod
    def all_choices(cls) -> dict[str, tuple[str, ...]]:
        """Every switch with its closed list of values."""
        hints = get_type_hints(cls)
        return {field.name: get_args(hints[field.name]) for field in fields(cls)}

    def turned(self, wanted: dict[str, str]) -> Self:
        """These answers with some of them turned. Raises WrongAnswer where a name or a value is unknown."""
        known = self.all_choices()
        for name, value in wanted.items():
            if name not in known:
                raise WrongAnswer(f"There is no switch {name!r}; the switches are {', '.join(known)}.")
            if value not in known[name]:
                raise WrongAnswer(f"{name} takes {' or '.join(known[name])}, not {value!r}.")
        checked: dict[str, Any] = dict(wanted)
        return replace(self, **checked)

    def shown(self) -> dict[str, str]:
        """Every switch and where it stands."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def read(cls, text: str) -> Self:
        """
        From the setting: `name=value` pairs with commas between; what is not named keeps its default.

        Raises:
            WrongAnswer: a part is no such pair, or its name or value is unknown.
        """
        wanted: dict[str, str] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, equals, value = (piece.strip() for piece in part.partition("="))
            if not equals:
                raise WrongAnswer(f"{part!r} is no switch: write name=value, with commas between several.")
            wanted[name] = value
        return cls().turned(wanted)
