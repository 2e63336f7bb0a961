"""Which sources and customers an API key may send for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

ANY = "*"


def _matcher(patterns: Sequence[str]) -> re.Pattern[str] | None:
    """One expression for all patterns; None where everything matches. `*` stands for any run of characters."""
    if ANY in patterns:
        return None
    return re.compile("|".join(".*".join(re.escape(part) for part in pattern.split("*")) for pattern in patterns))


@dataclass(frozen=True, slots=True)
class Scope:
    """Patterns with `*` as the only wildcard; no patterns match nothing."""

    sources: tuple[str, ...]
    customers: tuple[str, ...]
    _source: re.Pattern[str] | None
    _customer: re.Pattern[str] | None

    @classmethod
    def of(cls, sources: Sequence[str], customers: Sequence[str]) -> Scope:
        """A scope of these patterns."""
        return cls(tuple(sources), tuple(customers), _matcher(sources), _matcher(customers))

    @property
    def is_open(self) -> bool:
        """Whether nothing is forbidden, so that nothing need be checked."""
        return self._source is None and self._customer is None

    def forbids(self, source: str | None, customer: str | None) -> str | None:
        """The code of the refusal, or None where sending is allowed. What could not be read is not refused."""
        if self._source is not None and source is not None and not self._source.fullmatch(source):
            return "forbidden_source"
        if self._customer is not None and customer is not None and not self._customer.fullmatch(customer):
            return "forbidden_customer"
        return None
