"""Cases: what a person must look at, one for each kind and natural key."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from invoicing_sync.store.pool import Connection, Pool


async def open_case(
    at: Pool | Connection,
    kind: str,
    key: str,
    *,
    now: datetime,
    customer: str | None = None,
    count: int = 1,
    **detail: Any,
) -> None:
    """Open a case, or count it once more and replace its detail; a closed one is opened again."""
    await at.execute(
        """
        INSERT INTO cases (kind, natural_key, customer, detail, count, opened_at, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $6)
        ON CONFLICT (kind, natural_key) DO UPDATE
        SET detail = excluded.detail, count = cases.count + excluded.count, changed_at = excluded.changed_at,
            closed_at = NULL
        """,
        kind,
        key,
        customer,
        detail,
        count,
        now,
    )


async def close_case(at: Pool | Connection, kind: str, key: str, *, now: datetime) -> None:
    """The matter has settled itself; closing what is not open changes nothing."""
    await at.execute(
        "UPDATE cases SET closed_at = $3, changed_at = $3 WHERE kind = $1 AND natural_key = $2 AND closed_at IS NULL",
        kind,
        key,
        now,
    )
