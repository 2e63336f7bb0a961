"""
What may be taken away, a few rows in a transaction: old events, settled deliveries, closed cases.

Nothing goes that somebody may still need: whatever belongs to a customer with an open case stays, and so does all that
lies in a period which is not finalised. Entries, corrections, periods and invoices are never taken away.
"""

from __future__ import annotations

from datetime import datetime

from chassis.retention import Pruned
from chassis.store import transaction
from invoicing_sync.store.pool import Pool

_CUSTOMER_OF_EVENT = """
coalesce(w.body #>> '{data,object,customer}',
         CASE WHEN w.body #>> '{data,object,object}' = 'customer' THEN w.body #>> '{data,object,id}' END)
"""

# Thin events carry no customer: all of them stay while a case tells of usage that Stripe did not count.
_EVENTS = f"""
DELETE FROM webhooks WHERE event_id IN (
    SELECT w.event_id FROM webhooks w
    WHERE w.created < $1 AND w.handled_at IS NOT NULL AND w.published_at IS NOT NULL
      AND NOT (w.thin AND EXISTS (SELECT FROM cases c WHERE c.kind = 'meter_error' AND c.closed_at IS NULL))
      AND NOT EXISTS (
        SELECT FROM contracts k WHERE k.stripe_customer = {_CUSTOMER_OF_EVENT}
          AND (EXISTS (SELECT FROM cases c WHERE c.customer = k.customer AND c.closed_at IS NULL)
               OR EXISTS (SELECT FROM periods p WHERE p.customer = k.customer AND p.state NOT IN ('finalised', 'voided')
                          AND p.period_start <= w.created)))
    ORDER BY w.created, w.event_id LIMIT $2)
"""

_PERIOD = """
SELECT p.customer, p.number, p.period_end FROM periods p
WHERE p.state = 'finalised' AND p.deliveries_gone_at IS NULL AND p.finalised_at < $1
  AND NOT EXISTS (SELECT FROM cases c WHERE c.customer = p.customer AND c.closed_at IS NULL)
ORDER BY p.finalised_at, p.customer, p.number LIMIT 1
"""
_DELIVERIES = """
DELETE FROM deliveries WHERE identifier IN (
    SELECT identifier FROM deliveries
    WHERE customer = $1 AND period_end = $2 AND settled_at IS NOT NULL LIMIT $3)
"""
_MARK = """
UPDATE periods SET deliveries_pruned_at = coalesce(deliveries_pruned_at, $3),
    deliveries_gone_at = CASE WHEN $4 THEN $3::timestamptz END
WHERE customer = $1 AND number = $2
"""

_CASES = "DELETE FROM cases WHERE id IN (SELECT id FROM cases WHERE closed_at < $1 ORDER BY closed_at LIMIT $2)"


def _count(status: str) -> int:
    return int(status.rsplit(" ", 1)[1])


async def prune_events(pool: Pool, *, before: datetime, most: int) -> Pruned:
    """Published and handled events that Stripe made before an instant."""
    gone = _count(await pool.execute(_EVENTS, before, most))
    return Pruned(gone, more=gone == most)


async def prune_deliveries(pool: Pool, *, before: datetime, now: datetime, most: int) -> Pruned:
    """
    Settled deliveries of the period that was finalised longest ago, if that was before an instant (business time).

    The entries stay, and with them what is behind each line; reconciliation no longer looks at such days.
    """
    async with transaction(pool) as tx:
        row = await tx.fetchrow(_PERIOD, before)
        if row is None:
            return Pruned(0, more=False)
        gone = _count(await tx.execute(_DELIVERIES, row["customer"], row["period_end"], most))
        await tx.execute(_MARK, row["customer"], row["number"], now, gone < most)
        return Pruned(gone, more=True)


async def prune_cases(pool: Pool, *, before: datetime, most: int) -> Pruned:
    """Cases that were closed before an instant (business time)."""
    gone = _count(await pool.execute(_CASES, before, most))
    return Pruned(gone, more=gone == most)
