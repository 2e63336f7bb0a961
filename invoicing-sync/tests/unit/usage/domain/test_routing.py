"""What becomes of a lane's deliveries, and that Stripe's net equals the ledger's, whatever happens in between."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from invoicing_sync.usage.domain.placement import place
from invoicing_sync.usage.domain.routing import Do, Effect, Limits, Step, plan_lane, route_reversal
from invoicing_sync.usage.domain.states import OPEN, Correction, State

NOW = datetime(2026, 10, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIMITS = Limits(resend_within=20 * HOUR, cancel_within=23 * HOUR, oldest=timedelta(days=34.9))


def charge(state: State = State.PENDING, **changes: object) -> Effect:
    return replace(Effect("c1", state, NOW - HOUR), **changes)  # type: ignore[arg-type]


def reversal(**changes: object) -> Effect:
    return replace(Effect("r1", State.PENDING, NOW - HOUR, reverses="c1"), **changes)  # type: ignore[arg-type]


class TestRouteReversal:
    def test_a_charge_that_was_not_sent_is_netted(self) -> None:
        assert route_reversal(reversal(), charge(), now=NOW, limits=LIMITS) == Step("r1", Do.NET)

    def test_a_charge_on_its_way_is_waited_for(self) -> None:
        for state in (State.IN_FLIGHT, State.UNCLEAR):
            assert route_reversal(reversal(), charge(state), now=NOW, limits=LIMITS) is None

    def test_a_charge_that_stripe_received_less_than_a_day_ago_is_cancelled(self) -> None:
        delivered = charge(State.DELIVERED, sent_at=NOW - 22 * HOUR)

        assert route_reversal(reversal(), delivered, now=NOW, limits=LIMITS) == Step("r1", Do.CANCEL)

    def test_a_charge_that_stripe_received_a_day_ago_is_outweighed(self) -> None:
        delivered = charge(State.DELIVERED, sent_at=NOW - 23 * HOUR)

        assert route_reversal(reversal(), delivered, now=NOW, limits=LIMITS) == Step("r1", Do.SEND)

    def test_a_charge_that_stripe_refuses_to_cancel_is_outweighed(self) -> None:
        """Seen to fail: it was cancelled again for ever, and its period never became complete."""
        delivered = charge(State.DELIVERED, sent_at=NOW - HOUR)

        assert route_reversal(reversal(cancel_refused=True), delivered, now=NOW, limits=LIMITS) == Step("r1", Do.SEND)

    def test_a_charge_older_than_stripe_takes_is_a_correction(self) -> None:
        old = NOW - timedelta(days=35)
        delivered = charge(State.DELIVERED, sent_at=old, effective_at=old)

        step = route_reversal(reversal(effective_at=old), delivered, now=NOW, limits=LIMITS)

        assert step == Step("r1", Do.CORRECT, Correction.TOO_OLD)

    def test_a_refused_charge_needs_no_call(self) -> None:
        assert route_reversal(reversal(), charge(State.REFUSED), now=NOW, limits=LIMITS) == Step("r1", Do.NET)

    def test_the_reversal_of_a_correction_is_a_correction(self) -> None:
        step = route_reversal(reversal(), charge(State.CORRECTION), now=NOW, limits=LIMITS)

        assert step == Step("r1", Do.CORRECT, Correction.CHARGE_IS_CORRECTION)

    def test_a_charge_cannot_be_taken_out_twice(self) -> None:
        with pytest.raises(ValueError, match="already"):
            route_reversal(reversal(), charge(State.CANCELLED), now=NOW, limits=LIMITS)

    def test_a_charge_of_a_meter_that_was_free_then_needs_no_call(self) -> None:
        assert route_reversal(reversal(), charge(State.NETTED), now=NOW, limits=LIMITS) == Step("r1", Do.NET)


class TestPlanLane:
    def test_charge_and_reversal_that_meet_in_the_lane_are_both_netted(self) -> None:
        steps = plan_lane([charge(), reversal()], {}, now=NOW, limits=LIMITS)

        assert steps == (Step("c1", Do.NET), Step("r1", Do.NET))

    def test_nothing_overtakes_an_unclear_call(self) -> None:
        unclear = charge(State.UNCLEAR, sent_at=NOW - HOUR)
        other = replace(charge(), identifier="c2")

        assert plan_lane([unclear, other], {}, now=NOW, limits=LIMITS) == (Step("c1", Do.SEND),)

    def test_an_unclear_adjustment_is_asked_for_again_as_an_adjustment(self) -> None:
        unclear = reversal(state=State.UNCLEAR, cancels=True, sent_at=NOW - HOUR)

        assert plan_lane([unclear], {}, now=NOW, limits=LIMITS) == (Step("r1", Do.CANCEL),)

    def test_an_unclear_adjustment_is_not_asked_for_again_once_stripe_would_find_its_event_too_old(self) -> None:
        """Stripe would refuse it for its age also where it was carried out; a negative event would take twice away."""
        unclear = reversal(state=State.UNCLEAR, cancels=True, sent_at=NOW - HOUR)
        delivered = charge(State.DELIVERED, sent_at=NOW - 23 * HOUR)

        assert plan_lane([unclear], {"c1": delivered}, now=NOW, limits=LIMITS) == (Step("r1", Do.ASK),)

    def test_what_is_unclear_for_20_hours_is_not_sent_again(self) -> None:
        unclear = charge(State.UNCLEAR, sent_at=NOW - 20 * HOUR - timedelta(seconds=1))

        assert plan_lane([unclear], {}, now=NOW, limits=LIMITS) == (Step("c1", Do.ASK),)

    def test_a_charge_too_old_for_stripe_is_a_correction_and_so_is_its_reversal(self) -> None:
        old = NOW - timedelta(days=35)

        steps = plan_lane([charge(effective_at=old), reversal(effective_at=old)], {}, now=NOW, limits=LIMITS)

        assert steps == (
            Step("c1", Do.CORRECT, Correction.TOO_OLD),
            Step("r1", Do.CORRECT, Correction.CHARGE_IS_CORRECTION),
        )


@dataclass
class Far:
    """Stripe reduced to what the property needs: what it counts, what it remembers, what it refuses."""

    counted: dict[str, int] = field(default_factory=dict)
    received: dict[str, datetime] = field(default_factory=dict)

    def send(self, identifier: str, value: int, at: datetime, now: datetime) -> None:
        assert now - at <= timedelta(days=35), "Stripe refuses what is older"
        self.counted.setdefault(identifier, value)  # a known identifier is not counted again
        self.received.setdefault(identifier, now)

    def cancel(self, identifier: str, now: datetime) -> None:
        assert now - self.received[identifier] < timedelta(hours=24), "Stripe cancels for 24 hours"
        self.counted[identifier] = 0


def carry_out(
    step: Step, lane: dict[str, Effect], values: dict[str, int], far: Far, now: datetime, answer: bool
) -> None:
    """Do one step; without an answer the far side has it and we do not know."""
    effect = lane[step.identifier]
    match step.do:
        case Do.NET:
            lane[step.identifier] = replace(effect, state=State.NETTED)
        case Do.CORRECT:
            lane[step.identifier] = replace(effect, state=State.CORRECTION)
        case Do.SEND | Do.CANCEL:
            cancels = step.do is Do.CANCEL
            if cancels:
                assert effect.reverses is not None
                far.cancel(effect.reverses, now)
            else:
                far.send(step.identifier, values[step.identifier], effect.effective_at, now)
            state = State.DELIVERED if answer else State.UNCLEAR
            sent_at = effect.sent_at or now
            lane[step.identifier] = replace(effect, state=state, cancels=cancels, sent_at=sent_at)
            if cancels and answer:
                assert effect.reverses is not None
                lane[effect.reverses] = replace(lane[effect.reverses], state=State.CANCELLED)
        case Do.ASK:  # the summaries tell: here the far side has it
            lane[step.identifier] = replace(effect, state=State.DELIVERED)
            if effect.cancels:
                assert effect.reverses is not None
                lane[effect.reverses] = replace(lane[effect.reverses], state=State.CANCELLED)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    """Steps of (what, which charge, hours to wait before it)."""
    what = st.sampled_from(["charge", "reverse", "send", "send unanswered", "wait"])
    return draw(st.lists(st.tuples(what, st.integers(0, 3), st.integers(0, 60)), min_size=1, max_size=40))


MONTH_ENDS = [
    datetime(2026, 11, 1, tzinfo=UTC),
    datetime(2026, 12, 1, tzinfo=UTC),
    *(datetime(2027, month, 1, tzinfo=UTC) for month in range(1, 6)),
]


@settings(max_examples=400, deadline=None)
@given(histories())
@example(
    [("charge", 0, 0), ("send", 0, 0), ("reverse", 0, 22), ("send unanswered", 0, 0), ("send", 0, 2)]
)  # the adjustment was carried out, its answer was lost, and a day has passed since Stripe received the charge
def test_stripes_net_is_the_ledgers_net_of_the_frozen_set(history: list[tuple[str, int, int]]) -> None:
    """
    Any interleaving of charges, reversals, calls answered or not, waiting and the freeze.

    Seen to fail when a charge was sent although its reversal was netted; when an unclear call no longer stopped its
    lane; when an entry recorded after the freeze was placed in the period; when an event was cancelled after a day.
    """
    anchor = datetime(2026, 10, 1, tzinfo=UTC)
    freeze_after = timedelta(minutes=30)
    now, far = anchor, Far()
    lane: dict[str, Effect] = {}
    values: dict[str, int] = {}
    in_time: set[str] = set()  # recorded before the freeze

    def enter(effect: Effect, value: int) -> None:
        placed = place(
            billing_anchor=anchor,
            billed_from=anchor,
            effective_at=effect.effective_at,
            recorded_at=now,
            freeze_after=freeze_after,
        )
        values[effect.identifier] = value
        lane[effect.identifier] = replace(effect, state=State.CORRECTION if placed.correction else State.PENDING)
        if now < next(end for end in MONTH_ENDS if end > effect.effective_at) + freeze_after:
            in_time.add(effect.identifier)

    def work(answer: bool) -> None:
        opened = [effect for effect in lane.values() if effect.state in OPEN]
        steps = plan_lane(opened, lane, now=now, limits=LIMITS)
        for step in steps:  # stored in one transaction, before any call
            if step.do in (Do.NET, Do.CORRECT):
                carry_out(step, lane, values, far, now, answer)
        for step in steps:
            if step.do not in (Do.NET, Do.CORRECT):
                carry_out(step, lane, values, far, now, answer)
                if not answer:
                    break

    for what, which, hours in history:
        now += timedelta(hours=hours)
        if what == "charge" and f"c{which}" not in lane:
            enter(Effect(f"c{which}", State.PENDING, now - HOUR if now > anchor + HOUR else now), which + 1)
        elif what == "reverse" and f"c{which}" in lane and f"r{which}" not in lane:
            at = lane[f"c{which}"].effective_at
            enter(Effect(f"r{which}", State.PENDING, at, reverses=f"c{which}"), -which - 1)
        elif what.startswith("send"):
            work(answer=what == "send")
    for _ in range(4):
        work(answer=True)

    turned = sum(values[i] for i in in_time if lane[i].state is State.CORRECTION)  # too old before they could be sent
    assert not [effect for effect in lane.values() if effect.state in OPEN]
    assert sum(far.counted.values()) == sum(values[i] for i in in_time) - turned
    assert not set(far.counted) - in_time
