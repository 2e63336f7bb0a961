"""Builders for tests: a small catalogue with one of everything, and commands with plain defaults."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from contracts_service.agreements.domain.commands import AnyCommand
from contracts_service.agreements.domain.decide import Decided, Refusal, decide
from contracts_service.catalog.domain.models import Catalog
from contracts_service.catalog.folder import read_document
from event_schemas.contract_v2 import ContractV2

Document = dict[str, Any]

_SMALL: Document = {
    "currencies": ["USD", "JPY"],
    "issuers": {
        "settled-us": {"name": "Settled Inc.", "country": "US", "currency": "USD"},
        "settled-ie": {"name": "Settled Ireland Ltd", "country": "IE", "currency": "USD"},
    },
    "meters": {
        "resolution": {"name": "Resolution", "kind": "outcome", "unit": "conversation"},
        "sms_segment": {"name": "SMS", "kind": "usage", "unit": "segment"},
        "message": {"name": "Message", "kind": "usage", "unit": "message"},
    },
    "policies": {
        "standard": {"name": "A day", "charges": ["resolution"]},
        "patient": {"name": "Three days", "charges": ["resolution"], "window_hours": {"default": 72}},
    },
    "outcome_prices": {
        "resolution": {"name": "Resolution", "meter": "resolution", "prices": {"USD": "0.99", "JPY": "148"}}
    },
    "usage_prices": {
        "sms": {
            "name": "SMS",
            "meter": "sms_segment",
            "prices": {
                "USD": {"scheme": "graduated", "tiers": [{"up_to": 500, "unit_price": "0.06"}, {"unit_price": "0.03"}]},
                "JPY": "9",
            },
        },
        "messages": {"name": "Messages", "meter": "message", "prices": {"USD": "0.04", "JPY": "6"}},
    },
    "plans": {
        "basic": {
            "name": "Basic",
            "product": "basic_seat",
            "sold_in": ["USD", "JPY"],
            "prices": {"USD": "39", "JPY": "5800"},
            "outcomes": ["resolution"],
            "usage": ["sms"],
            "policy": "standard",
            "trial": "fortnight",
        },
        "basic_yearly": {
            "name": "Basic, by the year",
            "product": "basic_seat",
            "rhythm": "year",
            "sold_in": ["USD"],
            "prices": {"USD": "348"},
            "outcomes": ["resolution"],
            "policy": "standard",
        },
        "pro": {
            "name": "Pro",
            "product": "pro_seat",
            "least_seats": 2,
            "sold_in": ["USD"],
            "prices": {"USD": "99"},
            "outcomes": ["resolution"],
            "usage": ["sms"],
            "policy": "patient",
        },
        "old": {
            "name": "Old",
            "new_customers": False,
            "product": "old_seat",
            "sold_in": ["USD"],
            "prices": {"USD": "19"},
            "outcomes": ["resolution"],
            "policy": "standard",
        },
    },
    "add_ons": {
        "copilot": {"name": "Copilot", "sold_in": ["USD", "JPY"], "prices": {"USD": "35", "JPY": "5200"}},
        "outreach": {
            "name": "Outreach",
            "sold_in": ["USD"],
            "prices": {"USD": "99"},
            "usage": ["messages"],
            "allowances": {"message": 500},
        },
        "insight": {"name": "Insight", "plans": ["pro"], "sold_in": ["USD"], "prices": {"USD": "50"}},
    },
    "coupons": {
        "welcome": {"name": "A third off", "percent": "35", "invoices": 3},
        "tenner": {"name": "Ten off", "amounts": {"USD": "10"}},
        "copilot_half": {"name": "Half", "percent": "50", "products": ["copilot"], "months": 12},
    },
    "trials": {"fortnight": {"name": "Two weeks", "days": 14, "allowances": {"resolution": 200}}},
}


def a_catalog(**changes: Any) -> Document:
    """
    A small catalogue as a document. `changes` are paths with `__` between their parts, such as `plans__basic__name`;
    a value of `...` takes the part away.
    """
    document = copy.deepcopy(_SMALL)
    for path, value in changes.items():
        *parents, last = path.split("__")
        target = document
        for name in parents:
            target = target[name]
        if value is ...:
            del target[last]
        else:
            target[last] = copy.deepcopy(value)
    return document


START = datetime(2026, 2, 1, tzinfo=UTC)
COMMANDS: TypeAdapter[AnyCommand] = TypeAdapter(AnyCommand)


def terms(**changes: Any) -> Document:
    """What a customer signs for: three seats of the plan basic, in dollars."""
    signed = {"name": "Acme Ltd", "issuer": "settled-us", "currency": "USD", "plan": "basic", "seats": 3}
    return signed | {"billing_email": "billing@acme.example"} | changes


def asked(do: str, **fields: Any) -> Document:
    """A command as JSON."""
    return {"do": do, "key": f"k-{do}", "actor": "person:ann", "reason": "as agreed"} | fields


def a_sign_up(**changes: Any) -> Document:
    """A sign-up from START on."""
    return asked("sign_up", at=START.isoformat(), terms=terms(**changes))


def from_the_file(customer: str = "acme", **changes: Any) -> Document:
    """A contract of version 1, as a file of contracts holds it: three seats and resolutions from START on."""
    start = START.isoformat()
    return {
        "customer": customer,
        "name": "Acme Ltd",
        "issuer": "settled-us",
        "channel": "self_serve",
        "currency": "USD",
        "billing_email": "billing@acme.example",
        "billing_anchor": start,
        "revision": 1,
        "timeline": [{"effective_from": start, "policy": {"version": "standard-1"}}],
        "metered": [{"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "0.99"}}],
        "licensed": [{"item": "basic_seat", "quantity": 3, "unit_price": "39"}],
    } | changes


def after(
    commands: Iterable[Document], *, now: datetime = START, catalog: Catalog | None = None, **first: Any
) -> ContractV2:
    """The contract of `acme` after a sign-up and these commands, none of which may be refused."""
    contract: ContractV2 | None = None
    for command in (a_sign_up(**first), *commands):
        decided = told(command, contract, now=now, catalog=catalog)
        assert isinstance(decided, Decided), decided
        contract = decided.contract
    assert contract is not None
    return contract


def told(
    command: Document, contract: ContractV2 | None, *, now: datetime = START, catalog: Catalog | None = None
) -> Decided | Refusal:
    """What is decided about one command."""
    offered = catalog if catalog is not None else read_document(a_catalog())
    return decide("acme", COMMANDS.validate_python(command), contract, offered, now=now)
