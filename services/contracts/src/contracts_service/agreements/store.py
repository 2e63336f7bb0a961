"""Contracts at rest: one row for each revision, appended and never edited; keys of commands; quotes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, func, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts_service.agreements.domain.commands import AnyCommand, Quote
from contracts_service.agreements.domain.decide import Decided
from contracts_service.tables import COMMANDS, OUTBOX, QUOTES, REVISIONS
from event_schemas.contract_v2 import ContractV2


@dataclass(frozen=True, slots=True)
class Known:
    """A command that was carried out under a key."""

    fingerprint: bytes
    customer: str
    revision: int


async def command_of_key(connection: AsyncConnection, key: str) -> Known | None:
    """What was done under a key; None: nothing."""
    found = (await connection.execute(select(COMMANDS).where(COMMANDS.c.key == key))).mappings().one_or_none()
    return Known(bytes(found["fingerprint"]), found["customer"], found["revision"]) if found is not None else None


async def commands_of_keys(connection: AsyncConnection, keys: Sequence[str]) -> dict[str, Known]:
    """What was done under these keys, by key; those that nothing was done under are left out."""
    rows = (await connection.execute(select(COMMANDS).where(COMMANDS.c.key.in_(keys)))).mappings()
    return {row["key"]: Known(bytes(row["fingerprint"]), row["customer"], row["revision"]) for row in rows}


async def contracts_at_rest(connection: AsyncConnection, customers: Sequence[str]) -> dict[str, ContractV2]:
    """The newest revision of each of these customers' contracts; who has none is left out."""
    newest = (
        select(REVISIONS.c.customer, func.max(REVISIONS.c.revision).label("revision"))
        .where(REVISIONS.c.customer.in_(customers))
        .group_by(REVISIONS.c.customer)
        .subquery()
    )
    at = (REVISIONS.c.customer == newest.c.customer) & (REVISIONS.c.revision == newest.c.revision)
    query = select(REVISIONS.c.customer, REVISIONS.c.document).join(newest, at)
    return {row[0]: ContractV2.model_validate(row[1]) for row in await connection.execute(query)}


async def contract_at_rest(
    connection: AsyncConnection, customer: str, revision: int | None = None
) -> ContractV2 | None:
    """The newest revision of a customer's contract, or the one named; None where there is none."""
    query = select(REVISIONS.c.document).where(REVISIONS.c.customer == customer)
    query = query.order_by(REVISIONS.c.revision.desc()).limit(1)
    if revision is not None:
        query = query.where(REVISIONS.c.revision == revision)
    found = (await connection.execute(query)).scalar_one_or_none()
    return ContractV2.model_validate(found) if found is not None else None


async def claim_key(connection: AsyncConnection, key: str, known: Known) -> bool:
    """Claim a key for what is about to be stored; False where somebody else has, who has committed by now."""
    return await claim_keys(connection, {key: known})


async def claim_keys(connection: AsyncConnection, keys: Mapping[str, Known]) -> bool:
    """Claim keys; False where somebody else has one of them: end the transaction, the others were claimed."""
    rows = [
        {"key": key, "fingerprint": known.fingerprint, "customer": known.customer, "revision": known.revision}
        for key, known in keys.items()
    ]
    statement = insert_or(COMMANDS).values(rows).on_conflict_do_nothing().returning(COMMANDS.c.key)
    return len((await connection.execute(statement)).all()) == len(rows)


async def append_revision(
    connection: AsyncConnection, decided: Decided, command: AnyCommand, *, catalog: int, asked_by: str
) -> bool:
    """Store the next revision and that it is to be published; False where another follows the same one by now."""
    return bool(await append_revisions(connection, [(decided, command)], catalog=catalog, asked_by=asked_by))


async def append_revisions(
    connection: AsyncConnection, made: Sequence[tuple[Decided, AnyCommand]], *, catalog: int, asked_by: str
) -> set[str]:
    """Store next revisions, of a customer each, and that they are to be published; the customers whose were stored."""
    rows = [_row(decided, command, catalog=catalog, asked_by=asked_by) for decided, command in made]
    statement = insert_or(REVISIONS).values(rows).on_conflict_do_nothing().returning(REVISIONS.c.customer)
    stored = set((await connection.execute(statement)).scalars())
    due = [
        {"customer": row["customer"], "revision": row["revision"], "state": "due"}
        for row in rows
        if row["customer"] in stored
    ]
    if due:
        await connection.execute(insert(OUTBOX).values(due))
    return stored


def _row(decided: Decided, command: AnyCommand, *, catalog: int, asked_by: str) -> dict[str, Any]:
    contract = decided.contract
    change = contract.history[-1]
    return {
        "customer": contract.customer,
        "revision": contract.revision,
        "follows": decided.follows,
        "document": contract.model_dump(mode="json", exclude_none=True),
        "command": command.model_dump(mode="json", exclude_defaults=True, exclude={"contract"}),  # it is the document
        "catalog": catalog or None,  # 0: nothing is offered
        "asked_by": asked_by,
        "agreed_at": change.agreed_at,
        "effective_at": change.effective_at,
    }


async def list_contracts(connection: AsyncConnection, *, after: str, limit: int) -> list[RowMapping]:
    """The newest revision of each customer's contract, with its state in the outbox, by customer."""
    newest = (
        select(REVISIONS.c.customer, func.max(REVISIONS.c.revision).label("revision"))
        .where(REVISIONS.c.customer > after)
        .group_by(REVISIONS.c.customer)
        .order_by(REVISIONS.c.customer)
        .limit(limit)
        .subquery()
    )
    at = (REVISIONS.c.customer == newest.c.customer) & (REVISIONS.c.revision == newest.c.revision)
    sent = (OUTBOX.c.customer == REVISIONS.c.customer) & (OUTBOX.c.revision == REVISIONS.c.revision)
    query = (
        select(REVISIONS.c.customer, REVISIONS.c.document, OUTBOX.c.state, OUTBOX.c.why, OUTBOX.c.as_version)
        .join(newest, at)
        .join(OUTBOX, sent)
        .order_by(REVISIONS.c.customer)
    )
    return list((await connection.execute(query)).mappings())


async def list_revisions(connection: AsyncConnection, customer: str) -> list[RowMapping]:
    """Every revision of a contract, oldest first, with its state in the outbox."""
    sent = (OUTBOX.c.customer == REVISIONS.c.customer) & (OUTBOX.c.revision == REVISIONS.c.revision)
    query = (
        select(REVISIONS, OUTBOX.c.state, OUTBOX.c.why, OUTBOX.c.as_version)
        .join(OUTBOX, sent)
        .where(REVISIONS.c.customer == customer)
        .order_by(REVISIONS.c.revision)
    )
    return list((await connection.execute(query)).mappings())


async def quote_at_rest(connection: AsyncConnection, quote: str) -> RowMapping | None:
    """A quote; None where there is none of that name."""
    return (await connection.execute(select(QUOTES).where(QUOTES.c.quote == quote))).mappings().one_or_none()


async def record_quote_once(
    connection: AsyncConnection, quote: Quote, *, catalog: int, at: datetime, asked_by: str
) -> bool:
    """Store a quote; False where there is one of that name."""
    document: dict[str, Any] = quote.model_dump(mode="json", exclude_defaults=True)
    values = {"quote": quote.quote, "customer": quote.customer, "document": document}
    statement = insert_or(QUOTES).values(**values, catalog=catalog, made_at=at, asked_by=asked_by)
    statement = statement.on_conflict_do_nothing()
    stored = await connection.execute(statement.returning(QUOTES.c.quote))
    return stored.scalar_one_or_none() is not None
