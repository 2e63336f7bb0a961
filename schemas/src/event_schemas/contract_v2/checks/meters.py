"""Which item prices which meter, when: never two at once, and no gap where the policy can charge."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import combinations
from typing import TYPE_CHECKING

from event_schemas.contract_v2.checks.shared import overlap, say
from event_schemas.contract_v2.flaws import Flaw
from event_schemas.contract_v2.items import MeteredItem
from event_schemas.contract_v2.parts import in_time, living

if TYPE_CHECKING:
    from event_schemas.contract_v2.contract import ContractV2


def meters(contract: ContractV2) -> Iterator[Flaw]:
    """All about the meters of metered items."""
    found = [item for item in living(contract.items) if isinstance(item, MeteredItem)]
    for one, other in combinations(found, 2):
        if one.meter == other.meter and overlap(one, other):
            at = say(max(one.start, other.start))
            sentence = (
                f"{one.meter} has two prices at {at}, by {one.key} and {other.key}; end one where the other begins"
            )
            yield Flaw("meter_priced_twice", f"items.{other.key}.meter", sentence)
    free = {one.meter for one in contract.free_meters}
    for item in found:
        if item.meter in free:
            sentence = (
                f"{item.meter} is declared free and has a price in {item.key}; a meter free for a time is `included`"
            )
            yield Flaw("free_meter_priced", f"free_meters.{item.meter}", sentence)
    yield from _gaps(contract, found, free)


def _gaps(contract: ContractV2, found: list[MeteredItem], free: set[str]) -> Iterator[Flaw]:
    policies = in_time(contract.policies)
    over = _end(contract)
    for place, entry in enumerate(policies):
        following = policies[place + 1].at if place + 1 < len(policies) else None
        until = min((end for end in (following, over) if end is not None), default=None)
        for meter in dict.fromkeys(entry.charges):
            gap = None if meter in free else _gap([i for i in found if i.meter == meter], entry.at, until)
            if gap is not None:
                start, end = gap
                sentence = (
                    f"the policy {entry.policy.version} can charge {meter}, which has no price from {say(start)}"
                    f"{f' to {say(end)}' if end is not None else ' on'}; give it a price then, or declare it free"
                )
                yield Flaw("meter_without_price", f"policies.{say(entry.at)}.charges", sentence)


def _end(contract: ContractV2) -> datetime | None:
    """When the last item ends; None where one never does, or there is none."""
    untils = [item.until for item in living(contract.items)]
    return None if not untils or None in untils else max(until for until in untils if until is not None)


def _gap(items: list[MeteredItem], start: datetime, until: datetime | None) -> tuple[datetime, datetime | None] | None:
    """The first part of [start, until) in which none of the items lives."""
    at = start
    for item in sorted(items, key=lambda item: item.start):
        if item.until is not None and item.until <= at:
            continue
        if item.start > at:
            break
        if item.until is None:
            return None
        at = item.until
    if until is not None and at >= until:
        return None
    later = [item.start for item in items if item.start > at] + ([until] if until is not None else [])
    return at, min(later, default=None)
