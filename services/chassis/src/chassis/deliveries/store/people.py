"""What people do about deliveries: drive again, cancel. Each with its reason, in the journal, under the key's name."""

from __future__ import annotations

import asyncpg

from chassis.deliveries.domain import states
from chassis.deliveries.domain.states import State
from chassis.deliveries.store import budgets
from chassis.deliveries.store.results import wake_children
from chassis.store import HotConnection, Pool, transaction


async def drive_again(pool: Pool, delivery_id: int, *, by: str, reason: str) -> State | None:
    """
    Send a delivery again, at once; its new state, None where there is no such delivery.

    Raises:
        NotAllowed: its state does not allow it.
    """
    async with transaction(pool) as tx:
        row = await _locked(tx, delivery_id)
        if row is None:
            return None
        state = states.driven_again(State(row["state"]), newest=row["version"] == row["newest"])
        await _note(tx, delivery_id, state, "driven_again", by=by, reason=reason)
        await tx.execute(  # what is in doubt keeps its time: a look-up before it would miss what is under way
            """
            UPDATE delivery_lanes l SET waits_for = NULL, due_at = CASE
                WHEN EXISTS (SELECT FROM deliveries d WHERE d.destination = $1 AND d.record = $2
                             AND d.state IN ('in_flight', 'unclear')) THEN l.due_at
                ELSE clock_timestamp() END
            WHERE l.destination = $1 AND l.record = $2
            """,
            row["destination"],
            row["record"],
        )
        return state


async def cancel(pool: Pool, delivery_id: int, *, by: str, reason: str) -> State | None:
    """
    Give a delivery up; None where there is no such delivery. Repeating it changes nothing.

    Raises:
        NotAllowed: it is done, may be, or has ended otherwise.
    """
    async with transaction(pool) as tx:
        row = await _locked(tx, delivery_id)
        if row is None:
            return None
        before, state = State(row["state"]), states.cancelled(State(row["state"]))
        if before is not state:
            await _note(tx, delivery_id, state, "cancelled", by=by, reason=reason)
            await tx.execute(
                "UPDATE delivery_lanes SET due_at = coalesce(due_at, clock_timestamp()), waits_for = NULL "
                "WHERE destination = $1 AND record = $2",
                row["destination"],
                row["record"],
            )
            await wake_children(tx, row["destination"], [row["record"]])
        return state


async def _locked(tx: HotConnection, delivery_id: int) -> asyncpg.Record | None:
    """The delivery, its destination and its lane locked in this order, as the runner does."""
    found = await tx.fetchrow("SELECT destination, record FROM deliveries WHERE delivery_id = $1", delivery_id)
    if found is None:
        return None
    await budgets.lock(tx, found["destination"])
    await tx.execute(
        "SELECT FROM delivery_lanes WHERE destination = $1 AND record = $2 FOR UPDATE",
        found["destination"],
        found["record"],
    )
    return await tx.fetchrow(
        """
        SELECT d.destination, d.record, d.version, d.state, (
            SELECT max(version) FROM deliveries n WHERE n.destination = d.destination AND n.record = d.record
        ) AS newest
        FROM deliveries d WHERE d.delivery_id = $1
        """,
        delivery_id,
    )


async def _note(tx: HotConnection, delivery_id: int, state: State, what: str, *, by: str, reason: str) -> None:
    await tx.execute(
        """
        WITH changed AS (
            UPDATE deliveries SET state = $2, failures = 0,
                settled_at = CASE WHEN $2 = 'pending' THEN NULL ELSE clock_timestamp() END
            WHERE delivery_id = $1 RETURNING delivery_id, calls
        )
        INSERT INTO delivery_journal (delivery_id, call, what, sentence, by)
        SELECT delivery_id, calls, $3, $4, $5 FROM changed
        """,
        delivery_id,
        state.value,
        what,
        reason,
        by,
    )
