"""Our own keys where one of the house is asked for: an operator's opens as it did before there were others."""

from __future__ import annotations

from chassis.access import Caller
from chassis.keyring import KeyScope
from usage_ingest.parts import Parts


class SendersKeys:
    """The keys of our database as the guard of the other routes sees them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def caller(self, secret: str) -> Caller | None:
        """Who has this secret, named apart from keys of the house. Raises Problem 503 before the keys are loaded."""
        self._parts.require_ready()
        key = self._parts.keys.with_secret(secret)
        if key is None:
            return None
        return Caller(f"usage-ingest/{key.name}", KeyScope.OPERATE if key.operator else None)
