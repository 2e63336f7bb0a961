"""What a door's vendor folder gives to the sender: two calls and the meaning of their answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chassis.deliveries.domain.answers import Answer


@dataclass(frozen=True, slots=True)
class Delivery:
    """
    What the vendor is to hold: `content` as the door wanted it.

    `key` is readable, the same for ever and in no other delivery: the Idempotency-Key where the far side takes one.
    """

    delivery_id: int
    destination: str
    record: str
    version: int
    kind: str
    content: Mapping[str, Any]
    calls: int  # this one included
    reference: str | None  # the far side's id of the record, where an earlier version of it has brought one

    @property
    def key(self) -> str:
        """The natural key."""
        return f"{self.destination}/{self.record}@{self.version}"


class Vendor(Protocol):
    """
    One destination's client. It does not retry: the sender does.

    Every answer of the far side becomes an `Answer`; a call that has no answer in time is UNCLEAR, or UNAVAILABLE for a
    look-up, by the sender. Anything raised is a bug and stops the service: also a transport's own errors are mapped.
    """

    async def send(self, delivery: Delivery) -> Answer:
        """Bring the record there to the state that is wanted. UNAVAILABLE only where it surely was not done."""
        ...

    async def look_up(self, delivery: Delivery) -> Answer:
        """
        Whether this delivery's effect is there; nothing is changed.

        FOUND: it is. ABSENT: it is not, so it may be sent, over an earlier state of ours if there is one. DIFFERS:
        what is there is neither this nor an earlier state of ours: a person changed it. What the far side does not
        tell, such as for want of rights, is UNAVAILABLE: the doubt stays.
        """
        ...
