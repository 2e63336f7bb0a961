"""From a contract as it stands on the bus to the timeline that the rules read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from event_schemas.contract_v2 import AnyContract
from event_schemas.contracts import OutcomePolicy
from event_schemas.times import to_micros
from event_schemas.vocabulary import DecidedBy
from usage_rating.domain.policy import DAY, HOUR, ContractTimeline, Policy


def from_contract(contract: AnyContract) -> ContractTimeline:
    """The policies of a contract of any version, by the instant from which each is in force."""
    return ContractTimeline(
        tuple(to_micros(entry.effective_from) for entry in contract.timeline),
        tuple(from_contract_policy(entry.policy) for entry in contract.timeline),
    )


def from_contract_policy(policy: OutcomePolicy) -> Policy:
    """One policy, its durations in microseconds."""
    horizon = policy.return_horizon_days
    hours = policy.window_hours.model_dump(exclude_none=True)
    return Policy(
        version=policy.version,
        window={channel: count * HOUR for channel, count in hours.items()},
        teammate_takeover_voids=policy.teammate_takeover_voids,
        return_horizon=None if horizon is None else horizon * DAY,
        decided_by_product=policy.decided_by is DecidedBy.PRODUCT,
        precedence={name: rank for rank, name in enumerate(policy.type_precedence)},
    )


def changed(timeline: ContractTimeline, draft: OutcomePolicy) -> ContractTimeline:
    """
    The timeline as if each of its policies had said what the draft says; what the draft leaves out stays their own.

    Of `window_hours` too only the channels that the draft names change. Where no contract was in force, none is.
    """
    said, whole = draft.model_fields_set, from_contract_policy(draft)
    fields: dict[str, Any] = {
        ours: getattr(whole, ours) for theirs, ours in FIELDS.items() if theirs in said and theirs != "window_hours"
    }
    windows: dict[str, int] = {}
    if "window_hours" in said:
        windows = {name: length for name, length in whole.window.items() if name in draft.window_hours.model_fields_set}
    policies = tuple(replace(own, **fields, window={**own.window, **windows}) for own in timeline.policies)
    return ContractTimeline(timeline.starts, policies)


FIELDS = {  # a contract's name of each field, and ours
    "version": "version",
    "window_hours": "window",
    "teammate_takeover_voids": "teammate_takeover_voids",
    "return_horizon_days": "return_horizon",
    "decided_by": "decided_by_product",
    "type_precedence": "precedence",
}
