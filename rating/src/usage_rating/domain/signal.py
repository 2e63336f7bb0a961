"""The compact forms that a conversation and a record keep of their events, in the order in which they count."""

from __future__ import annotations

import msgspec


class Signal(msgspec.Struct, frozen=True, array_like=True, gc=False, order=True):
    """
    One signal of a conversation; fields in sorting order: time, rank of the type, source, id.

    `detail` is what the type needs: a message's intent, a flag (empty on `cleared`: all), the conversation merged into,
    a resolution's state. Instants are microseconds since 1970.
    """

    at: int
    rank: int
    source: str
    id: str
    detail: str = ""
    outcome_type: str = ""
    channel: str = "chat"
    evidence: str = ""
    received_at: int = 0

    @property
    def identity(self) -> tuple[str, str]:
        """The event's identity: equal for every delivery of it."""
        return (self.source, self.id)

    @property
    def content(self) -> tuple[int, int, str, str, str, str]:
        """What the event says, without when it came: two contents under one identity are a conflict."""
        return (self.at, self.rank, self.detail, self.outcome_type, self.channel, self.evidence)


class Report(msgspec.Struct, frozen=True, array_like=True, gc=False, order=True):
    """
    One `usage` event of a product's record; fields in sorting order. `corrects` is (source, id), empty for an original.

    `quantity` is a plain decimal string.
    """

    at: int
    source: str
    id: str
    quantity: str
    corrects: tuple[str, ...] = ()
    evidence: str = ""
    received_at: int = 0

    @property
    def identity(self) -> tuple[str, str]:
        """The event's identity: equal for every delivery of it."""
        return (self.source, self.id)

    @property
    def content(self) -> tuple[int, str, tuple[str, ...], str]:
        """What the event says, without when it came."""
        return (self.at, self.quantity, self.corrects, self.evidence)
