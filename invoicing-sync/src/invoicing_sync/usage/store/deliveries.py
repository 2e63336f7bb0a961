"""Deliveries: appended with their entries, claimed by lanes in bulk, settled in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import asyncpg

from invoicing_sync.assumptions.domain.catalogue import in_order
from invoicing_sync.store.pool import Connection, Pool
from invoicing_sync.usage.domain.routing import Effect
from invoicing_sync.usage.domain.states import Correction, State

Lane = tuple[str, str]  # customer, meter

OPEN_STATES = "('pending', 'in_flight', 'unclear')"
UNSETTLED_STATES = "('waiting_for_charge', 'pending', 'in_flight', 'unclear')"


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """One intended effect as its entry makes it."""

    identifier: str
    customer: str
    meter: str
    value: Decimal
    effective_at: datetime
    recorded_at: datetime
    period_start: datetime | None
    period_end: datetime | None
    reverses: str | None
    state: State
    correction: Correction | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that its lane has taken, with all that a call needs."""

    effect: Effect
    lane: Lane
    value: Decimal
    attempt: int
    stripe_customer: str


@dataclass(frozen=True, slots=True)
class Result:
    """How a delivery's calls ended, to be stored; `assumptions` are the numbers that a refusal speaks against."""

    identifier: str
    state: State
    attempt: int
    calls: int
    at: datetime  # business time
    result: str
    cancelled: str | None = None  # the charge that an adjustment has taken out
    assumptions: tuple[str, ...] = ()


async def append(tx: Connection, new: Sequence[NewDelivery]) -> None:
    """Add deliveries, and corrections for those that are none for Stripe."""
    await tx.execute(
        """
        INSERT INTO deliveries (identifier, customer, meter, value, effective_at, recorded_at, not_before, period_end,
                                reverses, state, settled_at)
        SELECT i, c, m, v, e, r, e, p, x, s, CASE WHEN s IN ('correction', 'netted') THEN now() END
        FROM unnest($1::text[], $2::text[], $3::text[], $4::numeric[], $5::timestamptz[], $6::timestamptz[],
                    $7::timestamptz[], $8::text[], $9::text[]) WITH ORDINALITY AS t(i, c, m, v, e, r, p, x, s, n)
        ORDER BY n
        """,
        [d.identifier for d in new],
        [d.customer for d in new],
        [d.meter for d in new],
        [d.value for d in new],
        [d.effective_at for d in new],
        [d.recorded_at for d in new],
        [d.period_end for d in new],
        [d.reverses for d in new],
        [d.state.value for d in new],
    )
    await correct(tx, [d for d in new if d.state is State.CORRECTION])


async def correct(tx: Connection, new: Iterable[NewDelivery]) -> None:
    """Record corrections; one for an entry, whatever is repeated."""
    rows = list(new)
    if not rows:
        return
    await tx.execute(
        """
        INSERT INTO corrections (entry_id, customer, meter, value, period_start, period_end, reason, recorded_at)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::numeric[], $5::timestamptz[], $6::timestamptz[],
                             $7::text[], $8::timestamptz[])
        ON CONFLICT DO NOTHING
        """,
        [d.identifier for d in rows],
        [d.customer for d in rows],
        [d.meter for d in rows],
        [d.value for d in rows],
        [d.period_start for d in rows],
        [d.period_end for d in rows],
        [d.correction and d.correction.value for d in rows],
        [d.recorded_at for d in rows],
    )


async def free_reversals(tx: Connection, charges: Sequence[str]) -> list[Lane]:
    """Reversals that waited for these charges may go on; their lanes."""
    rows = await tx.fetch(
        """
        UPDATE deliveries SET state = 'pending', due_since = now()
        WHERE state = 'waiting_for_charge' AND reverses = ANY($1::text[])
        RETURNING customer, meter
        """,
        charges,
    )
    return [(row["customer"], row["meter"]) for row in rows]


async def waiting_for_contract(tx: Connection, customer: str, limit: int) -> list[asyncpg.Record]:
    """Deliveries of a customer that no contract has placed yet, in order."""
    return await tx.fetch(
        """
        SELECT identifier, meter, value, effective_at, recorded_at, reverses FROM deliveries
        WHERE customer = $1 AND state = 'waiting_for_contract' ORDER BY position LIMIT $2
        """,
        customer,
        limit,
    )


async def place(tx: Connection, placed: Sequence[NewDelivery]) -> None:
    """Give deliveries that waited for a contract their period and state."""
    await tx.execute(
        """
        UPDATE deliveries d SET state = t.s, period_end = t.p, due_since = now(),
            settled_at = CASE WHEN t.s IN ('correction', 'netted') THEN now() END
        FROM unnest($1::text[], $2::timestamptz[], $3::text[]) AS t(i, p, s) WHERE d.identifier = t.i
        """,
        [d.identifier for d in placed],
        [d.period_end for d in placed],
        [d.state.value for d in placed],
    )
    await correct(tx, [d for d in placed if d.state is State.CORRECTION])


_EFFECT = "d.identifier, d.state, d.effective_at, d.reverses, d.sent_at, d.cancels, d.cancel_refused"


async def open_of(tx: Connection, lanes: Sequence[Lane], *, now: datetime, each: int) -> list[Claim]:
    """The first open deliveries of each lane that business time allows, in the order in which they came."""
    rows = await tx.fetch(
        f"""
        SELECT {_EFFECT}, d.customer, d.meter, d.value, d.attempt, c.stripe_customer
        FROM unnest($1::text[], $2::text[]) AS l(customer, meter)
        CROSS JOIN LATERAL (
            SELECT * FROM deliveries d
            WHERE d.customer = l.customer AND d.meter = l.meter AND d.state IN {OPEN_STATES} AND d.not_before <= $3
            ORDER BY d.position LIMIT $4
        ) d
        JOIN contracts c ON c.customer = d.customer
        ORDER BY d.position
        """,
        [lane[0] for lane in lanes],
        [lane[1] for lane in lanes],
        now,
        each,
    )
    return [
        Claim(_effect(row), (row["customer"], row["meter"]), row["value"], row["attempt"], row["stripe_customer"])
        for row in rows
    ]


async def effects(tx: Connection, identifiers: Sequence[str]) -> dict[str, Effect]:
    """Deliveries as the rules see them, by identifier."""
    if not identifiers:
        return {}
    rows = await tx.fetch(f"SELECT {_EFFECT} FROM deliveries d WHERE d.identifier = ANY($1::text[])", identifiers)
    return {row["identifier"]: _effect(row) for row in rows}


def _effect(row: asyncpg.Record) -> Effect:
    return Effect(
        identifier=row["identifier"],
        state=State(row["state"]),
        effective_at=row["effective_at"],
        reverses=row["reverses"],
        sent_at=row["sent_at"],
        cancels=row["cancels"],
        cancel_refused=row["cancel_refused"],
    )


async def intend(
    tx: Connection, intents: Sequence[tuple[str, bool]], *, now: datetime, owner: str, epoch: int
) -> set[str]:
    """
    Store the intent to call, by (identifier, whether by adjustment); only where the lane is still leased by us.

    Returns the identifiers that may be called. `sent_at` stays that of the first call that Stripe may have received.
    """
    rows = await tx.fetch(
        """
        UPDATE deliveries d
        SET state = 'in_flight', cancels = t.cancels,
            sent_at = CASE WHEN d.state = 'pending' THEN $3 ELSE d.sent_at END
        FROM unnest($1::text[], $2::boolean[]) AS t(identifier, cancels), lanes l
        WHERE d.identifier = t.identifier AND l.customer = d.customer AND l.meter = d.meter
          AND l.owner = $4 AND l.epoch = $5 AND l.expires_at > clock_timestamp()
        RETURNING d.identifier
        """,
        [identifier for identifier, _ in intents],
        [cancels for _, cancels in intents],
        now,
        owner,
        epoch,
    )
    return {row["identifier"] for row in rows}


async def net(tx: Connection, identifiers: Sequence[str]) -> None:
    """These need no call."""
    await tx.execute(
        "UPDATE deliveries SET state = 'netted', settled_at = now() WHERE identifier = ANY($1::text[])", identifiers
    )


async def turn_into_corrections(tx: Connection, reasons: Sequence[tuple[str, Correction]]) -> None:
    """These are no meter events after all: corrections, for the reason given."""
    await tx.execute(
        """
        WITH turned AS (
            UPDATE deliveries d SET state = 'correction', settled_at = now()
            FROM unnest($1::text[], $2::text[]) AS t(identifier, reason) WHERE d.identifier = t.identifier
            RETURNING d.identifier, d.customer, d.meter, d.value, d.period_end, d.recorded_at, t.reason
        )
        INSERT INTO corrections (entry_id, customer, meter, value, period_start, period_end, reason, recorded_at)
        SELECT t.identifier, t.customer, t.meter, t.value, p.period_start, t.period_end, t.reason, t.recorded_at
        FROM turned t LEFT JOIN periods p ON p.customer = t.customer AND p.period_end = t.period_end AND p.number >= 0
        ON CONFLICT DO NOTHING
        """,
        [identifier for identifier, _ in reasons],
        [reason.value for _, reason in reasons],
    )


async def settle(tx: Connection, results: Sequence[Result]) -> None:
    """Store how calls ended; a charge that an adjustment has taken out is cancelled with it."""
    await tx.execute(
        """
        UPDATE deliveries d
        SET state = t.state, attempt = t.attempt, calls = d.calls + t.calls, result = t.result,
            received_at = CASE WHEN t.state = 'delivered' THEN t.at ELSE d.received_at END,
            settled_at = CASE WHEN t.state IN ('delivered', 'refused') THEN now() END,
            assumptions = d.assumptions || string_to_array(t.assumptions, ',')
        FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::timestamptz[], $6::text[], $7::text[])
            AS t(identifier, state, attempt, calls, at, result, assumptions)
        WHERE d.identifier = t.identifier AND d.state IN ('in_flight', 'unclear')
        """,
        [r.identifier for r in results],
        [r.state.value for r in results],
        [r.attempt for r in results],
        [r.calls for r in results],
        [r.at for r in results],
        [r.result for r in results],
        [",".join(r.assumptions) or None for r in results],
    )
    cancelled = [r.cancelled for r in results if r.cancelled is not None]
    if cancelled:
        await tx.execute("UPDATE deliveries SET state = 'cancelled' WHERE identifier = ANY($1::text[])", cancelled)


async def route_again(tx: Connection, identifier: str) -> None:
    """An adjustment was refused: the reversal is pending again and goes out as a negative event."""
    await tx.execute(
        "UPDATE deliveries SET state = 'pending', cancels = false, cancel_refused = true, "
        "result = 'adjustment_refused' WHERE identifier = $1",
        identifier,
    )


async def spoken_against(pool: Pool, customer: str, period_end: datetime, meters: Sequence[str]) -> tuple[str, ...]:
    """The assumptions that refusals of these meters' deliveries in a period spoke against, in order."""
    if not meters:
        return ()
    rows = await pool.fetch(
        """
        SELECT DISTINCT unnest(assumptions) AS number FROM deliveries
        WHERE customer = $1 AND period_end = $2 AND meter = ANY($3::text[]) AND assumptions IS NOT NULL
        """,
        customer,
        period_end,
        list(meters),
    )
    return in_order(row["number"] for row in rows)


async def refuse(tx: Connection, reasons: Sequence[tuple[str, str]]) -> dict[str, Decimal]:
    """Stripe's error report names these as not counted; those taken as delivered are refused now, with their values."""
    rows = await tx.fetch(
        """
        UPDATE deliveries d SET state = 'refused', result = t.code
        FROM unnest($1::text[], $2::text[]) AS t(identifier, code)
        WHERE d.identifier = t.identifier AND d.state IN ('in_flight', 'unclear', 'delivered')
        RETURNING d.identifier, d.value
        """,
        [identifier for identifier, _ in reasons],
        [code for _, code in reasons],
    )
    return {row["identifier"]: row["value"] for row in rows}


async def speak_against(tx: Connection, identifier: str, assumptions: Sequence[str]) -> None:
    """Note the assumptions that a refusal speaks against."""
    await tx.execute(
        "UPDATE deliveries SET assumptions = assumptions || $2::text[] WHERE identifier = $1",
        identifier,
        list(assumptions),
    )


async def lanes_with_work(pool: Pool, now: datetime, *, limit: int) -> list[Lane]:
    """Lanes that have an open delivery which business time allows."""
    rows = await pool.fetch(
        f"""
        SELECT customer, meter FROM deliveries WHERE state IN {OPEN_STATES} AND not_before <= $1
        GROUP BY customer, meter ORDER BY min(position) LIMIT $2
        """,
        now,
        limit,
    )
    return [(row["customer"], row["meter"]) for row in rows]


async def held_by_stripe(pool: Pool, lane: Lane, start: datetime, end: datetime) -> Decimal:
    """The net that Stripe is known to hold of a lane in [start, end): delivered events, less what was cancelled."""
    value = await pool.fetchval(
        """
        SELECT coalesce(sum(value), 0) FROM deliveries
        WHERE customer = $1 AND meter = $2 AND effective_at >= $3 AND effective_at < $4
          AND state = 'delivered' AND NOT cancels
        """,
        *lane,
        start,
        end,
    )
    return Decimal(value)


async def backlog(pool: Pool, now: datetime) -> tuple[int, datetime | None]:
    """How many deliveries are open and due, and the `recorded_at` of the oldest."""
    row = await pool.fetchrow(
        f"SELECT count(*) AS n, min(recorded_at) AS oldest FROM deliveries WHERE state IN {OPEN_STATES} "
        "AND not_before <= $1",
        now,
    )
    assert row is not None
    return row["n"], row["oldest"]
