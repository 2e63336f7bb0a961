"""Whose contract it is, in both versions; a move is taken by neither of two doors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from event_schemas.contract_v2 import ContractV2, from_version_1
from invoicing_sync.contracts.domain.issuers import Reception, is_ours, issuers_of, read_issuers, received
from invoicing_sync.testing import START, a_contract

US, IE, ALL = frozenset({"settled-us"}), frozenset({"settled-ie"}), frozenset[str]()
LATER = START + timedelta(days=40)


def a_moving_one() -> ContractV2:
    """In version 2, first of settled-us, from LATER on of settled-ie."""
    contract = from_version_1(a_contract(), agreed_at=START)
    document: dict[str, Any] = contract.model_dump(mode="json", by_alias=True)
    document["billing"].append(document["billing"][0] | {"at": LATER.isoformat(), "issuer": "settled-ie"})
    return ContractV2.model_validate(document)


def test_a_contract_of_version_1_is_its_issuers_at_every_instant() -> None:
    contract = a_contract()

    assert [is_ours(contract, US, at) for at in (START, LATER)] == [True, True]
    assert [is_ours(contract, IE, at) for at in (START, LATER)] == [False, False]


def test_a_contract_of_version_2_is_the_issuers_of_the_instant() -> None:
    contract = a_moving_one()
    before = LATER - timedelta(microseconds=1)

    assert [is_ours(contract, US, at) for at in (START, before, LATER)] == [True, True, False]
    assert [is_ours(contract, IE, at) for at in (START, before, LATER)] == [False, False, True]
    assert issuers_of(contract) == ("settled-us", "settled-ie")


def test_a_door_without_issuers_has_everybodys() -> None:
    assert is_ours(a_contract(issuer="somebody-else"), ALL, START)
    assert received(a_moving_one(), None, ALL) is Reception.OURS


def test_a_contract_belongs_to_one_of_two_doors() -> None:
    contract = a_contract()

    assert received(contract, None, US) is Reception.OURS
    assert received(contract, None, IE) is Reception.ANOTHERS
    assert received(a_contract(revision=2), contract, US) is Reception.OURS
    assert received(a_contract(revision=2), contract, IE) is Reception.ANOTHERS


@pytest.mark.parametrize("issuers", [US, IE])
def test_a_move_is_taken_by_neither_door(issuers: frozenset[str]) -> None:
    assert received(a_contract(revision=2, issuer="settled-ie"), a_contract(), issuers) is Reception.MOVED
    assert received(a_contract(revision=2), a_contract(issuer="settled-ie"), issuers) is Reception.MOVED
    assert received(a_moving_one(), None, issuers) is Reception.MOVED


def test_between_two_issuers_of_one_door_and_between_two_others_nothing_moves() -> None:
    moved, known = a_contract(revision=2, issuer="settled-ie"), a_contract()

    assert received(moved, known, US | IE) is Reception.OURS
    assert received(moved, known, frozenset({"settled-jp"})) is Reception.ANOTHERS


@pytest.mark.parametrize("text", ["Settled", "settled-us,,settled-ie", "a b"])
def test_what_is_no_issuer_is_refused_with_the_way_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match="is no issuer: write settled-us"):
        read_issuers(text)


def test_issuers_stand_once_and_may_have_spaces_around_them() -> None:
    assert read_issuers(" settled-us , settled-ie ") == US | IE
    assert read_issuers("") == ALL
    with pytest.raises(ValueError, match="settled-us stands there twice"):
        read_issuers("settled-us,settled-us")
