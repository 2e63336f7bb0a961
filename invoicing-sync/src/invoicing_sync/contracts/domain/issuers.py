"""
Whose contract it is: a door bills the contracts of its own issuers, and knows those of other doors only to leave them.

An issuer belongs to one account of Stripe, and an account to one door. Every door decides from the same documents, so
that two of them come to the same answer without asking each other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from event_schemas.contract_v2 import ContractV2, billing_at
from event_schemas.contracts import Contract

_ISSUER = re.compile(r"[a-z][a-z0-9-]{0,49}")
AnyContract = Contract | ContractV2
Issuers = frozenset[str]  # a door's own; empty: everybody's


class Reception(StrEnum):
    """What a door does with a contract that comes in."""

    OURS = "ours"  # it is kept, applied and billed
    ANOTHERS = "anothers"  # it is known, and nothing is made or billed here
    MOVED = "moved"  # from one door to another: neither takes it, what was agreed before goes on


def read_issuers(text: str) -> Issuers:
    """
    From the setting: issuers with commas between; empty: everybody's.

    Raises:
        ValueError: a part is no issuer, or stands there twice; a sentence that says which.
    """
    named = [part.strip() for part in text.split(",")] if text.strip() else []
    for issuer in named:
        if not _ISSUER.fullmatch(issuer):
            raise ValueError(f"{issuer!r} is no issuer: write settled-us, with commas between several")
        if named.count(issuer) > 1:
            raise ValueError(f"{issuer} stands there twice")
    return frozenset(named)


def issuer_at(contract: AnyContract, at: datetime) -> str:
    """Who issues the contract's invoices at an instant; version 1 has one issuer for all times."""
    return billing_at(contract, at).issuer if isinstance(contract, ContractV2) else contract.issuer


def is_ours(contract: AnyContract, issuers: Issuers, at: datetime) -> bool:
    """Whether a door with these issuers bills the contract at an instant."""
    return not issuers or issuer_at(contract, at) in issuers


def issuers_of(contract: AnyContract) -> tuple[str, ...]:
    """Every issuer that the contract names, in order of time."""
    return tuple(dict.fromkeys(issuer_at(contract, at) for at in _turns(contract)))


def received(contract: AnyContract, known: AnyContract | None, issuers: Issuers) -> Reception:
    """
    What a door with these issuers does with a contract, given the revision that it knows.

    Where a contract goes from one door's issuers to another's, by a revision or within its own timeline, both doors
    answer MOVED: had one of them taken it, the running period would be billed twice or by nobody.
    """
    sides = {is_ours(contract, issuers, at) for at in _turns(contract)}
    if known is not None:
        sides |= {is_ours(known, issuers, at) for at in _turns(known)}
    if len(sides) > 1:
        return Reception.MOVED
    return Reception.OURS if True in sides else Reception.ANOTHERS


def _turns(contract: AnyContract) -> Sequence[datetime]:
    """The instants from which somebody else may issue the invoices."""
    if isinstance(contract, ContractV2):
        return sorted(entry.at for entry in contract.billing)
    return (contract.billing_anchor,)
