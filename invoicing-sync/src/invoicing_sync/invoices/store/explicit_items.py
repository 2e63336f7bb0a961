"""Invoice items of our own on drafts: what Stripe was told of each."""

from __future__ import annotations

from datetime import datetime

from invoicing_sync.invoices.domain.explicit import ExplicitItem, ToldItem
from invoicing_sync.store.pool import Pool


async def told(pool: Pool, invoice_id: str, *, case_key: str) -> dict[str, ToldItem]:
    """
    By key what was told of an invoice's items.

    Args:
        case_key: of the case `invoice_held`; a person who closes it agrees that what is missing is put there again.
    """
    rows = await pool.fetch(
        """
        SELECT i.natural_key, i.amount_minor, i.state, EXISTS (
            SELECT FROM cases c WHERE c.kind = 'invoice_held' AND c.natural_key = $2
              AND c.closed_by IS NOT NULL AND c.closed_at >= i.placed_at) AS put_back
        FROM explicit_items i WHERE i.invoice_id = $1
        """,
        invoice_id,
        case_key,
    )
    return {row["natural_key"]: ToldItem(row["amount_minor"], row["state"], row["put_back"]) for row in rows}


async def intend(pool: Pool, invoice_id: str, customer: str, item: ExplicitItem, *, now: datetime) -> int:
    """Store the intent to put an item onto a draft; the number of the attempt."""
    attempt: int = await pool.fetchval(
        """
        INSERT INTO explicit_items (invoice_id, natural_key, customer, amount_minor, state, intended_at)
        VALUES ($1, $2, $3, $4, 'intended', $5)
        ON CONFLICT (invoice_id, natural_key) DO UPDATE
        SET amount_minor = excluded.amount_minor, state = 'intended', intended_at = excluded.intended_at,
            attempt = explicit_items.attempt + (explicit_items.state <> 'intended')::int
        RETURNING attempt
        """,
        invoice_id,
        item.key,
        customer,
        item.amount_minor,
        now,
    )
    return attempt


async def next_attempt(pool: Pool, invoice_id: str, key: str) -> None:
    """Stripe replays a 5xx or a refusal for the key used: another key next time."""
    await pool.execute(
        "UPDATE explicit_items SET attempt = attempt + 1 WHERE invoice_id = $1 AND natural_key = $2", invoice_id, key
    )


async def placed(pool: Pool, invoice_id: str, key: str, item_id: str, *, now: datetime) -> None:
    """Stripe has it."""
    await pool.execute(
        "UPDATE explicit_items SET state = 'placed', item_id = $3, placed_at = $4 "
        "WHERE invoice_id = $1 AND natural_key = $2",
        invoice_id,
        key,
        item_id,
        now,
    )


async def intend_to_take(pool: Pool, invoice_id: str, key: str) -> None:
    """Store the intent to take an item off its draft."""
    await pool.execute(
        "UPDATE explicit_items SET state = 'taking' WHERE invoice_id = $1 AND natural_key = $2", invoice_id, key
    )


async def forget(pool: Pool, invoice_id: str, key: str) -> None:
    """It is neither there nor wanted."""
    await pool.execute("DELETE FROM explicit_items WHERE invoice_id = $1 AND natural_key = $2", invoice_id, key)
