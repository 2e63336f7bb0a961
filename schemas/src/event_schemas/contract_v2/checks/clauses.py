"""Commitments, minimums, allowances, limits, alerts, prepaid credits and the trial's allowances."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from event_schemas.contract_v2.checks.shared import keys, life, on_billing_days, overlap, say, sorted_timeline
from event_schemas.contract_v2.clauses import Alert, Commitment
from event_schemas.contract_v2.flaws import Flaw
from event_schemas.contract_v2.items import MeteredItem
from event_schemas.contract_v2.parts import in_time, living

if TYPE_CHECKING:
    from event_schemas.contract_v2.contract import ContractV2


def clauses(contract: ContractV2) -> Iterator[Flaw]:
    """All clauses about meters, and the credits."""
    for name in ("commitments", "minimums", "allowances", "limits", "alerts", "prepaid"):
        yield from keys(name, getattr(contract, name))
        for clause in getattr(contract, name):
            yield from life(f"{name}.{clause.key}", clause)
    yield from _meters(contract)
    yield from _amounts(contract)
    for commitment in contract.commitments:
        yield from _commitment(contract, commitment)
    for minimum in contract.minimums:
        days = [minimum.start, minimum.until]
        yield from on_billing_days(f"minimums.{minimum.key}", contract.billing_anchor, days)
    for alert in contract.alerts:
        yield from _alert(alert)
    yield from _prepaid(contract)
    yield from _at_once(contract)


def _meters(contract: ContractV2) -> Iterator[Flaw]:
    priced = {item.meter for item in living(contract.items) if isinstance(item, MeteredItem)}
    named = [
        (f"{name}.{clause.key}", clause.meter)
        for name in ("commitments", "minimums", "allowances", "limits", "alerts")
        for clause in living(getattr(contract, name))
    ]
    if contract.trial is not None:
        named += [(f"trial.allowances.{one.key}", one.meter) for one in contract.trial.allowances]
    for field, meter in named:
        if meter not in priced:
            yield Flaw("unknown_meter", f"{field}.meter", f"no item prices {meter}, so this clause bills nothing")


def _amounts(contract: ContractV2) -> Iterator[Flaw]:
    amounts = [(f"minimums.{one.key}.amount", one.amount.currency) for one in contract.minimums]
    amounts += [(f"prepaid.{one.key}.amount", one.amount.currency) for one in contract.prepaid]
    amounts += [(f"commitments.{one.key}.currency", one.currency) for one in contract.commitments]
    for field, currency in amounts:
        if currency is not contract.currency:
            yield Flaw("other_currency", field, f"agreed in {currency}, and the contract is in {contract.currency}")


def _commitment(contract: ContractV2, clause: Commitment) -> Iterator[Flaw]:
    field = f"commitments.{clause.key}"
    yield from sorted_timeline(f"{field}.ramp", clause.ramp)
    ramp = in_time(clause.ramp)
    days = [clause.start, *(step.at for step in ramp), clause.until]
    yield from on_billing_days(f"{field}.ramp", contract.billing_anchor, dict.fromkeys(days))
    if not ramp or ramp[0].at != clause.start:
        sentence = f"the ramp begins where the commitment does, at {say(clause.start)}"
        yield Flaw("ramp_start", f"{field}.ramp", sentence)


def _alert(alert: Alert) -> Iterator[Flaw]:
    for below, above in pairwise(alert.thresholds):
        if above <= below:
            sentence = f"thresholds must grow, and {above} comes after {below}"
            yield Flaw("thresholds_unsorted", f"alerts.{alert.key}.thresholds", sentence)


def _prepaid(contract: ContractV2) -> Iterator[Flaw]:
    metered = {item.key for item in contract.items if isinstance(item, MeteredItem)}
    for credit in contract.prepaid:
        for item in credit.items or ():
            if item not in metered:
                sentence = f"{item} is no metered item, and prepaid credits pay only these"
                yield Flaw("prepaid_item", f"prepaid.{credit.key}.items", sentence)


def _at_once(contract: ContractV2) -> Iterator[Flaw]:
    """What says two things about one meter at one time."""
    for name in ("commitments", "minimums", "limits"):
        for one, other in combinations(living(getattr(contract, name)), 2):
            if one.meter == other.meter and overlap(one, other):
                sentence = f"{one.key} speaks of {one.meter} at the same time; end one where the other begins"
                yield Flaw(f"{name}_overlap", f"{name}.{other.key}", sentence)
    for commitment in living(contract.commitments):
        for minimum in living(contract.minimums):
            if commitment.meter == minimum.meter and overlap(commitment, minimum):
                sentence = f"{minimum.meter} has the commitment {commitment.key} at the same time; agree on one of them"
                yield Flaw("minimum_beside_commitment", f"minimums.{minimum.key}", sentence)
