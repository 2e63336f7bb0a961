"""From a contract with history to the terms that count."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from event_schemas.contract_v2 import ContractV2, as_of, read_contract
from event_schemas.contract_v2.testing import START, a_change, a_document, clause, document_with, metered, seats
from event_schemas.times import parse_instant
from pricing.agreed import terms_of
from pricing.checking import contradictions
from pricing.engine import expected_invoice
from pricing.prices import PerUnit
from pricing.terms import QuantityFrom, Terms
from pricing.testing import on, shown

HISTORY = [a_change(1), a_change(2), a_change(3)]


def terms(document: Any) -> Terms:
    found = terms_of(read(document))
    assert contradictions(found) == ()
    return found


def read(document: Any) -> ContractV2:
    contract = read_contract(document)
    assert isinstance(contract, ContractV2)
    return contract


def test_an_item_keeps_its_price_by_value_and_by_version() -> None:
    (seat, _) = terms(a_document()).items

    assert (seat.key, seat.price, seat.price_version) == ("seat", PerUnit(Decimal(39)), "seat/1")


def test_of_a_timeline_counts_what_was_not_taken_back_and_the_latest_word_on_an_instant() -> None:
    timeline = [
        {"at": START, "quantity": 2, "agreed_in": 1},
        {"at": "2026-02-10T00:00:00Z", "quantity": 4, "agreed_in": 2},
        {"at": "2026-02-10T00:00:00Z", "quantity": 5, "agreed_in": 3},
        {"at": "2026-02-20T00:00:00Z", "quantity": 9, "agreed_in": 2, "withdrawn_in": 3},
    ]
    document = document_with("items/0/quantities", timeline, a_document(revision=3, history=HISTORY))

    (seat,) = terms(document).licensed

    assert seat.quantities == (QuantityFrom(on(1), 2), QuantityFrom(on(10), 5))


def test_a_clause_that_was_taken_back_bills_nothing() -> None:
    document = a_document(
        revision=3,
        history=HISTORY,
        items=[seats(), seats(key="copilot", agreed_in=1, withdrawn_in=2), metered()],
        discounts=[clause("d", scope="invoice", percent="50", withdrawn_in=3)],
        limits=[clause("l", meter="resolution", quantity=1, withdrawn_in=3)],
    )

    found = terms(document)

    assert [item.key for item in found.items] == ["seat", "resolution"]
    assert (found.discounts, found.limits) == ((), ())


def test_a_moved_end_counts_and_the_invoice_of_an_earlier_revision_can_be_told() -> None:
    said = [{"until": None, "agreed_in": 1}]
    ended = seats(until="2026-02-15T00:00:00Z", until_agreed_in=2, earlier_untils=said)
    contract = read(a_document(revision=3, history=HISTORY, items=[ended, metered()]))
    march = parse_instant("2026-03-01T00:00:00Z")

    now = expected_invoice(terms_of(contract), march)
    before = expected_invoice(terms_of(as_of(contract, 1)), march)

    assert shown(now) == [("seat", "proration_credit", -3900)]
    assert shown(before) == [("seat", "advance", 7800)]
