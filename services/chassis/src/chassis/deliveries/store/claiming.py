"""Taking lanes that are due, and storing the intent of each call before it is made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from chassis.deliveries.domain.answers import Act
from chassis.deliveries.domain.lanes import Place, Turn, standing, turn
from chassis.deliveries.domain.policy import Policy
from chassis.deliveries.domain.states import State
from chassis.deliveries.vendor import Delivery
from chassis.store import HotConnection

ROUNDS = 5  # lanes that turn out to have nothing to do make room for others so often in one transaction


@dataclass(frozen=True, slots=True)
class Claim:
    """One call that may be made now, in a lane that is ours while `fence` is its newest."""

    act: Act
    delivery: Delivery
    fence: int


async def claim(
    tx: HotConnection, destination: str, count: int, *, now: datetime, owner: str, policy: Policy
) -> list[Claim]:
    """At most `count` calls, each of another lane, with their intents stored and their lanes leased."""
    claims: list[Claim] = []
    for _ in range(ROUNDS):
        records = await _due(tx, destination, count - len(claims), now)
        if not records:
            break
        turns, rows = await _turns(tx, destination, records)
        await _rest(tx, destination, {record: turns[record] for record in records if turns[record].act is None})
        calls = [(record, turns[record]) for record in records if turns[record].act is not None]
        if calls:
            claims += await _intend(tx, destination, calls, rows, now=now, owner=owner, policy=policy)
        if len(claims) >= count:
            break
    return claims


async def next_due(tx: HotConnection, destination: str) -> float | None:
    """Seconds until a lane is due that nobody works in; None: no lane has anything to do."""
    seconds = await tx.fetchval(
        """
        SELECT extract(epoch FROM min(greatest(due_at, coalesce(expires_at, due_at))) - clock_timestamp())::float
        FROM (SELECT due_at, expires_at FROM delivery_lanes WHERE destination = $1 AND due_at IS NOT NULL
              ORDER BY due_at LIMIT 50) AS soon
        """,
        destination,
    )
    return None if seconds is None else max(0.0, float(seconds))


async def _due(tx: HotConnection, destination: str, count: int, now: datetime) -> list[str]:
    rows = await tx.fetch(
        """
        SELECT record FROM delivery_lanes
        WHERE destination = $1 AND due_at <= $2 AND (owner IS NULL OR expires_at <= $2)
        ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
        """,
        destination,
        now,
        count,
    )
    return [row["record"] for row in rows]


async def _turns(
    tx: HotConnection, destination: str, records: Sequence[str]
) -> tuple[dict[str, Turn], dict[int, asyncpg.Record]]:
    """Whose turn it is in each lane; the deliveries by id."""
    rows = await tx.fetch(
        """
        SELECT d.delivery_id, d.record, d.version, d.kind, d.parents, d.content::text AS content, d.state, d.calls,
               coalesce(d.reference, r.reference) AS reference
        FROM deliveries d LEFT JOIN LATERAL (
            SELECT reference FROM deliveries r WHERE r.destination = d.destination AND r.record = d.record
              AND r.reference IS NOT NULL ORDER BY r.version DESC LIMIT 1
        ) r ON true
        WHERE d.destination = $1 AND d.record = ANY($2::text[])
          AND d.state IN ('pending', 'in_flight', 'unclear', 'waiting_for_person')
        """,
        destination,
        records,
    )
    lanes: dict[str, list[Place]] = {record: [] for record in records}
    for row in rows:
        place = Place(row["delivery_id"], row["version"], State(row["state"]), tuple(row["parents"]))
        lanes[row["record"]].append(place)
    parents = await _parents(tx, destination, sorted({parent for row in rows for parent in row["parents"]}))
    return {record: turn(lane, parents) for record, lane in lanes.items()}, {row["delivery_id"]: row for row in rows}


async def _parents(tx: HotConnection, destination: str, records: Sequence[str]) -> dict[str, State]:
    if not records:
        return {}
    rows = await tx.fetch(
        """
        SELECT DISTINCT ON (record) record, version, state FROM deliveries
        WHERE destination = $1 AND record = ANY($2::text[]) AND state NOT IN ('superseded', 'cancelled')
        ORDER BY record, version DESC
        """,
        destination,
        records,
    )
    states = {row["record"]: standing({row["version"]: State(row["state"])}) for row in rows}
    return {record: state for record, state in states.items() if state is not None}


async def _rest(tx: HotConnection, destination: str, turns: dict[str, Turn]) -> None:
    """Lanes without a call rest until somebody wakes them: the parent, a newer version, a person."""
    if turns:
        await tx.execute(
            """
            UPDATE delivery_lanes l SET due_at = NULL, waits_for = t.parent, owner = NULL, expires_at = NULL
            FROM unnest($2::text[], $3::text[]) AS t(record, parent)
            WHERE l.destination = $1 AND l.record = t.record
            """,
            destination,
            list(turns),
            [turned.waits_for for turned in turns.values()],
        )


async def _intend(
    tx: HotConnection,
    destination: str,
    calls: Sequence[tuple[str, Turn]],
    rows: dict[int, Any],
    *,
    now: datetime,
    owner: str,
    policy: Policy,
) -> list[Claim]:
    """
    Store the intents and lease the lanes.

    Should we die, whoever takes the lane over looks up, and not before the call has surely ended over there.
    """
    fences = await tx.fetch(
        """
        WITH call AS (
            SELECT * FROM unnest($2::text[], $3::bigint[], $4::text[]) AS t(record, delivery_id, act)
        ), lane AS (
            UPDATE delivery_lanes l SET owner = $5, fence = nextval('delivery_fences'), waits_for = NULL,
                expires_at = $6::timestamptz + make_interval(secs => $7),
                due_at = $6::timestamptz + make_interval(secs => CASE call.act WHEN 'send' THEN $8 ELSE $7 END)
            FROM call WHERE l.destination = $1 AND l.record = call.record RETURNING l.record, l.fence
        ), delivery AS (
            UPDATE deliveries d SET calls = d.calls + 1,
                state = CASE call.act WHEN 'send' THEN 'in_flight' ELSE 'unclear' END,
                sent_at = CASE call.act WHEN 'send' THEN $6 ELSE d.sent_at END
            FROM call WHERE d.delivery_id = call.delivery_id RETURNING d.delivery_id, d.calls, call.act
        ), journal AS (
            INSERT INTO delivery_journal (delivery_id, call, what, act, by)
            SELECT delivery_id, calls, 'intends', act, $5 FROM delivery
        )
        SELECT record, fence FROM lane
        """,
        destination,
        [record for record, _ in calls],
        [turned.delivery_id for _, turned in calls],
        [turned.act and turned.act.value for _, turned in calls],
        owner,
        now,
        policy.lease_s,
        policy.settle_s,
    )
    fence_of = {row["record"]: row["fence"] for row in fences}
    made = []
    for record, turned in calls:
        row = rows[turned.delivery_id]
        delivery = Delivery(
            turned.delivery_id,
            destination,
            record,
            row["version"],
            row["kind"],
            json.loads(row["content"]),
            row["calls"] + 1,
            row["reference"],
        )
        assert turned.act is not None
        made.append(Claim(turned.act, delivery, fence_of[record]))
    return made
