"""What version 1 can say of a contract, and why it cannot say the rest."""

from __future__ import annotations

from typing import Any

import pytest

from contracts_service.agreements.domain.as_version_1 import as_version_1
from contracts_service.testing import after, asked
from event_schemas.contracts import Contract

MARCH = "2026-03-01T00:00:00Z"


def test_a_plain_contract_is_one_of_version_1() -> None:
    said = as_version_1(after([], add_ons=[{"add_on": "copilot", "quantity": 2}]))

    assert isinstance(said, Contract)
    assert [(one.item, one.quantity, one.unit_price) for one in said.licensed] == [
        ("basic_seat", 3, "39"),
        ("copilot", 2, "35"),
    ]
    assert [(one.meter, one.price.scheme) for one in said.metered] == [
        ("resolution", "per_unit"),
        ("sms_segment", "graduated"),
    ]
    assert (said.revision, said.billing_email, said.currency) == (1, "billing@acme.example", "USD")


def test_what_was_undone_is_no_obstacle() -> None:
    said = as_version_1(after([asked("change_seats", at=MARCH, quantity=5), asked("undo", revision=2)]))

    assert isinstance(said, Contract)
    assert (said.revision, said.licensed[0].quantity) == (3, 3)


@pytest.mark.parametrize(
    ("commands", "first", "why"),
    [
        ([asked("change_seats", at=MARCH, quantity=5)], {}, "the number of basic_seat changes"),
        ([asked("add_add_on", at=MARCH, add_on="copilot")], {}, "copilot begins later than the contract"),
        ([asked("cancel", at=MARCH)], {}, "basic_seat ends"),
        ([asked("give_discount", coupon="welcome")], {}, "it has discounts"),
        ([asked("move_issuer", at=MARCH, issuer="settled-ie")], {}, "whom to bill changes over time"),
        ([], {"plan": "basic_yearly"}, "basic_seat is paid by the year"),
        ([], {"trial": True}, "it has a trial"),
        ([], {"proration": "day"}, "it prorates otherwise than to the second, or has a step for cards"),
        ([], {"payment_terms_days": 0}, "it says payment_terms_days"),
        ([], {"tax_address": {"country": "DE"}}, "it says tax_address"),
        ([], {"add_ons": [{"add_on": "outreach"}]}, "it has allowances"),
    ],
)
def test_what_it_cannot_say_is_named(commands: list[dict[str, Any]], first: dict[str, Any], why: str) -> None:
    assert as_version_1(after(commands, **first)) == why
