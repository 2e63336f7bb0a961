"""Many whole contracts in one transaction: all of them are agreed on, or none, each once whoever sends it how often."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.problems import Problem
from contracts_service.agreements.domain.commands import Agree
from contracts_service.agreements.domain.decide import Decided, Refusal, decide
from contracts_service.agreements.handlers import Carried, KeyTaken, answer_again, changed_meanwhile, fingerprint
from contracts_service.agreements.store import Known, append_revisions, claim_keys, commands_of_keys, contracts_at_rest
from contracts_service.catalog.domain.models import Catalog
from contracts_service.catalog.store import ensure_uses, lock, newest_catalog
from contracts_service.gaps import FAILPOINTS
from contracts_service.parts import Parts, must_be_storable
from event_schemas.contract_v2 import ContractV2

log = logging.getLogger(__name__)

Whole = tuple[str, Agree]  # whose contract, and the command


async def agree_on_all(commands: Sequence[Agree], *, by: str, dry_run: bool, parts: Parts) -> list[Carried]:
    """
    Agree on these whole contracts, of as many customers; the answers in their order.

    Raises:
        Problem: 409 or 422 where one is refused, with all that are, each with its customer. Nothing is written then,
            nor with `dry_run`.
    """
    must_be_storable([command.model_dump(mode="json") for command in commands])
    named = [(_customer(command), command) for command in commands]
    _must_stand_once([customer for customer, _ in named], "contract.customer")
    _must_stand_once([command.key for command in commands], "key")
    for _ in range(3):
        try:
            async with parts.engine.begin() as connection:
                carried = await _once(connection, named, by=by, dry_run=dry_run, parts=parts)
        except KeyTaken:
            continue
        if not dry_run and not all(one.repeated for one in carried.values()):
            parts.written.set()
            FAILPOINTS.reach("command.before-answer")
            log.info("contracts agreed", extra={"contracts": sum(not one.repeated for one in carried.values())})
        return [carried[customer] for customer, _ in named]
    raise Problem(409, "key_in_use", "another request with one of these keys is under way; send it again", field="key")


def _customer(command: Agree) -> str:
    said = command.contract.get("customer")
    return said if isinstance(said, str) else ""  # which the contract's own check refuses


def _must_stand_once(names: Sequence[str], field: str) -> None:
    if len(names) != len(set(names)):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise Problem(
            422, "named_twice", f"{twice!r} stands twice in one request; send one after the other", field=field
        )


async def _once(
    connection: AsyncConnection, named: Sequence[Whole], *, by: str, dry_run: bool, parts: Parts
) -> dict[str, Carried]:
    known = await commands_of_keys(connection, [command.key for _, command in named])
    carried = {
        customer: await answer_again(connection, known[command.key], fingerprint(customer, command))
        for customer, command in named
        if command.key in known
    }
    left = sorted(
        (one for one in named if one[1].key not in known), key=lambda one: one[0]
    )  # no two wait for each other
    await lock(connection, "catalog", shared=True)
    kept = await newest_catalog(connection)
    before = await contracts_at_rest(connection, [customer for customer, _ in left])
    offered, now = kept.offered(), parts.clock.now()
    decided = await asyncio.to_thread(_decide_all, left, before, offered, now)
    if refused := {customer: one for customer, one in decided.items() if isinstance(one, Refusal)}:
        if await commands_of_keys(connection, [command.key for _, command in left]):
            raise KeyTaken  # refused for what the same command has just done
        raise _problem(refused)
    made = [(one, command) for customer, command in left if not (one := _sound(decided[customer])).unchanged]
    if not dry_run and made:
        await _store(connection, made, catalog=kept.number, by=by)
    new = {one.contract.customer for one, _ in made}
    return carried | {
        customer: Carried(_sound(one).contract, repeated=customer not in new) for customer, one in decided.items()
    }


def _decide_all(
    left: Sequence[Whole], before: Mapping[str, ContractV2], offered: Catalog, now: datetime
) -> dict[str, Decided | Refusal]:
    return {customer: decide(customer, command, before.get(customer), offered, now=now) for customer, command in left}


def _sound(decided: Decided | Refusal) -> Decided:
    assert isinstance(decided, Decided)
    return decided


async def _store(connection: AsyncConnection, made: Sequence[tuple[Decided, Agree]], *, catalog: int, by: str) -> None:
    keys = {
        command.key: Known(fingerprint(one.contract.customer, command), one.contract.customer, one.contract.revision)
        for one, command in made
    }
    if not await claim_keys(connection, keys):
        raise KeyTaken
    stored = await append_revisions(connection, made, catalog=catalog, asked_by=by)
    for one, _ in made:
        if one.contract.customer not in stored:
            raise changed_meanwhile(one.contract)
        await ensure_uses(connection, one.contract.customer, one.uses)


def _problem(refused: Mapping[str, Refusal]) -> Problem:
    reasons: list[dict[str, Any]] = [
        {"customer": customer, **asdict(flaw)} for customer, one in refused.items() for flaw in one.flaws
    ]
    first = reasons[0]
    status = 409 if any(one.moved for one in refused.values()) else 422
    owner = f"{first['customer']}: " if first["customer"] else ""
    return Problem(status, first["code"], f"{owner}{first['sentence']}", field=first["field"] or None, refusals=reasons)
