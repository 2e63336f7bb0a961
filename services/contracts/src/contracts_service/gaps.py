"""The gaps between two writes of this service: what repeats after dying in one, and why that is harmless."""

from __future__ import annotations

from chassis.failpoints import Failpoints

FAILPOINTS = Failpoints(
    "contracts",
    {
        "catalog.before-answer": "the catalogue is stored and nobody knows; applying the same folder again has nothing "
        "to do",
        "command.before-answer": "revision, uses, key and outbox are stored in one transaction and nobody knows; the "
        "same command with the same key gets the answer of the first time",
        "publish.between-topics": "the contract is on the bus, what changed is not, and the row is still due; both go "
        "out again, and readers know a repeat by customer and revision",
        "publish.before-mark": "both records are on the bus and the row is still due; both go out again, and readers "
        "know a repeat by customer and revision",
    },
)
