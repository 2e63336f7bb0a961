"""Asking for a draft: who is tried, who is left out and why, and that a refusal comes before anything is reckoned."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from event_schemas.contract_v2 import from_version_1
from event_schemas.contracts import Contract
from event_schemas.times import parse_instant
from settled_cli.line import Line
from settled_cli.what_if.domain.draft import DraftRefused, read_draft
from settled_cli.what_if.trying import Answer, Question, Steps, ask

VOIDS = "policy: {version: d1, teammate_takeover_voids: true}"


def a_contract(customer: str, currency: str) -> dict[str, Any]:
    return {
        "customer": customer,
        "name": customer,
        "issuer": "settled-us",
        "channel": "self_serve",
        "currency": currency,
        "billing_anchor": "2026-09-15T00:00:00Z",
        "revision": 1,
        "timeline": [{"effective_from": "2026-09-15T00:00:00Z", "policy": {"version": "s1"}}],
        "metered": [{"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "1"}}],
    }


def a_period(number: int, start: str, end: str, **fields: Any) -> dict[str, Any]:
    instants = {"period_start": f"{start}T00:00:00Z", "period_end": f"{end}T00:00:00Z", "freeze_at": f"{end}T00:30:00Z"}
    return {"number": number, "state": "finalised", "ledger": {"resolution": "10"}, **instants, **fields}


class FakeLine:
    """Three customers of the door: acme and bolt in USD, one in JPY; what a policy turns is told in two pages."""

    def __init__(self) -> None:
        self.fleet = SimpleNamespace(doors=["invoicing-sync"])
        self.contracts = {"acme": "USD", "bolt": "USD", "cana": "JPY"}
        self.orders: list[dict[str, Any]] = []
        self.applied = dict.fromkeys(self.contracts, 1)
        self.documents = {name: a_contract(name, currency) for name, currency in self.contracts.items()}

    async def get(self, service: str, path: str, **params: Any) -> Any:
        assert service == "invoicing-sync"
        if path == "/v1/contracts":
            return {"contracts": [{"customer": name} for name in self.contracts], "next": None}
        if path == "/v1/periods":
            return [
                a_period(2, "2026-11-15", "2026-12-15", state="frozen", ledger=None),
                a_period(1, "2026-10-15", "2026-11-15"),
                a_period(0, "2026-09-15", "2026-10-15", ledger={"resolution": "4"}),
                a_period(-1, "2026-09-15", "2026-09-15", ledger={}),
            ]
        name = path.rpartition("/")[2]
        return {"document": self.documents[name], "revision": 1, "applied_revision": self.applied[name]}

    async def post(self, service: str, path: str, body: dict[str, Any]) -> Any:
        assert (service, path) == ("rating", "/v1/what-if")
        self.orders.append(body)
        turn = {"meter": "resolution", "before": "assumed", "after": "teammate_took_over", "units": -1, "example": "c1"}
        meters = [{"meter": "resolution", "before": 5, "after": 4}]
        return {"conversations": 6, "meters": meters, "turned": [turn], "next": None if body["after"] else "c1"}


async def tried(
    text: str, *, customer: str | None = None, month: str | None = None, line: FakeLine | None = None
) -> tuple[Answer, list[str]]:
    steps: list[str] = []
    question = Question(read_draft(yaml.safe_load(text), name="draft"), customer, month)
    told = Steps(lambda what, of: steps.append(f"{what} {of}"), lambda: steps.append("."))
    return await ask(cast("Line", line or FakeLine()), question, told), steps


async def test_each_ones_latest_whole_period_is_tried_and_other_currencies_are_left_out() -> None:
    text = 'currency: USD\nprices: {resolution: {scheme: per_unit, unit_price: "0.90"}}'

    answer, steps = await tried(text)

    assert [(one.customer, one.before.minor, one.after.minor) for one in answer.tried] == [
        ("acme", 10_00, 9_00),
        ("bolt", 10_00, 9_00),
    ]
    assert [(one.customer, one.why) for one in answer.left_out] == [
        ("cana", "pays in JPY, and the draft has amounts in USD")
    ]
    assert steps == ["contracts and periods 3", ".", ".", ".", "reckoning 2", ".", "."]


async def test_a_month_names_the_period_that_begins_in_it() -> None:
    answer, _ = await tried("remove: [resolution]", customer="acme", month="2026-09")
    nothing, _ = await tried("remove: [resolution]", month="2026-08")

    assert (answer.tried[0].before.minor, answer.tried[0].after.unpriced) == (4_00, {"resolution": 4})
    assert nothing.tried == ()
    assert nothing.left_out[0].why == "no period that begins in 2026-08 is frozen whole with this customer"


async def test_a_policy_is_decided_again_as_at_the_freeze_and_its_pages_are_added_up() -> None:
    line = FakeLine()

    answer, _ = await tried(VOIDS, line=line)

    assert [one.after.units for one in answer.tried] == [{"resolution": 8}] * 3
    assert answer.decided is not None
    assert answer.decided.conversations == 36
    assert [(one["units"], one["customer"]) for one in answer.decided.as_page()["turned"]] == [(-6, "acme")]
    assert answer.otherwise == ()
    assert {(order["received_before"], order["after"]) for order in line.orders} == {
        ("2026-11-15T00:30:00Z", None),
        ("2026-11-15T00:30:00Z", "c1"),
    }


def limited_in_mid_period(contract: dict[str, Any]) -> dict[str, Any]:
    """The same in version 2, with a limit from the middle of the latest whole period on."""
    agreed = from_version_1(Contract.model_validate(contract), agreed_at=parse_instant("2026-09-14T00:00:00Z"))
    limit = {"key": "limit", "meter": "resolution", "quantity": 3, "from": "2026-10-20T00:00:00Z", "agreed_in": 1}
    document: dict[str, Any] = agreed.model_dump(mode="json", by_alias=True, exclude_none=True)
    return document | {"limits": [limit]}


async def test_what_turns_for_who_cannot_be_tried_is_in_no_sum() -> None:
    line = FakeLine()
    line.documents["bolt"] = limited_in_mid_period(line.documents["bolt"])

    answer, _ = await tried(VOIDS, line=line)

    assert [one.customer for one in answer.tried] == ["acme", "cana"]
    assert [(one.customer, "change within the period" in one.why) for one in answer.left_out] == [("bolt", True)]
    assert answer.decided is not None
    assert (answer.decided.conversations, answer.decided.meters["resolution"]["before"]) == (24, 20)
    assert [one["units"] for one in answer.decided.as_page()["turned"]] == [-4]


async def test_who_has_a_revision_that_is_not_applied_is_left_out() -> None:
    line = FakeLine()
    line.applied["bolt"] = 0

    answer, _ = await tried(VOIDS, line=line)

    assert [one.customer for one in answer.tried] == ["acme", "cana"]
    assert "is not applied" in answer.left_out[0].why


@pytest.mark.parametrize(
    ("text", "customer", "sentence"),
    [
        ("remove: [fax]", None, "remove.fax: none of the 3 customers has fax, so it would change nothing"),
        ("items: {seat: {quantity: 2}}", "acme", "items.seat: acme has no seat, so it would change nothing"),
        ('discounts: [{percent: "0"}]', None, "(acme, bolt, cana)"),
        ('currency: EUR\nminimums: [{meter: resolution, amount: "1"}]', "acme", "currency: acme pays in USD"),
    ],
)
async def test_a_draft_that_does_not_fit_is_refused_before_anything_is_decided_or_reckoned(
    text: str, customer: str | None, sentence: str
) -> None:
    line = FakeLine()

    with pytest.raises(DraftRefused) as refused:
        await tried(f"{text}\n{VOIDS}", customer=customer, line=line)

    assert sentence in str(refused.value)
    assert line.orders == []
