"""The anchor, the trial, and the timelines of billing and policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from event_schemas.contract_v2.checks.shared import say, sorted_timeline
from event_schemas.contract_v2.flaws import Flaw
from event_schemas.contract_v2.parts import in_time

if TYPE_CHECKING:
    from event_schemas.contract_v2.contract import ContractV2


def frame(contract: ContractV2) -> Iterator[Flaw]:
    """An anchor within a second, a trial that ends elsewhere, timelines that are unsorted or empty."""
    if contract.billing_anchor.microsecond:
        yield Flaw("anchor_within_a_second", "billing_anchor", "the billing anchor is a whole second, as Stripe's is")
    trial = contract.trial
    if trial is not None and trial.until <= trial.start:
        sentence = f"ends at {say(trial.until)}, which is not after its start, {say(trial.start)}"
        yield Flaw("empty_life", "trial.until", sentence)
    if trial is not None and trial.until != contract.billing_anchor:
        sentence = (
            f"the trial ends at {say(trial.until)} and the first paid period begins at {say(contract.billing_anchor)}; "
            "they must be one instant"
        )
        yield Flaw("trial_ends_elsewhere", "trial.until", sentence)
    for name in ("billing", "policies"):
        timeline = getattr(contract, name)
        yield from sorted_timeline(name, timeline)
        if not in_time(timeline):
            yield Flaw("timeline_empty", name, "all its entries were withdrawn, so nothing says what holds")
