"""Hard limits: units above them are recorded, not charged. Source: golden rule R7, case G25."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

from pricing.draft import Basis, Draft, Segment
from pricing.terms import in_force


def cap(basis: Basis, draft: Draft) -> Draft:
    """
    Take off what lies above the limit in force, counted from the start of the period over all items of the meter.

    A limit lowered below what was used already charges nothing further, and takes nothing back.
    """
    if not basis.terms.limits:
        return draft
    charged: dict[str, Decimal] = defaultdict(Decimal)
    segments: list[Segment] = []
    for segment in draft.segments:
        if segment.item is None:
            segments.append(segment)
            continue
        capped = segment
        limit = next(
            (c for c in basis.terms.limits if c.meter == segment.meter and in_force(c, segment.span.start)), None
        )
        if limit is not None:
            room = max(Decimal(0), limit.quantity - charged[segment.meter])
            within = min(segment.left, room)
            capped = replace(segment, left=within, capped=segment.left - within, capped_at=limit.quantity)
        charged[segment.meter] += capped.left
        segments.append(capped)
    return draft.with_segments(segments)
