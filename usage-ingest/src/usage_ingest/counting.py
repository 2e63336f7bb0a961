"""The door's part of the equation `received = applied + duplicate + conflicting + quarantined + unread`."""

from __future__ import annotations

from pydantic import BaseModel, Field

from usage_ingest.parts import Parts
from usage_ingest.store.quarantine import counts


class Counts(BaseModel):
    """Counted in events; a repeated delivery counts again."""

    received: int = Field(description="stored by us: `accepted` plus `quarantined`")
    accepted: int = Field(description="records ever appended to events.accepted")
    quarantined: int = Field(description="deliveries that wait in the quarantine, refused at the door")
    by_reason: dict[str, int] = Field(description="the same by reason")
    replayed: int = Field(description="events put on the bus from the quarantine; they count as accepted since")
    folded: int = Field(description="repeated deliveries of replayed events: one record on the bus stands for them")
    returned: int = Field(description="records that readers of the bus handed back; they count as accepted too")
    returned_by_reason: dict[str, int]


async def count(parts: Parts) -> Counts:
    """
    The counts now. Under load the two sources are read at slightly different moments.

    A replay in the moment between its two effects counts an event twice until it is marked.
    """
    rows = await counts(parts.engine)
    accepted = await parts.accepted.records()
    waiting = {reason: n for origin, state, reason, _, n in rows if (origin, state) == ("door", "waiting")}
    returned = {reason: n for origin, state, reason, _, n in rows if (origin, state) == ("reader", "waiting")}
    quarantined = sum(waiting.values())
    return Counts(
        received=accepted + quarantined,
        accepted=accepted,
        quarantined=quarantined,
        by_reason=waiting,
        replayed=sum(events for _, state, _, events, _ in rows if state == "replayed"),
        folded=sum(n - events for origin, state, _, events, n in rows if (origin, state) == ("door", "replayed")),
        returned=sum(returned.values()),
        returned_by_reason=returned,
    )
