"""The newest contract of each customer, and what changed since an offset."""

from __future__ import annotations

from dataclasses import dataclass

from usage_rating.contract_book import ContractBook
from usage_rating.testing import a_contract


@dataclass
class Record:
    offset: int
    value: bytes | None


async def book_of(*values: bytes | None) -> ContractBook:
    book = ContractBook()
    for offset, value in enumerate(values):
        await book.take(Record(offset, value))  # type: ignore[arg-type]
    return book


async def test_the_highest_revision_counts_whatever_comes_last() -> None:
    book = await book_of(a_contract("acme", revision=2), a_contract("acme", revision=1))

    contract = book.contract("acme")
    assert contract is not None
    assert contract.revision == 2
    assert book.changed_since(1) == []


async def test_a_revision_that_changes_no_policy_touches_nobody() -> None:
    same = a_contract("acme").replace(b'"revision": 1', b'"revision": 2')

    book = await book_of(a_contract("acme"), same)

    assert book.changed_since(0) == ["acme"]
    assert book.changed_since(1) == []
    assert book.position == 2


async def test_a_record_that_is_no_contract_leaves_the_earlier_one_in_force() -> None:
    book = await book_of(a_contract("acme"), b"{}", None)

    assert book.timeline("acme") is not None
    assert (book.unusable, book.position) == (2, 3)
