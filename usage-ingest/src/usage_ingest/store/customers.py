"""The durable copy of the customer register."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from usage_ingest.store.tables import CUSTOMERS


async def ensure_customers(engine: AsyncEngine, customers: Sequence[str], *, origin: str) -> list[str]:
    """Register these customers; answers those that were new. Safe to repeat."""
    rows = [{"customer": customer, "origin": origin} for customer in sorted(set(customers))]
    statement = insert(CUSTOMERS).on_conflict_do_nothing().returning(CUSTOMERS.c.customer)
    async with engine.begin() as connection:
        return sorted((await connection.execute(statement, rows)).scalars())


async def customers_since(engine: AsyncEngine, age: timedelta | None) -> list[str]:
    """Customers registered within `age` of the database's clock; all of them where it is None."""
    query = select(CUSTOMERS.c.customer)
    if age is not None:
        query = query.where(CUSTOMERS.c.registered_at > func.now() - age)
    async with engine.connect() as connection:
        return list((await connection.execute(query)).scalars())
