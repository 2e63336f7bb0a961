"""The newest contract of each customer, and from when on a partition's decisions can come out otherwise."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from event_schemas.contract_v2 import AnyContract
from event_schemas.contract_v2.testing import a_change, a_document
from event_schemas.events.contract_v1 import ContractEvent
from event_schemas.times import to_micros
from usage_rating.changes import CaseFound
from usage_rating.contract_book import ContractBook, Touched
from usage_rating.contract_keeper import ContractKeeper
from usage_rating.domain.differences import EVER
from usage_rating.testing import a_contract

NEXT_YEAR = to_micros(datetime(2027, 1, 1, tzinfo=UTC))


@dataclass
class Record:
    offset: int
    value: bytes | None


class Kept:
    """The contracts' table in memory: a revision's first content counts. `cases` are those opened."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], tuple[AnyContract, int]] = {}
        self.cases: list[CaseFound] = []

    async def kept_since(self, number: int) -> tuple[list[tuple[AnyContract, int]], int]:
        return list(self.rows.values()), len(self.rows)

    async def keep_first(self, contract: AnyContract, *, offset: int, now: datetime) -> tuple[AnyContract, int]:
        return self.rows.setdefault((contract.customer, contract.revision), (contract, offset))

    async def open_case(self, case: CaseFound, *, now: datetime) -> None:
        self.cases.append(case)


class _Clock:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


async def book_of(*values: bytes | None, kept: Kept | None = None, first: int = 0) -> ContractBook:
    book = ContractBook()
    keeper = ContractKeeper(book, kept or Kept(), _Clock())  # type: ignore[arg-type]  # stands in for the store
    for offset, value in enumerate(values, first):
        await keeper.take(Record(offset, value))  # type: ignore[arg-type]  # the two fields that are read
    return book


def a_revision(number: int, *later: tuple[str, dict[str, Any]], **policy: Any) -> bytes:
    """Acme's contract: a policy since 2020, and others from later instants on."""
    event = ContractEvent.model_validate_json(a_contract("acme", revision=number, **policy))
    body = event.model_dump(mode="json", exclude_none=True)
    for effective_from, other in later:
        body["data"]["timeline"].append({"effective_from": effective_from, "policy": {"version": "later", **other}})
    return ContractEvent.model_validate(body).model_dump_json(exclude_none=True).encode()


async def test_the_highest_revision_counts_whatever_comes_last() -> None:
    book = await book_of(a_contract("acme", revision=2), a_contract("acme", revision=1))

    contract = book.contract("acme")
    assert contract is not None
    assert contract.revision == 2
    assert book.touched_since(1) == {}


def in_version_2(revision: int, *policies: tuple[str, dict[str, Any]]) -> bytes:
    """Acme's contract in version 2, with these policies by the instants from which they hold."""
    document = a_document(
        revision=revision,
        history=[a_change(number) for number in range(1, revision + 1)],
        policies=[
            {"at": at, "agreed_in": 1, "policy": {"version": "test", **policy}, "charges": []}
            for at, policy in policies
        ],
    )
    return json.dumps(json.loads(a_contract("acme", revision=revision)) | {"data": document}).encode()


async def test_a_contract_of_version_2_is_decided_by_its_policies() -> None:
    """From 2027 on, it says what the revision before did not; until then nothing is touched."""
    since, later = "2020-01-01T00:00:00Z", "2027-01-01T00:00:00Z"
    kept = Kept()

    book = await book_of(
        a_contract("acme"), in_version_2(2, (since, {}), (later, {"teammate_takeover_voids": True})), kept=kept
    )
    again = await book_of(kept=kept)
    await ContractKeeper(again, kept, _Clock()).load()  # type: ignore[arg-type]

    assert (book.unusable, book.touched_since(1)) == (0, {"acme": Touched(NEXT_YEAR, None)})
    assert again.touched_since(1) == book.touched_since(1)
    assert (contract := book.contract("acme")) is not None
    assert contract.revision == 2


async def test_what_version_2_says_otherwise_under_a_known_revision_is_a_conflict_that_names_the_field() -> None:
    kept = Kept()

    await book_of(
        in_version_2(1, ("2020-01-01T00:00:00Z", {})),
        in_version_2(1, ("2020-01-01T00:00:00Z", {"version": "b"})),
        kept=kept,
    )

    (case,) = kept.cases
    assert "says something else in policies.2020-01-01T00:00:00Z.policy.version" in case.sentence


async def test_a_revision_that_changes_no_policy_touches_nobody() -> None:
    same = a_contract("acme").replace(b'"revision": 1', b'"revision": 2')

    book = await book_of(a_contract("acme"), same)

    assert book.touched_since(0) == {"acme": Touched(EVER, EVER)}
    assert book.touched_since(1) == {}
    assert book.position == 2


async def test_a_policy_for_the_future_touches_what_comes_then() -> None:
    future = a_revision(2, ("2027-01-01T00:00:00Z", {"teammate_takeover_voids": True}))

    book = await book_of(a_revision(1), future)

    assert book.touched_since(1) == {"acme": Touched(NEXT_YEAR, None)}


async def test_a_partition_that_saw_a_revision_in_between_is_touched_by_what_that_one_said() -> None:
    """The newest says again what the first said; a decision by the one in between has to be found all the same."""
    other = a_revision(2, ("2027-01-01T00:00:00Z", {"teammate_takeover_voids": True}))

    book = await book_of(a_revision(1), other, a_revision(3))

    assert book.touched_since(1) == {"acme": Touched(NEXT_YEAR, None)}
    assert book.touched_since(2) == {"acme": Touched(NEXT_YEAR, None)}
    assert book.touched_since(3) == {}


async def test_what_the_topic_has_forgotten_is_known_from_the_database() -> None:
    kept = Kept()
    await book_of(a_revision(1), kept=kept)

    book = await book_of(a_revision(2, ("2027-01-01T00:00:00Z", {"decided_by": "product"})), kept=kept, first=1)

    assert book.touched_since(1) == {"acme": Touched(NEXT_YEAR, None)}


async def test_a_topic_made_anew_touches_all() -> None:
    book = await book_of(a_contract("acme"))

    assert book.touched_since(70, anew=True) == {"acme": Touched(EVER, EVER)}


async def test_other_content_under_a_known_revision_is_never_decided_by_and_opens_a_case() -> None:
    kept = Kept()

    book = await book_of(a_contract("acme"), a_contract("acme", teammate_takeover_voids=True), kept=kept)

    timeline = book.timeline("acme")
    assert timeline is not None
    assert not timeline.policies[0].teammate_takeover_voids
    assert [(case.kind, case.customer, case.about) for case in kept.cases] == [
        ("contract_conflict", "acme", "revision 1")
    ]
    assert "timeline.2020-01-01T00:00:00Z.policy.teammate_takeover_voids" in (kept.cases[0].sentence or "")


@pytest.mark.parametrize("last", [a_contract("acme", revision=1), a_contract("acme", revision=2)])
async def test_what_came_before_and_comes_again_opens_no_case(last: bytes) -> None:
    kept = Kept()

    await book_of(a_contract("acme", revision=1), a_contract("acme", revision=2), last, kept=kept)

    assert kept.cases == []


async def test_a_record_that_is_no_contract_leaves_the_earlier_one_in_force() -> None:
    book = await book_of(a_contract("acme"), b"{}", None)

    assert book.timeline("acme") is not None
    assert (book.unusable, book.position) == (2, 3)
