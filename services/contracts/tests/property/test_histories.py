"""Any sequence of commands: what was accepted is a valid contract that says what a plain replay of it says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts_service.agreements.domain.as_version_1 import as_version_1
from contracts_service.agreements.domain.decide import Decided, Refusal
from contracts_service.agreements.domain.money import foresee
from contracts_service.catalog.folder import read_document
from contracts_service.testing import START, a_catalog, a_sign_up, asked, told
from event_schemas.contract_v2 import (
    ContractV2,
    as_of,
    billing_at,
    from_version_1,
    items_at,
    plan_at,
    quantity_at,
    read_contract,
    seats_at,
)

CATALOG = read_document(a_catalog(plans__pro__least_seats=1))
SEAT = {"basic": "basic_seat", "pro": "pro_seat"}
# What only a mistake of ours can bring about: no command of a customer contradicts the history.
OURS = {"end_without_history", "history_order", "revision_without_history", "timeline_unsorted", "duplicate_key"}
POLICY = {"basic": "standard", "pro": "patient"}


@dataclass(frozen=True)
class State:
    """What a person would note down: no items, no timelines."""

    plan: str | None = "basic"
    seats: int = 3
    policy: str = "standard"
    issuer: str = "settled-us"
    name: str = "Acme Ltd"
    country: str | None = None
    add_ons: tuple[tuple[str, int], ...] = ()

    def after(self, command: dict[str, Any]) -> State:
        """The state once a command has taken effect."""
        held = dict(self.add_ons)
        match command["do"]:
            case "change_plan":
                policy = self.policy if command.get("keep_policy") else POLICY[command["plan"]]
                return replace(self, plan=command["plan"], seats=command["seats"], policy=policy)
            case "change_seats" if command.get("product") is None:
                return replace(self, seats=command["quantity"])
            case "change_seats":
                held[command["product"]] = command["quantity"]
            case "add_add_on":
                held[command["add_on"]] = command["quantity"]
            case "remove_add_on":
                del held[command["add_on"]]
            case "change_policy":
                return replace(self, policy=command["policy"])
            case "change_billing":
                return replace(self, name=command["name"])
            case "change_tax":
                return replace(self, country=command["tax_address"]["country"])
            case "cancel":
                return replace(self, plan=None, seats=0, add_ons=())
        return replace(self, add_ons=tuple(sorted(held.items())))


@dataclass
class Replay:
    """The accepted commands, each with its instant and revision; an undone one is struck out."""

    agreed: dict[int, tuple[datetime, dict[str, Any]]] = field(default_factory=dict)

    def at(self, instant: datetime) -> State:
        """The state at an instant: what takes effect by then, in the order of instants, then of revisions."""
        state = State()
        for _, _, command in sorted((at, number, c) for number, (at, c) in self.agreed.items() if at <= instant):
            state = state.after(command)
        return state


def said(contract: ContractV2, instant: datetime) -> State:
    """The same, read from the contract."""
    plan, policy = plan_at(contract, instant), contract.policy_at(instant)
    assert policy is not None
    billing = billing_at(contract, instant)
    held = {item.product for item in items_at(contract, instant) if item.plan is None}
    return State(
        plan=plan,
        seats=seats_at(contract, SEAT[plan], instant) if plan is not None else 0,
        policy=policy.version.partition("/")[0],
        issuer=billing.issuer,
        name=billing.name,
        country=billing.tax_address.country if billing.tax_address is not None else None,
        add_ons=tuple(sorted((product, seats_at(contract, product, instant)) for product in held)),
    )


HOURS = st.sampled_from([-48, 0, 1, 24, 25, 24 * 30, 24 * 31, 24 * 60])  # few instants, so that they meet
COMMANDS = st.one_of(
    st.fixed_dictionaries({"do": st.just("change_seats"), "quantity": st.integers(1, 9)}),
    st.fixed_dictionaries(
        {"do": st.just("change_seats"), "quantity": st.integers(1, 9), "product": st.just("copilot")}
    ),
    st.fixed_dictionaries(
        {
            "do": st.just("change_plan"),
            "plan": st.sampled_from(["basic", "pro"]),
            "seats": st.none() | st.integers(1, 9),
            "keep_policy": st.booleans(),
        }
    ),
    st.fixed_dictionaries(
        {"do": st.just("add_add_on"), "add_on": st.sampled_from(["copilot", "outreach"]), "quantity": st.integers(1, 9)}
    ),
    st.fixed_dictionaries({"do": st.just("remove_add_on"), "add_on": st.sampled_from(["copilot", "outreach"])}),
    st.fixed_dictionaries({"do": st.just("change_policy"), "policy": st.sampled_from(["standard", "patient"])}),
    st.fixed_dictionaries({"do": st.just("change_billing"), "name": st.sampled_from(["Acme Ltd", "Acme SE"])}),
    st.fixed_dictionaries(
        {"do": st.just("change_tax"), "tax_address": st.sampled_from([{"country": "DE"}, {"country": "FR"}])}
    ),
    st.fixed_dictionaries(
        {
            "do": st.sampled_from(["give_allowance", "set_limit"]),
            "meter": st.sampled_from(["resolution", "sms_segment"]),
            "quantity": st.integers(1, 3),
        }
    ),
    st.fixed_dictionaries(
        {"do": st.just("set_minimum"), "meter": st.just("resolution"), "amount_minor": st.none() | st.integers(1, 2)}
    ),
    st.fixed_dictionaries(
        {"do": st.just("set_alerts"), "meter": st.just("resolution"), "thresholds": st.sampled_from([[], [1], [1, 2]])}
    ),
    st.fixed_dictionaries({"do": st.just("cancel")}),
    st.fixed_dictionaries({"do": st.just("undo"), "back": st.integers(0, 3)}),
)
STEPS = st.lists(st.tuples(COMMANDS, HOURS, st.sampled_from([0, 0, 0, 1, 24, 24 * 10])), min_size=2, max_size=14)


def lived(steps: list[tuple[dict[str, Any], int, int]]) -> tuple[ContractV2, Replay]:
    """The contract and the replay after these steps; each is decided `moves` hours after the one before."""
    first = told(a_sign_up(), None, catalog=CATALOG)
    assert isinstance(first, Decided)
    contract, replay, now = first.contract, Replay(), START
    for drawn, hours, moves in steps:
        now += timedelta(hours=moves)
        at = now + timedelta(hours=hours)
        command = asked(**drawn, **({} if drawn["do"] == "undo" else {"at": at.isoformat()}))
        if drawn["do"] == "undo":
            command["revision"] = max(contract.revision - command.pop("back"), 1)
        decided = told(command, contract, now=now, catalog=CATALOG)
        if isinstance(decided, Refusal):
            assert not {flaw.code for flaw in decided.flaws} & OURS, decided
            continue
        if drawn["do"] == "undo":
            del replay.agreed[command["revision"]]
        else:
            if drawn["do"] == "change_plan" and drawn["seats"] is None:
                command["seats"] = replay.at(at).seats
            replay.agreed[decided.contract.revision] = (at, command)
        contract = decided.contract
    return contract, replay


def instants(contract: ContractV2, replay: Replay) -> list[datetime]:
    """Around every instant at which something changes, and long after."""
    moments = {at for at, _ in replay.agreed.values()} | {change.effective_at for change in contract.history}
    around = {moment + timedelta(microseconds=by) for moment in moments for by in (-1, 0)}
    return [*sorted(one for one in around if one >= START), START + timedelta(days=1000)]


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_the_state_at_any_instant_is_that_of_a_plain_replay(steps: list[tuple[dict[str, Any], int, int]]) -> None:
    contract, replay = lived(steps)

    assert read_contract(contract.model_dump(mode="json", exclude_none=True)) == contract
    for instant in instants(contract, replay):
        assert said(contract, instant) == replay.at(instant), instant


@settings(max_examples=80, deadline=None)
@given(STEPS, COMMANDS.filter(lambda command: command["do"] != "undo"), st.integers(1, 90 * 24))
def test_an_undo_restores_what_was_said_before(
    steps: list[tuple[dict[str, Any], int, int]], drawn: dict[str, Any], hours: int
) -> None:
    contract, replay = lived(steps)
    now = contract.history[-1].agreed_at
    command = asked(**drawn, at=(now + timedelta(hours=hours)).isoformat())
    done = told(command, contract, now=now, catalog=CATALOG)
    if isinstance(done, Refusal):
        return
    undone = told(asked("undo", revision=done.contract.revision), done.contract, now=now, catalog=CATALOG)

    assert isinstance(undone, Decided)
    for instant in [*instants(contract, replay), now + timedelta(hours=hours)]:
        assert said(undone.contract, instant) == said(contract, instant)
        assert [i.key for i in items_at(undone.contract, instant)] == [i.key for i in items_at(contract, instant)]
    assert as_of(undone.contract, contract.revision).items == contract.items


@settings(max_examples=60, deadline=None)
@given(STEPS, COMMANDS.filter(lambda command: command["do"] != "undo"), HOURS)
def test_the_money_of_any_change_can_be_foreseen_and_an_undone_one_changes_none(
    steps: list[tuple[dict[str, Any], int, int]], drawn: dict[str, Any], hours: int
) -> None:
    contract, _ = lived(steps)
    now = contract.history[-1].agreed_at
    done = told(asked(**drawn, at=(now + timedelta(hours=hours)).isoformat()), contract, now=now, catalog=CATALOG)
    if isinstance(done, Refusal):
        return
    found = foresee(contract, done.contract)
    undone = told(asked("undo", revision=done.contract.revision), done.contract, now=now, catalog=CATALOG)

    assert found.billing_day >= done.contract.history[-1].effective_at.replace(microsecond=0)
    assert found.after.minor == sum(line.amount.minor for line in found.lines)
    if isinstance(undone, Decided):
        back = foresee(contract, undone.contract)
        assert (back.before, back.proration) == (back.after, ())


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_what_version_1_can_say_it_says_without_loss(steps: list[tuple[dict[str, Any], int, int]]) -> None:
    contract, replay = lived(steps)
    first = as_version_1(contract)
    if isinstance(first, str):
        return

    again = from_version_1(first, agreed_at=START)
    for instant in instants(contract, replay):
        ours, theirs = (sorted(items_at(one, instant), key=lambda i: i.kind) for one in (contract, again))
        assert [(i.kind, i.price, i.currency) for i in ours] == [(i.kind, i.price, i.currency) for i in theirs]
        assert [quantity_at(contract, i.key, instant) for i in ours if i.kind == "licensed"] == [
            quantity_at(again, i.key, instant) for i in theirs if i.kind == "licensed"
        ]
        assert contract.policy_at(instant) == again.policy_at(instant)
        assert billing_at(contract, instant).model_dump(exclude={"at", "agreed_in"}) == billing_at(
            again, instant
        ).model_dump(exclude={"at", "agreed_in"})
