"""What POST /v1/events answers, as structs that encode fast; `openapi.py` describes the same in words."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

import msgspec

Status = Literal["accepted", "quarantined", "refused", "not_stored"]
STATUSES: tuple[Status, ...] = ("accepted", "quarantined", "refused", "not_stored")


class EventResult(msgspec.Struct, gc=False, omit_defaults=True):
    """What became of one event; id and source are null where the event has no valid ones."""

    id: str | None
    source: str | None
    status: Status
    reason: str | None = None
    field: str | None = None
    detail: str | None = None


class IntakeAnswer(msgspec.Struct, gc=False):
    """One result for each event, in the order of the request."""

    results: list[EventResult]
    accepted: int
    quarantined: int
    refused: int


def counts_of(results: list[EventResult]) -> dict[Status, int]:
    """How many results have each status."""
    counted = Counter(result.status for result in results)
    return {status: counted[status] for status in STATUSES}


def problem_members(results: list[EventResult]) -> dict[str, Any]:
    """The same as members of a problem document."""
    counts = {str(status): count for status, count in counts_of(results).items()}
    return {"results": msgspec.to_builtins(results), **counts}
