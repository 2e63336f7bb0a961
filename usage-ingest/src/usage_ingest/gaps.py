"""The gaps between two writes of this service: what repeats after dying in one, and why that is harmless."""

from __future__ import annotations

from chassis.failpoints import Failpoints

FAILPOINTS = Failpoints(
    "usage-ingest",
    {
        "events.between-partitions": "some partitions hold their part of the request, others may not; nothing was "
        "acknowledged, the sender repeats all, and rating knows a repeated event by its identity",
        "events.before-quarantine": "the broker holds the good events, the quarantine rows are not committed; nothing "
        "was acknowledged, the sender repeats all",
        "events.before-answer": "all is stored and nobody knows; the sender repeats all: a repeated event is a "
        "duplicate by identity, a repeated quarantine is one more delivery of its row",
        "replay.before-mark": "the event is on the bus again and its row still waits with its content; the next replay "
        "sends it once more, a duplicate by identity",
    },
)
