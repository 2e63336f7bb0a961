"""The catalogue at rest: each applied state whole, by number; and who has agreed to what of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts_service.catalog.domain.versions import KeptCatalog, Uses
from contracts_service.tables import CATALOGS, LOCKS, USES


async def lock(connection: AsyncConnection, name: str, *, shared: bool = False) -> None:
    """Hold a lock until the transaction ends: `catalog` shared by commands, alone by apply; `publisher` alone."""
    await connection.execute(select(LOCKS).where(LOCKS.c.name == name).with_for_update(read=shared))


async def newest_catalog(connection: AsyncConnection) -> KeptCatalog:
    """What is kept now; an empty one before the first apply."""
    query = select(CATALOGS.c.document).order_by(CATALOGS.c.number.desc()).limit(1)
    found = (await connection.execute(query)).scalar_one_or_none()
    return KeptCatalog.model_validate(found) if found is not None else KeptCatalog()


async def catalog_of_number(connection: AsyncConnection, number: int) -> KeptCatalog:
    """What was kept at a number, which is there."""
    found = (await connection.execute(select(CATALOGS.c.document).where(CATALOGS.c.number == number))).scalar_one()
    return KeptCatalog.model_validate(found)


async def append_catalog(connection: AsyncConnection, kept: KeptCatalog, *, at: datetime, **who: str) -> None:
    """Store a state that was applied; `who` is actor, reason and asked_by."""
    document: dict[str, Any] = kept.model_dump(mode="json")
    await connection.execute(insert(CATALOGS).values(number=kept.number, document=document, applied_at=at, **who))


async def customers_by_use(connection: AsyncConnection) -> Uses:
    """How many customers have ever agreed to each version of each entry."""
    columns = (USES.c.section, USES.c.key, USES.c.version)
    query = select(*columns, func.count()).group_by(*columns)
    return {(row[0], row[1], row[2]): row[3] for row in (await connection.execute(query)).all()}


async def ensure_uses(connection: AsyncConnection, customer: str, uses: frozenset[tuple[str, str, int]]) -> None:
    """Note that a customer has agreed to these entries. Safe to repeat."""
    if uses:
        rows = [{"section": s, "key": k, "version": v, "customer": customer} for s, k, v in sorted(uses)]
        await connection.execute(insert_or(USES).on_conflict_do_nothing(), rows)
