"""Two judges who never met: rating's rules and the workload's truth come to the same entries for every conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_schemas.contract_v2 import read_contract
from event_schemas.contracts import Contract
from usage_rating.contracts import from_contract
from usage_rating.domain.merging import merge
from usage_rating.domain.outcome import decide
from usage_rating.domain.ranks import NAMES
from usage_rating.domain.signal import Signal
from workload.agreed import policies as timeline_of
from workload.generate import generate
from workload.load import load_contracts
from workload.script import Event
from workload.truth.outcome import HOUR, fact, ledger, status

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
        theirs, ours = timeline_of(contract), from_contract(read_contract(contract))
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


BEGIN = 1_790_812_800_000_000  # 2026-10-01, microseconds
LENGTHS = [hours * HOUR + odd for hours in (24, 48, 72, 14 * 24) for odd in (-1, 0, 1)]  # of windows and horizons
MOMENTS = [0, *(hours * HOUR for hours in (1, 6, 12, 36, 49, 361)), *LENGTHS]
INTENTS = ["question", "affirm", "thanks", "needs_help", "human_request", "negative", "other"]
TYPES = ["qualification", "disqualification", "resolution"]
NAMES_DRAWN = [
    *["customer_message"] * 4,
    *["ai_answer"] * 4,
    "ai_question",
    "ai_greeting",
    "procedure_handoff",
    "procedure_failed",
    "outcome_reached",
    "escalated",
    "teammate_reply",
    "flagged",
    "cleared",
    "merged_into",
    "resolution",
]


@st.composite
def an_event(draw: st.DrawFn, earlier: Sequence[Event]) -> Event:
    """A signal; half of them lie as far behind another one as a window or a horizon is long."""
    name = draw(st.sampled_from(NAMES_DRAWN))
    data: dict[str, str] = {"signal": name}
    if name == "resolution":
        data = {"state": draw(st.sampled_from(["confirmed", "assumed", "reversed"]))}
        data |= draw(st.sampled_from([{}, {"outcome_type": "qualification"}]))
    elif name == "customer_message":
        data["intent"] = draw(st.sampled_from(INTENTS))
    elif name in ("flagged", "cleared"):
        data |= draw(st.sampled_from([{"flag": "spam"}, {"flag": "test"}, *([{}] if name == "cleared" else [])]))
    elif name == "merged_into":
        data["into"] = "another"
    elif name == "outcome_reached":
        data["outcome_type"] = draw(st.sampled_from(TYPES))
    elif name == "ai_answer":
        data |= draw(st.sampled_from([{}, {}, {"outcome_type": "qualification"}, {"channel": "email"}]))
    kind = "resolution" if name == "resolution" else "conversation.signal"
    at = BEGIN + draw(st.sampled_from(MOMENTS))
    if earlier and draw(st.booleans()):
        at = draw(st.sampled_from(earlier))["at"] + draw(st.sampled_from(LENGTHS))
    return Event(at=at, type=kind, source="s", id=f"e{len(earlier)}", data=data)


@st.composite
def a_policy(draw: st.DrawFn, version: str) -> dict[str, Any]:
    orders = [[], ["resolution", "qualification"], ["procedure_handoff", "resolution"]]
    return {
        "version": version,
        "window_hours": {"default": draw(st.sampled_from([24, 48])), "email": draw(st.sampled_from([24, 72]))},
        "teammate_takeover_voids": draw(st.booleans()),
        "return_horizon_days": draw(st.sampled_from([None, 14, 1, 1])),
        "decided_by": draw(st.sampled_from(["signals", "signals", "signals", "product"])),
        "type_precedence": draw(st.sampled_from(orders)),
    }


@settings(max_examples=2500, deadline=None)
@given(st.data())
def test_both_judges_agree_on_any_conversation(data: st.DataObject) -> None:
    """
    Signals that meet the ends of windows and of horizons to the microsecond, under a policy that changes under way.

    Seen to fail when rating charged a window at whose last microsecond a message came, when it took a return at the end
    of the horizon as one after it, and when the truth forgot that a request for a human bars.
    """
    events: list[Event] = []
    for _ in range(data.draw(st.integers(1, 8))):
        events.append(data.draw(an_event(events)))
    as_of = max(BEGIN + data.draw(st.sampled_from([24, 48, 500])) * HOUR, *(event["at"] for event in events), 0)
    starts = ["2026-09-01T00:00:00Z", *data.draw(st.sampled_from([[], ["2026-10-02T00:00:00Z"]]))]
    timeline = [
        {"effective_from": start, "policy": data.draw(a_policy(f"v{number}"))} for number, start in enumerate(starts)
    ]
    contract = load_contracts(1, start=BEGIN)[0] | {"timeline": timeline}

    theirs, ours = timeline_of(contract), from_contract(Contract.model_validate(contract))
    truth = ledger([fact(event) for event in events], theirs, as_of)
    decision = decide(merge((), (), [as_signal(event) for event in events]).kept, ours, as_of=as_of)

    assert [(e.op, e.meter, e.effective_at, e.caused_at, e.how) for e in truth] == [
        (e.op, e.meter, e.effective_at, e.caused_at, e.how or e.reason) for e in decision.wanted
    ]
    assert status([fact(event) for event in events], theirs, as_of) == decision.status
