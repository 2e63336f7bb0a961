"""What a contract says at an instant and said at a revision, on one with a little history."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from event_schemas.contract_v2 import (
    ContractV2,
    as_of,
    billing_at,
    plan_at,
    price_of_meter_at,
    quantity_at,
    read_contract,
    revision_at,
    rewritten,
    seats_at,
)
from event_schemas.contract_v2.testing import START, a_change, a_document, document_with, metered, seats
from event_schemas.times import parse_instant

SWITCH = "2026-02-14T09:30:00Z"
EARLIER = [{"until": None, "agreed_in": 1}]
DOCUMENT = a_document(
    revision=3,
    history=[
        a_change(),
        a_change(2, agreed_at="2026-02-10T00:00:00Z", effective_at=SWITCH, reason="to Advanced"),
        a_change(3, agreed_at="2026-02-20T00:00:00Z", effective_at="2026-03-01T00:00:00Z", reason="moved to Ireland"),
    ],
    billing=[
        {"at": START, "agreed_in": 1, "name": "Acme Ltd", "issuer": "settled-us"},
        {"at": "2026-03-01T00:00:00Z", "agreed_in": 3, "name": "Acme Ltd", "issuer": "settled-ie"},
    ],
    items=[
        seats(plan="essential", until=SWITCH, until_agreed_in=2, earlier_untils=EARLIER),
        seats(3, key="advanced", price="99", plan="advanced", product="seat", agreed_in=2, **{"from": SWITCH}),
        metered(until=SWITCH, until_agreed_in=2, earlier_untils=EARLIER),
        metered(key="resolution-2", price="0.89", agreed_in=2, **{"from": SWITCH}),
    ],
)


def at(text: str) -> datetime:
    return parse_instant(text)


def read(document: Any) -> ContractV2:
    contract = read_contract(document)
    assert isinstance(contract, ContractV2)
    return contract


CONTRACT = read(document_with("items/1/quantities/0/agreed_in", 2, DOCUMENT))


@pytest.mark.parametrize(
    ("instant", "plan", "seat_count", "item"),
    [
        ("2026-01-31T23:59:59.999999Z", None, 0, None),
        (START, "essential", 2, "resolution"),
        ("2026-02-14T09:29:59.999999Z", "essential", 2, "resolution"),
        (SWITCH, "advanced", 3, "resolution-2"),
        ("2036-01-01T00:00:00Z", "advanced", 3, "resolution-2"),
    ],
)
def test_plan_seats_and_price_are_known_at_any_instant(
    instant: str, plan: str | None, seat_count: int, item: str | None
) -> None:
    priced = price_of_meter_at(CONTRACT, "resolution", at(instant))

    assert plan_at(CONTRACT, at(instant)) == plan
    assert seats_at(CONTRACT, "seat", at(instant)) == seat_count
    assert (priced.key if priced else None) == item


def test_who_bills_is_known_at_any_instant_and_before_the_first_one_too() -> None:
    issuers = [billing_at(CONTRACT, at(f"2026-{month}-01T00:00:00Z")).issuer for month in ("01", "02", "03")]

    assert issuers == ["settled-us", "settled-us", "settled-ie"]


def test_a_revision_is_known_by_when_it_was_agreed() -> None:
    days = ("2026-01-01", "2026-02-09", "2026-02-10", "2026-03-01")

    assert [revision_at(CONTRACT, at(f"{day}T00:00:00Z")) for day in days] == [None, 1, 2, 3]


def test_an_earlier_revision_knows_nothing_of_what_was_agreed_later() -> None:
    first = as_of(CONTRACT, 1)

    assert (first.revision, plan_at(first, at("2027-01-01T00:00:00Z"))) == (1, "essential")
    assert [item.until for item in first.items] == [None, None]
    assert quantity_at(first, "advanced", at(SWITCH)) == 0
    assert read(first.model_dump(mode="json")) == first  # it can be meant, as it could then


def test_a_revision_that_never_was_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no revision 7"):
        as_of(CONTRACT, 7)


@pytest.mark.parametrize(
    ("path", "value", "code", "field"),
    [
        ("items/0/price/unit_price", "38", "history_rewritten", "items"),
        ("history/0/reason", "something else", "history_rewritten", "history"),
        ("billing/0/name", "Other Ltd", "history_rewritten", "billing"),
        ("proration", "day", "history_rewritten", "proration"),
        ("customer", "other", "history_rewritten", "customer"),
    ],
)
def test_what_was_agreed_cannot_be_said_otherwise_later(path: str, value: str, code: str, field: str) -> None:
    before = read(document_with(path, value, as_of(CONTRACT, 1).model_dump(mode="json")))

    assert [(flaw.code, flaw.field) for flaw in rewritten(before, CONTRACT)] == [(code, field)]


def test_a_contract_keeps_its_currency() -> None:
    document = as_of(CONTRACT, 1).model_dump(mode="json")
    for item in document["items"]:
        item["currency"] = "EUR"
    (flaw,) = rewritten(read(document_with("currency", "EUR", document)), CONTRACT)

    assert (flaw.code, flaw.field) == ("currency_change", "currency")


def test_a_revision_comes_after_the_one_before() -> None:
    assert [flaw.code for flaw in rewritten(CONTRACT, as_of(CONTRACT, 2))] == ["revision_order"]
    assert [flaw.code for flaw in rewritten(CONTRACT, CONTRACT)] == ["revision_order"]


def test_an_unknown_past_is_told() -> None:
    before = read(document_with("history/1/revision", 2, as_of(CONTRACT, 2).model_dump(mode="json")))
    after = read(
        a_document(
            revision=9,
            history=[a_change(9)],
            **{key: [] for key in ("items",)},
            policies=[{"at": START, "agreed_in": 9, "policy": {"version": "v"}, "charges": []}],
            billing=[{"at": START, "agreed_in": 9, "name": "Acme Ltd", "issuer": "settled-us"}],
        )
    )

    assert [flaw.code for flaw in rewritten(before, after)] == ["history_rewritten"]
