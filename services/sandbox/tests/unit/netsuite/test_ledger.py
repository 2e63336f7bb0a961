"""What is posted stands, and what is referred to stays."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sandbox.netsuite.domain.amounts import line_amount, rounded
from sandbox.netsuite.domain.postings import OutOfBalance, Posting, postings
from sandbox.netsuite.in_memory import Account

BALANCES = (
    "SELECT a.id, SUM(NVL(l.debit, 0) - NVL(l.credit, 0)) AS balance FROM transactionaccountingline l "
    "JOIN account a ON a.id = l.account GROUP BY a.id ORDER BY a.id"
)
CUS = {"externalId": "cus"}


def an_invoice(books: Account, name: str = "inv", **more: object) -> None:
    line = {"item": {"externalId": "item"}, "amount": Decimal("10.50")}
    books.save(f"invoice/eid:{name}", {"entity": CUS, "item": {"items": [line]}, **more}, "replace=item")


def test_an_item_that_changes_its_account_moves_no_old_posting() -> None:
    """Not even when the old invoice is edited; a line of another item posts to that one's account."""
    books = Account().stocked()
    an_invoice(books)
    books.save("serviceSaleItem/eid:item", {"incomeAccount": {"id": "51"}})
    books.save("invoice/eid:inv", {"memo": "edited"})
    an_invoice(books, "inv_2")

    assert books.rows(BALANCES) == [
        {"id": "20", "balance": "21"},
        {"id": "40", "balance": "-10.5"},
        {"id": "51", "balance": "-10.5"},
    ]
    books.save("serviceSaleItem/eid:other", {"itemId": "other", "incomeAccount": {"id": "53"}})
    books.save("invoice/eid:inv", {"item": {"items": [{"line": 1, "item": {"externalId": "other"}}]}})
    assert books.rows(BALANCES)[1]["id"] == "51"


def test_what_a_line_refers_to_is_not_deleted() -> None:
    """A customer of a deposit's fee, of a journal's line; gone with them it can go too."""
    books = Account().stocked()
    fee = {"account": {"id": "50"}, "amount": -1, "entity": CUS}
    books.save("deposit/eid:po", {"account": {"id": "10"}, "other": {"items": [fee]}})
    lines = [{"account": {"id": "50"}, "debit": 1, "entity": CUS}, {"account": {"id": "10"}, "credit": 1}]
    books.save("journalEntry/eid:je", {"subsidiary": {"id": "1"}, "line": {"items": lines}})

    statuses = [
        books.record("DELETE", path).status
        for path in (
            "customer/eid:cus",
            "deposit/eid:po",
            "customer/eid:cus",
            "journalEntry/eid:je",
            "customer/eid:cus",
        )
    ]

    assert statuses == [400, 204, 400, 204, 204]


def test_another_currency_is_posted_in_both_and_its_rounding_stays_in_the_main_line() -> None:
    """Three times 33 yen at 0.0068: 0.2244, so 0.22 each; the receivable is 0.66, not 0.67."""
    books = Account().stocked()
    line = {"item": {"externalId": "item"}, "amount": 33}
    books.save("invoice/eid:inv", {"entity": CUS, "currency": {"id": "4"}, "item": {"items": [line, line, line]}})

    rows = books.rows("SELECT id, foreignamount, netamount FROM transactionline ORDER BY id")
    assert [(row["foreignamount"], row["netamount"]) for row in rows] == [("99", "0.66")] + [("-33", "-0.22")] * 3


@pytest.mark.parametrize(
    ("exact", "precision", "wanted"),
    [
        ("2.345", 2, "2.35"),
        ("-2.345", 2, "-2.35"),
        ("2.3449", 2, "2.34"),
        ("0.5", 0, "1"),
        ("-0.5", 0, "-1"),
        ("7", 2, "7.00"),
    ],
)
def test_rounds_half_away_from_zero(exact: str, precision: int, wanted: str) -> None:
    assert str(rounded(Decimal(exact), precision)) == wanted


def test_an_amount_is_as_given_or_quantity_times_rate() -> None:
    def made(quantity: str | None, rate: str | None, amount: str | None) -> Decimal | None:
        parts = [None if part is None else Decimal(part) for part in (quantity, rate, amount)]
        return line_amount(quantity=parts[0], rate=parts[1], amount=parts[2], precision=2)

    assert made("3", "0.335", None) == Decimal("1.01")  # 1.005
    assert made(None, "0.335", None) == Decimal("0.34")
    assert made("3", "5", "14.99") == Decimal("14.99")
    assert made("3", None, None) is None


def test_postings_that_do_not_sum_to_zero_are_a_mistake_of_ours() -> None:
    """A journal that slipped through its rule."""
    lines = [{"account": "1", "debit": Decimal(5)}, {"account": "2", "credit": Decimal(4)}]
    record = {"type": "journalEntry", "exchangeRate": Decimal(1), "lines": {"line": lines}}

    with pytest.raises(OutOfBalance):
        postings(record, picked=lambda id_: ("", Decimal(0)), base_precision=2)
    lines[1]["credit"] = Decimal(5)
    made = postings(record, picked=lambda id_: ("", Decimal(0)), base_precision=2)
    assert made[0] == Posting(1, "1", Decimal(5), Decimal(5), lines[0])
