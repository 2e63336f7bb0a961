"""Builders for tests: a small catalogue with one of everything."""

from __future__ import annotations

import copy
from typing import Any

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
