"""
A whole contract, such as one of a file: checked as what any command makes, and taken as it stands.

A document of version 2 only adds to what is agreed already. One of version 1 has no history to add to: it replaces the
contract, as it always has, as long as version 1 can say what would be replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from contracts_service.agreements.domain.as_version_1 import as_version_1
from contracts_service.agreements.domain.commands import YEARS, Agree
from contracts_service.agreements.domain.draft import No, Use, no
from contracts_service.catalog.domain.models import SECTIONS, Catalog
from event_schemas.contract_content import differing_fields
from event_schemas.contract_v2 import Change, ContractRefused, ContractV2, from_version_1, read_contract, rewritten
from event_schemas.contract_v2.checks.shared import say
from event_schemas.contract_v2.flaws import flaws_of
from event_schemas.contracts import Contract
from event_schemas.times import period_containing

_NEVER_CHANGE = ("channel", "billing_anchor")  # and the currency, which has a code of its own


def agree(customer: str, command: Agree, before: ContractV2 | None, *, now: datetime) -> ContractV2 | None:
    """
    The contract that a document says; None where it is agreed already and nothing is left to do.

    Raises:
        No: it contradicts itself or what is agreed, is somebody else's, or begins in a period that has ended.
    """
    if command.at is not None:
        raise no("malformed", "at", "a whole contract says itself from when everything holds; leave at out")
    document = _read(command.contract)
    if document.customer != customer:
        raise no(
            "other_customer", "contract.customer", f"the contract is one of {document.customer}, not of {customer}"
        )
    after = document if isinstance(document, ContractV2) else _of_version_1(document, command, now)
    if before is not None and after.revision <= before.revision:
        _must_be_the_same(document, before)
        return None
    if before is not None and isinstance(document, ContractV2):
        _only_adds(before, document, now)
    elif before is not None:
        _may_be_replaced(before, after)
    return after


def uses_of(contract: ContractV2, catalog: Catalog) -> frozenset[Use]:
    """The catalogue's entries on offer that a document names: from now on their terms are agreed, and not corrected."""
    named = {clause.price_version for clause in (*contract.items, *contract.commitments)}
    return frozenset(
        (section, key, entry.version)
        for section, key, entry in _versioned(catalog)
        if f"{section}/{key}/{entry.version}" in named
    )


def _versioned(catalog: Catalog) -> Iterator[tuple[str, str, Any]]:
    for section in SECTIONS:
        for key, entry in getattr(catalog, section).items():
            if hasattr(entry, "version"):
                yield section, key, entry


def _read(document: dict[str, Any]) -> Contract | ContractV2:
    try:
        contract = read_contract(document)
    except ContractRefused as refused:
        raise No(*refused.flaws) from None
    except OverflowError:
        raise _beyond_calendars() from None
    if not all(instant.year in YEARS for instant in _instants(contract.model_dump())):
        raise _beyond_calendars()
    return contract


def _beyond_calendars() -> No:
    return no(
        "malformed", "contract", f"an instant in it must lie between {YEARS[0]} and {YEARS[-1]}, as all of them do"
    )


def _instants(value: Any) -> Iterator[datetime]:
    if isinstance(value, datetime):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _instants(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _instants(member)


def _of_version_1(document: Contract, command: Agree, now: datetime) -> ContractV2:
    try:
        contract = from_version_1(document, agreed_at=now)
    except ValidationError as error:
        raise No(*flaws_of(error, document.model_dump(mode="json"))) from None
    (change,) = contract.history
    who = {"actor": command.actor, "reason": command.reason, "channel": command.channel}
    agreed: Change = change.model_copy(update=who)
    return contract.model_copy(update={"history": (agreed,)})


def _must_be_the_same(document: Contract | ContractV2, before: ContractV2) -> None:
    """Raise No where a revision that is agreed already says something else, or has been left behind."""
    there = before.revision
    if document.revision < there:
        sentence = (
            f"revision {there} is agreed already, and this one says {document.revision}: write revision {there + 1}"
        )
        raise no("revision_order", "revision", sentence)
    fields = _differences(document, before)
    if fields:
        sentence = (
            f"revision {there} is agreed already and says something else in {', '.join(fields)}: "
            f"raise revision to {there + 1}"
        )
        raise no("revision_differs", fields[0], sentence)


def _differences(document: Contract | ContractV2, before: ContractV2) -> list[str]:
    if isinstance(document, ContractV2):
        return differing_fields(before, document)
    said = as_version_1(before)
    if isinstance(said, str):
        return ["schema_version"]
    ours = as_version_1(from_version_1(document, agreed_at=before.history[-1].agreed_at))
    assert isinstance(ours, Contract)
    return differing_fields(said, ours)


def _only_adds(before: ContractV2, after: ContractV2, now: datetime) -> None:
    """Raise No where a document of version 2 rewrites what was agreed, or reaches into a period that has ended."""
    if wrong := rewritten(before, after):
        raise No(*wrong)
    opened = period_containing(before.billing_anchor, now).start
    for change in after.history:
        if change.revision > before.revision and change.effective_at < opened:
            sentence = (
                f"{say(change.effective_at)} lies in a period that has ended; the open one began at {say(opened)}"
            )
            raise no("period_closed", f"history.{change.revision}.effective_at", sentence)


def _may_be_replaced(before: ContractV2, after: ContractV2) -> None:
    """Raise No where a document of version 1 would lose what it cannot say, or change what never changes."""
    if isinstance(why := as_version_1(before), str):
        sentence = (
            f"the contract holds what version 1 cannot say: {why}; change it by a command, or write version 2 of it"
        )
        raise no("beyond_version_1", "schema_version", sentence)
    if len(before.history) > 1:
        sentence = (
            f"the contract has {len(before.history)} revisions, and version 1 would lose who agreed to what; change it "
            "by a command, or write version 2 of it"
        )
        raise no("beyond_version_1", "schema_version", sentence)
    if before.currency is not after.currency:
        sentence = f"was {before.currency} and would be {after.currency}; end the contract, and agree on another"
        raise no("currency_change", "currency", sentence)
    for name in _NEVER_CHANGE:
        if getattr(before, name) != getattr(after, name):
            raise no("never_changes", name, f"{name} of a contract never changes; end it, and agree on another")
