"""Reads decisions in the golden file's form, for `python -m usage_rating decide` and for tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from event_schemas.contracts import OutcomePolicy
from event_schemas.times import from_micros, iso, parse_instant, to_micros
from event_schemas.vocabulary import RANK, SignalType
from usage_rating.contracts import from_contract_policy
from usage_rating.domain.entries import Wanted
from usage_rating.domain.merging import merge
from usage_rating.domain.policy import ContractTimeline
from usage_rating.domain.signal import Signal

_TYPES = {"customer": SignalType.CUSTOMER_MESSAGE}
_DETAILS = ("intent", "as", "conversation", "state")


def from_golden(case: Mapping[str, Any]) -> tuple[tuple[Signal, ...], ContractTimeline, int]:
    """
    The signals, the contract and the instant of one case.

    An event without an `id` is one of its own; two with the same id are one event that came twice.
    """
    signals = [_signal(event, place) for place, event in enumerate(case["events"])]
    settings = dict(case.get("policy", {}))
    if "window_hours" in settings:
        settings["window_hours"] = {"default": settings["window_hours"]}
    policy = from_contract_policy(OutcomePolicy(version="golden", **settings))
    return merge((), (), signals).kept, ContractTimeline((0,), (policy,)), to_micros(parse_instant(case["evaluate_at"]))


def _signal(event: Mapping[str, Any], place: int) -> Signal:
    name = event["type"]
    return Signal(
        at=to_micros(parse_instant(event["at"])),
        rank=RANK[_TYPES.get(name) or SignalType(name)],
        source="golden",
        id=event.get("id", f"event-{place}"),
        detail=next((event[key] for key in _DETAILS if key in event), ""),
        outcome_type=event.get("outcome_type", ""),
        channel=event.get("channel", "chat"),
    )


def expected_form(entries: Iterable[Wanted]) -> dict[str, Any]:
    """Entries in the form of the golden file's `expected`: the net and the ledger."""
    ledger: list[dict[str, str]] = []
    net = 0
    for entry in entries:
        line = {"at": iso(from_micros(entry.caused_at)), "op": entry.op}
        if entry.op == "charge":
            net += 1
            line |= {"type": entry.meter, "how": entry.how}
        else:
            net -= 1
            line["reason"] = entry.reason
        ledger.append(line)
    return {"net": net, "ledger": ledger}
