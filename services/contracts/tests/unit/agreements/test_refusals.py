"""What no command does: a code, the field and a sentence for each, and nothing is made."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from contracts_service.agreements.domain.commands import DealTerms
from contracts_service.agreements.domain.decide import Decided, Refusal, decide
from contracts_service.agreements.domain.signing import Quoted
from contracts_service.catalog.folder import read_document
from contracts_service.testing import COMMANDS, START, a_catalog, a_sign_up, after, asked, terms, told
from event_schemas.contract_v2.items import LicensedItem
from event_schemas.times import iso

MID = "2026-02-15T12:00:00Z"
MARCH = "2026-03-01T00:00:00Z"
MAY = "2026-05-01T00:00:00Z"
NOW = datetime(2026, 2, 15, 12, tzinfo=UTC)
LATER_SEATS = asked("change_seats", at=MAY, quantity=9)
LATER_PLAN = asked("change_plan", at=MAY, plan="pro")
CANCELLED = asked("cancel", at=MARCH)
COPILOT = asked("add_add_on", add_on="copilot", at=MID)
RAMP = [{"at": MARCH, "quantity": 1}]
COMMITMENT = {"meter": "resolution", "unit_price": "1", "bill": "advance", "ramp": RAMP}
LIMIT = asked("set_limit", at=MID, meter="resolution", quantity=100)
MINIMUM = asked("set_minimum", at=MARCH, meter="resolution", amount_minor=5000)
ALERTS = asked("set_alerts", at=MID, meter="resolution", thresholds=[50, 90])
GIVEN = asked("give_allowance", at=MID, meter="resolution", quantity=10)
Case = tuple[list[dict[str, Any]], dict[str, Any], str, str, str]

REFUSED: list[Case] = [
    ([CANCELLED, asked("undo", revision=2)], asked("undo", revision=3), "is_an_undo", "revision", "took another one"),
    ([], a_sign_up(), "has_contract", "customer", "acme has a contract, at revision 1"),
    (
        [],
        asked("change_seats", at="2026-01-31T23:59:59Z", quantity=4),
        "before_the_contract",
        "at",
        "begins at 2026-02-01",
    ),
    ([], asked("change_seats", at="2032-01-01T00:00:00Z", quantity=4), "too_far_ahead", "at", "five years ahead"),
    ([], asked("change_seats", quantity=3), "no_change", "quantity", "there are 3 of basic_seat"),
    ([], asked("change_seats", quantity=0), "too_few_seats", "quantity", "at least 1 seat, and 0 are asked for"),
    ([], asked("change_seats", quantity=1, product="copilot"), "unknown_item", "product", "nothing of copilot"),
    ([CANCELLED], asked("change_seats", at=MAY, quantity=1), "unknown_item", "product", "no seats of a plan"),
    ([], asked("change_plan", plan="max"), "unknown_plan", "plan", "there is no plan max"),
    ([], asked("change_plan", plan="old"), "not_for_new_customers", "plan", "takes no new customers"),
    ([], asked("change_plan", plan="basic"), "no_change", "plan", "is on the plan basic then"),
    ([], asked("change_plan", plan="pro", seats=1), "too_few_seats", "seats", "at least 2 seats"),
    ([CANCELLED], asked("change_plan", plan="pro", at=MAY), "contract_ended", "at", "has ended before 2026-05-01"),
    (
        [LATER_SEATS],
        asked("change_plan", plan="pro", at=MID),
        "later_change_agreed",
        "at",
        "revision 2 agreed on a change of basic_seat for 2026-05-01, which is after 2026-02-15T12:00:00Z; undo it",
    ),
    ([LATER_PLAN], asked("change_plan", plan="basic_yearly", at=MID), "later_change_agreed", "at", "revision 2 agreed"),
    ([LATER_PLAN], asked("cancel", at=MARCH), "later_change_agreed", "at", "for 2026-05-01"),
    ([CANCELLED], asked("cancel", at=MAY), "contract_ended", "at", "nothing is sold to the customer"),
    ([CANCELLED], asked("cancel", at=MID), "later_change_agreed", "at", "revision 2"),
    ([], asked("add_add_on", add_on="radar"), "unknown_add_on", "add_on", "there is no add-on radar"),
    ([], asked("add_add_on", add_on="insight"), "add_on_not_for_plan", "add_on", "goes with the plans pro"),
    ([COPILOT], asked("add_add_on", add_on="copilot"), "already_has", "add_on", "change_seats says how many"),
    ([asked("add_add_on", add_on="copilot", at=MAY)], COPILOT, "later_change_agreed", "at", "change of copilot"),
    ([CANCELLED], asked("add_add_on", add_on="copilot", at=MAY), "contract_ended", "at", "has no plan"),
    ([CANCELLED], COPILOT, "later_change_agreed", "at", "change of the contract, its end, for 2026-03-01"),
    (
        [asked("change_billing", name="Acme SE", at=MARCH), asked("move_issuer", issuer="settled-ie", at=MARCH)],
        asked("undo", revision=2),
        "later_change_agreed",
        "revision",
        "revision 3 changed billing",
    ),
    ([CANCELLED], asked("commit", commitment=COMMITMENT), "later_change_agreed", "at", "its end"),
    (
        [asked("change_plan", plan="pro", at=MID), asked("add_add_on", add_on="insight", at=MID)],
        asked("change_plan", plan="basic", at=MARCH),
        "add_on_not_for_plan",
        "plan",
        "remove it first",
    ),
    (
        [asked("change_plan", plan="pro", at=MID), asked("change_plan", plan="basic", at=MAY)],
        asked("add_add_on", add_on="insight", at=MARCH),
        "add_on_not_for_plan",
        "add_on",
        "from 2026-05-01 on",
    ),
    ([], asked("remove_add_on", add_on="copilot"), "unknown_item", "add_on", "does not have copilot"),
    ([COPILOT], asked("remove_add_on", add_on="copilot", at=MID), "empty_life", "items.copilot.until", "not after its"),
    ([], asked("give_discount", coupon="spring"), "unknown_coupon", "coupon", "there is no coupon spring"),
    ([], asked("give_discount", coupon="copilot_half"), "unknown_item", "coupon", "has none of it"),
    ([], asked("give_discount", percent="5", product="copilot"), "unknown_item", "product", "nothing of copilot"),
    ([], asked("give_discount", percent="101"), "discount_percent", "percent", "at most 100 percent"),
    ([], asked("give_discount", percent="5", until=MID, at=MID), "empty_life", "discounts.discount.until", "not after"),
    (
        [asked("give_discount", percent="5")],
        asked("give_discount", coupon="welcome"),
        "discounts_overlap",
        "discounts.welcome",
        "takes a percent off the invoice at the same time",
    ),
    (
        [],
        asked("commit", commitment=COMMITMENT | {"meter": "fax"}),
        "unknown_meter",
        "commitments.fax-commitment.meter",
        "no item prices fax",
    ),
    (
        [],
        asked("commit", commitment=COMMITMENT | {"ramp": [{"at": "2026-03-02T00:00:00Z", "quantity": 1}]}),
        "not_a_billing_day",
        "commitments.resolution-commitment.ramp",
        "is no billing day",
    ),
    (
        [],
        asked("commit", commitment=COMMITMENT | {"ramp": [{"at": "2026-02-01T00:00:00Z", "quantity": 1}]}),
        "ramp_start",
        "commitment.ramp",
        "before the instant of this change",
    ),
    (
        [asked("commit", commitment=COMMITMENT)],
        asked("commit", commitment=COMMITMENT),
        "commitments_overlap",
        "commitments.resolution-commitment-2",
        "at the same time",
    ),
    ([], asked("give_credit", amount_minor=1, until=MID, at=MID), "empty_life", "prepaid.credit.until", "not after"),
    (
        [],
        asked("commit", commitment=COMMITMENT | {"currency": "EUR"}),
        "other_currency",
        "commitments.resolution-commitment.currency",
        "agreed in EUR, and the contract is in USD",
    ),
    ([], LIMIT | {"meter": "fax"}, "unknown_meter", "limits.fax-limit.meter", "no item prices fax"),
    ([LIMIT], LIMIT, "no_change", "quantity", "the hard limit of resolution is so at 2026-02-15T12:00:00Z"),
    ([], LIMIT | {"quantity": None}, "no_change", "quantity", "is so at"),
    ([LIMIT], LIMIT | {"quantity": 7}, "same_instant", "at", "by revision 2; choose a later instant"),
    ([LIMIT | {"at": MAY}], LIMIT, "later_change_agreed", "at", "change of resolution-limit for 2026-05-01"),
    ([CANCELLED], LIMIT | {"at": MID}, "later_change_agreed", "at", "the contract, its end,"),
    (
        [LIMIT, LIMIT | {"at": MARCH, "quantity": None}, LIMIT | {"at": MAY}],
        asked("undo", revision=3),
        "later_change_agreed",
        "revision",
        "revision 4 changed resolution-limit",
    ),
    ([], MINIMUM | {"at": MID}, "not_a_billing_day", "at", "the next is 2026-03-01"),
    ([], MINIMUM | {"amount_minor": None}, "no_change", "amount_minor", "the minimum of resolution is so"),
    (
        [],
        MINIMUM | {"currency": "JPY"},
        "other_currency",
        "minimums.resolution-minimum.amount",
        "agreed in JPY, and the contract is in USD",
    ),
    (
        [asked("commit", commitment=COMMITMENT)],
        MINIMUM,
        "minimum_beside_commitment",
        "minimums.resolution-minimum",
        "agree on one of them",
    ),
    ([], ALERTS | {"thresholds": []}, "no_change", "thresholds", "the set of thresholds"),
    (
        [],
        ALERTS | {"thresholds": [90, 50]},
        "thresholds_unsorted",
        "alerts.resolution-alerts.thresholds",
        "50 comes after 90",
    ),
    ([], GIVEN | {"meter": "fax"}, "unknown_meter", "allowances.fax-given.meter", "no item prices fax"),
    ([], GIVEN | {"until": MID}, "empty_life", "allowances.resolution-given.until", "not after"),
    ([CANCELLED], GIVEN | {"at": MAY}, "contract_ended", "at", "no plan"),
    ([], asked("change_policy", policy="strict"), "unknown_policy", "policy", "there is no policy strict"),
    ([], asked("change_policy", policy="standard"), "no_change", "policy", "in force"),
    ([], asked("change_billing", name="Acme Ltd"), "no_change", "", "all of it is so"),
    (
        [asked("change_billing", name="Acme SE", at=MAY)],
        asked("change_tax", tax_address={"country": "DE"}),
        "later_change_agreed",
        "at",
        "change of billing",
    ),
    ([], asked("move_issuer", issuer="settled-jp", at=MARCH), "unknown_issuer", "issuer", "settled-ie, settled-us"),
    ([], asked("move_issuer", issuer="settled-ie", at=MID), "not_a_billing_day", "at", "the next one is 2026-03-01"),
    ([], asked("undo", revision=4), "unknown_revision", "revision", "no revision 4; the newest one is 1"),
    ([], asked("undo", revision=1), "first_revision", "revision", "cancel it instead"),
    (
        [asked("change_seats", at=MID, quantity=4)],
        asked("undo", revision=2),
        "already_effective",
        "revision",
        "took effect at 2026-02-15T12:00:00Z",
    ),
    ([CANCELLED], asked("undo", revision=2, at=MAY), "malformed", "at", "leave at out"),
    (
        [CANCELLED, asked("undo", revision=2)],
        asked("undo", revision=2),
        "nothing_to_undo",
        "revision",
        "undone already",
    ),
    (
        [LATER_SEATS, asked("undo", revision=2)],
        asked("undo", revision=3),
        "is_an_undo",
        "revision",
        "agree on that one",
    ),
    (
        [LATER_PLAN, asked("change_seats", at="2026-06-01T00:00:00Z", quantity=4)],
        asked("undo", revision=2),
        "later_change_agreed",
        "revision",
        "revision 3 changed pro_seat",
    ),
    (
        [LATER_PLAN, asked("cancel", at="2026-06-01T00:00:00Z")],
        asked("undo", revision=2),
        "later_change_agreed",
        "revision",
        "revision 3 changed pro_seat",
    ),
    (
        [COPILOT, asked("remove_add_on", add_on="copilot", at=MARCH), asked("add_add_on", add_on="copilot", at=MAY)],
        asked("undo", revision=3),
        "later_change_agreed",
        "revision",
        "revision 4 changed copilot",
    ),
]


@pytest.mark.parametrize(
    ("before", "command", "code", "field", "words"), REFUSED, ids=[f"{case[1]['do']}:{case[2]}" for case in REFUSED]
)
def test_is_refused_with_code_field_and_sentence(
    before: list[dict[str, Any]], command: dict[str, Any], code: str, field: str, words: str
) -> None:
    refused = told(command, after(before, now=NOW), now=NOW)

    assert isinstance(refused, Refusal)
    assert (refused.flaw.code, refused.flaw.field, refused.moved) == (code, field, False)
    assert words in refused.flaw.sentence


FIRST: list[tuple[dict[str, Any], str, str, str]] = [
    ({"issuer": "settled-jp"}, "unknown_issuer", "terms.issuer", "there is no issuer settled-jp"),
    ({"currency": "EUR"}, "unknown_currency", "terms.currency", "nothing is sold in EUR, only in USD, JPY"),
    ({"plan": "pro", "currency": "JPY"}, "not_sold_in_currency", "plan", "is sold in USD, and not in JPY"),
    ({"plan": "pro", "seats": 1}, "too_few_seats", "terms.seats", "at least 2 seats, and 1 are asked for"),
    ({"plan": "pro", "trial": True}, "no_trial", "terms.trial", "the plan pro has no trial"),
    ({"coupon": "tenner", "currency": "JPY"}, "not_sold_in_currency", "coupon", "nothing off an invoice in JPY"),
    ({"add_ons": [{"add_on": "copilot"}, {"add_on": "copilot"}]}, "already_has", "terms.add_ons", "is named twice"),
    ({"add_ons": [{"add_on": "insight"}]}, "add_on_not_for_plan", "add_on", "goes with the plans pro"),
]


@pytest.mark.parametrize(("changes", "code", "field", "words"), FIRST, ids=[case[1] for case in FIRST])
def test_a_first_contract_is_refused(changes: dict[str, Any], code: str, field: str, words: str) -> None:
    refused = told(a_sign_up(**changes), None)

    assert isinstance(refused, Refusal)
    assert (refused.flaw.code, refused.flaw.field) == (code, field)
    assert words in refused.flaw.sentence


def test_a_customer_without_a_contract_has_none_to_change() -> None:
    refused = told(asked("cancel"), None)

    assert isinstance(refused, Refusal)
    assert refused.flaw.code == "unknown_customer"


def test_an_instant_in_a_period_that_has_ended_is_refused() -> None:
    april = datetime(2026, 4, 2, tzinfo=UTC)
    first = told(a_sign_up(), None, now=april)
    later = told(asked("change_seats", at="2026-03-31T23:59:59Z", quantity=4), after([]), now=april)

    assert isinstance(first, Refusal)
    assert isinstance(later, Refusal)
    assert (first.flaw.code, later.flaw.code) == ("period_closed", "period_closed")
    assert "the open one began at 2026-04-01" in later.flaw.sentence


@pytest.mark.parametrize(
    ("do", "fields"),
    [
        ("change_seats", {"quantity": 4}),
        ("add_add_on", {"add_on": "copilot"}),
        ("give_discount", {"percent": "10"}),
        ("give_allowance", {"meter": "resolution", "quantity": 5}),
        ("set_minimum", {"meter": "resolution", "amount_minor": 500, "at": "2026-03-01T00:00:00Z"}),
        ("change_plan", {"plan": "pro", "keep_policy": True}),
    ],
)
def test_said_to_be_a_correction_it_is_agreed_for_then(do: str, fields: dict[str, Any]) -> None:
    may = datetime(2026, 5, 2, tzinfo=UTC)
    asked_for = {"at": "2026-03-20T12:00:00Z"} | fields
    refused = told(asked(do, **asked_for), after([]), now=may)
    assert isinstance(refused, Refusal)
    assert "with as_correction: true" in refused.flaw.sentence

    decided = told(asked(do, as_correction=True, **asked_for), after([]), now=may)

    assert isinstance(decided, Decided)
    change = decided.contract.history[-1]
    assert (iso(change.effective_at), change.agreed_at) == (asked_for["at"], may)


def test_what_was_decided_in_a_period_that_has_ended_stays() -> None:
    may = datetime(2026, 5, 2, tzinfo=UTC)
    command = asked("change_plan", at="2026-03-20T12:00:00Z", as_correction=True, plan="pro")

    refused = told(command, after([]), now=may)

    assert isinstance(refused, Refusal)
    assert (refused.flaw.code, refused.flaw.field) == ("policy_is_past", "keep_policy")


def test_a_correction_lies_under_what_was_agreed_for_later() -> None:
    """Seats went to 6 in April; that they were 4 from 20 March on is said in May, and April keeps its 6."""
    may = datetime(2026, 5, 2, tzinfo=UTC)
    agreed = after([asked("change_seats", at="2026-04-10T00:00:00Z", quantity=6)])

    decided = told(asked("change_seats", at="2026-03-20T00:00:00Z", quantity=4, as_correction=True), agreed, now=may)

    assert isinstance(decided, Decided), decided
    [seat] = [item for item in decided.contract.items if isinstance(item, LicensedItem)]
    assert [(iso(one.at)[:10], one.quantity) for one in seat.quantities][-2:] == [("2026-03-20", 4), ("2026-04-10", 6)]


def test_an_anchor_within_a_second_is_refused() -> None:
    refused = told(asked("sign_up", at="2026-02-01T00:00:00.5Z", terms=terms()), None)

    assert isinstance(refused, Refusal)
    assert (refused.flaw.code, refused.flaw.field) == ("anchor_within_a_second", "billing_anchor")


def test_a_coupon_that_has_expired_is_refused() -> None:
    catalog = read_document(a_catalog(coupons__welcome__redeem_until="2026-02-01T00:00:00Z"))
    refused = told(a_sign_up(coupon="welcome"), None, catalog=catalog)

    assert isinstance(refused, Refusal)
    assert refused.flaw.code == "coupon_expired"


def test_a_contract_that_has_moved_on_is_told_apart() -> None:
    refused = told(asked("cancel", expected_revision=1), after([LATER_SEATS], now=NOW), now=NOW)

    assert isinstance(refused, Refusal)
    assert (refused.moved, refused.flaw.code) == (True, "revision_moved")


@pytest.mark.parametrize(
    ("changes", "code"), [({"customer": "other"}, "quote_of_another"), ({"valid_until": START}, "quote_expired")]
)
def test_a_quote_that_cannot_be_signed(changes: dict[str, Any], code: str) -> None:
    catalog = read_document(a_catalog())
    quoted = Quoted("Q-1", "acme", "D-7", NOW, DealTerms.model_validate(terms()), catalog)
    sign = COMMANDS.validate_python(asked("sign", quote="Q-1"))
    refused = decide("acme", sign, None, catalog, now=START, quoted=replace(quoted, **changes))
    unknown = decide("acme", sign, None, catalog, now=START)

    assert isinstance(refused, Refusal)
    assert isinstance(unknown, Refusal)
    assert (refused.flaw.code, unknown.flaw.code) == (code, "unknown_quote")


@pytest.mark.parametrize(
    "command",
    [
        asked("change_seats", quantity=-1),
        asked("change_seats", quantity=10**9),
        asked("change_seats", quantity=1, colour="red"),
        asked("change_seats", quantity=1, at="2026-02-01"),
        asked("change_seats", quantity=1, at="9999-12-31T00:00:00Z"),
        asked("give_discount"),
        asked("give_discount", percent="5", amount_minor=5),
        asked("give_discount", coupon="welcome", invoices=3),
        asked("give_discount", amount_minor=0),
        asked("cancel", when="period_end", at=MID),
        asked("set_limit", meter="resolution"),
        asked("set_limit", meter="resolution", quantity=-1),
        asked("set_minimum", meter="resolution", amount_minor=0),
        asked("set_alerts", meter="resolution", thresholds=[0]),
        asked("give_allowance", meter="resolution", quantity=10**13),
        asked("fly"),
    ],
    ids=str,
)
def test_what_is_no_command_is_not_decided(command: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        COMMANDS.validate_python(command)
