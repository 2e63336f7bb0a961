"""Two judges who never met: rating's rules and the workload's truth come to the same entries for every conversation."""

from __future__ import annotations

import pytest

from event_schemas.contracts import Contract
from usage_rating.contracts import from_contract
from usage_rating.domain.merging import merge
from usage_rating.domain.outcome import decide
from usage_rating.domain.ranks import NAMES
from usage_rating.domain.signal import Signal
from workload.generate import generate
from workload.script import Event
from workload.truth.book import timeline_of
from workload.truth.outcome import fact, ledger, status

RANK = {name: rank for rank, name in NAMES.items()}


def as_signal(event: Event) -> Signal:
    data = event["data"]
    resolution = event["type"] == "resolution"
    return Signal(
        event["at"],
        RANK["resolution" if resolution else data["signal"]],
        event["source"],
        event["id"],
        next((data[key] for key in ("intent", "flag", "into", "state") if key in data), ""),
        data.get("outcome_type", "resolution" if resolution else ""),
        data.get("channel", "chat"),
    )


@pytest.mark.parametrize("seed", range(3))
def test_both_judges_write_the_same_ledger(seed: int) -> None:
    """At the last step before the freeze and at the end, adversarial conversations included."""
    work = generate(seed=seed, customers=60, conversations=2000)
    judged = 0
    for (customer, subject), facts in work.facts.items():
        if facts[0][1]["type"] == "usage":
            continue
        contract = next(c for c in work.contracts if c["customer"] == customer)
        theirs, ours = timeline_of(contract), from_contract(Contract.model_validate(contract))
        for as_of in (work.month.last_open_step, work.month.last_step):
            events = [event for step, event in facts if step <= as_of]
            truth = ledger([fact(event) for event in events], theirs, as_of)
            decision = decide(merge((), (), [as_signal(e) for e in events]).kept, ours, as_of=as_of)
            assert [(e.op, e.meter, e.effective_at, e.caused_at, e.how) for e in truth] == [
                (e.op, e.meter, e.effective_at, e.caused_at, e.how or e.reason) for e in decision.wanted
            ], (customer, subject)
            if events:
                assert status([fact(event) for event in events], theirs, as_of) == decision.status, (customer, subject)
            judged += 1
    assert judged > 4000
