"""Contracts at rest: one row for each revision, appended and never edited; keys of commands; quotes."""

from __future__ import annotations

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
    values = {"key": key, "fingerprint": known.fingerprint, "customer": known.customer, "revision": known.revision}
    statement = insert_or(COMMANDS).values(**values).on_conflict_do_nothing().returning(COMMANDS.c.key)
    return (await connection.execute(statement)).scalar_one_or_none() is not None


async def append_revision(
    connection: AsyncConnection, decided: Decided, command: AnyCommand, *, catalog: int, asked_by: str
) -> bool:
    """Store the next revision and that it is to be published; False where another one of its number is there by now."""
    contract, change = decided.contract, decided.contract.history[-1]
    statement = (
        insert_or(REVISIONS)
        .values(
            customer=contract.customer,
            revision=contract.revision,
            document=contract.model_dump(mode="json", exclude_none=True),
            command=command.model_dump(mode="json", exclude_defaults=True),
            catalog=catalog,
            asked_by=asked_by,
            agreed_at=change.agreed_at,
            effective_at=change.effective_at,
        )
        .on_conflict_do_nothing()
        .returning(REVISIONS.c.revision)
    )
    if (await connection.execute(statement)).scalar_one_or_none() is None:
        return False
    await connection.execute(insert(OUTBOX).values(customer=contract.customer, revision=contract.revision, state="due"))
    return True


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
