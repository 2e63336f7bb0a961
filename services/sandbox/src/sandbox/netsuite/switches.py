"""What no text of a vendor decides, as switches: a stand-in behaves either way, so that a client is tried on both."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Self, get_args, get_type_hints


class WrongAnswer(ValueError):
    """A switch or a value that the stand-in does not have, in a sentence that names what it has."""


@dataclass(frozen=True, slots=True)
class Switches:
    """
    For a frozen dataclass with a field for each open question.

    The type of a field is the closed list of answers (a Literal), the first of them is the default.
    """

    @classmethod
    def choices(cls) -> dict[str, tuple[str, ...]]:
        """Every switch with its closed list of values."""
        hints = get_type_hints(cls)
        return {field.name: get_args(hints[field.name]) for field in fields(cls)}

    def turned(self, wanted: dict[str, str]) -> Self:
        """These answers with some of them turned. Raises WrongAnswer where a name or a value is unknown."""
        known = self.choices()
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
        From a setting: `name=value` pairs with commas between; what is not named keeps its default.

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
