"""Handing over what is wanted: rows that are there once, however often the same is handed over."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from chassis.deliveries.domain.lanes import superseded
from chassis.deliveries.domain.planning import Desired, Known
from chassis.deliveries.domain.states import State
from chassis.deliveries.store.budgets import ensure_destination
from chassis.store import HotConnection


@dataclass(frozen=True, slots=True)
class Enqueued:
    """What became of it. `conflicting`: the record's version is there with other content; the stored one stays."""

    new: int
    repeated: int
    conflicting: tuple[str, ...]


async def enqueue(
    tx: HotConnection, destination: str, wanted: Sequence[Desired], *, look_up_first: bool = False
) -> Enqueued:
    """
    Hand over desired states in the caller's transaction; repeating it changes nothing.

    What is older than a state of the same record that is there already is kept as superseded, and what waits and is
    older than one of these likewise. The records' lanes stay locked until the commit, so do it last; then wake the
    runner, which would find them by itself a little later.

    Args:
        look_up_first: the far side may hold them already, such as after our database was restored.
    """
    if not wanted:
        return Enqueued(0, 0, ())
    records = sorted({one.record for one in wanted})
    await ensure_destination(tx, destination)
    await _touch_lanes(tx, destination, records)
    rows = await tx.fetch(
        """
        INSERT INTO deliveries (destination, record, version, kind, parents, content, caused_at, state)
        SELECT $1, t.record, t.version, t.kind, ARRAY(SELECT jsonb_array_elements_text(t.parents::jsonb)),
               t.content::jsonb, t.caused_at, $8
        FROM unnest($2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
             WITH ORDINALITY AS t(record, version, kind, parents, content, caused_at, n) ORDER BY n
        ON CONFLICT (destination, record, version) DO NOTHING RETURNING record, version
        """,
        destination,
        [one.record for one in wanted],
        [one.version for one in wanted],
        [one.kind for one in wanted],
        [json.dumps(one.parents) for one in wanted],
        [json.dumps(dict(one.content)) for one in wanted],
        [one.caused_at for one in wanted],
        (State.UNCLEAR if look_up_first else State.PENDING).value,
    )
    await _supersede(tx, destination, records)
    new = {(row["record"], row["version"]) for row in rows}
    again = [one for one in wanted if (one.record, one.version) not in new]
    conflicting = await _conflicting(tx, destination, again) if again else ()
    return Enqueued(len(new), len(again), conflicting)


async def known(tx: HotConnection, destination: str, records: Sequence[str] | None = None) -> dict[str, Known]:
    """The newest state of each record that was handed over, a cancelled one too; of all where none are named."""
    rows = await tx.fetch(
        """
        SELECT DISTINCT ON (record) record, version, content::text AS content, state FROM deliveries
        WHERE destination = $1 AND ($2::text[] IS NULL OR record = ANY($2))
        ORDER BY record, version DESC
        """,
        destination,
        None if records is None else list(records),
    )
    return {row["record"]: Known(row["version"], json.loads(row["content"]), State(row["state"])) for row in rows}


async def _touch_lanes(tx: HotConnection, destination: str, records: Sequence[str]) -> None:
    """
    Lock the lanes, in order, and make those due that rest without a time.

    A lane that waits until an instant keeps it: a look-up before its call has surely ended would miss what it did.
    """
    await tx.execute(
        """
        INSERT INTO delivery_lanes (destination, record, due_at)
        SELECT $1, record, clock_timestamp() FROM unnest($2::text[]) AS t(record) ORDER BY record COLLATE "C"
        ON CONFLICT (destination, record) DO UPDATE
        SET due_at = coalesce(delivery_lanes.due_at, excluded.due_at), waits_for = NULL
        """,
        destination,
        records,
    )


async def _supersede(tx: HotConnection, destination: str, records: Sequence[str]) -> None:
    rows = await tx.fetch(
        """
        SELECT d.delivery_id, d.record, d.version, d.state FROM unnest($2::text[]) AS t(record)
        CROSS JOIN LATERAL (
            SELECT max(version) AS newest FROM deliveries WHERE destination = $1 AND record = t.record
        ) n
        JOIN deliveries d ON d.destination = $1 AND d.record = t.record
                         AND (d.version = n.newest OR d.state IN ('pending', 'refused'))
        """,
        destination,
        records,
    )
    versions: dict[str, dict[int, State]] = {}
    for row in rows:
        versions.setdefault(row["record"], {})[row["version"]] = State(row["state"])
    gone = {record: superseded(of_record) for record, of_record in versions.items()}
    ids = [row["delivery_id"] for row in rows if row["version"] in gone[row["record"]]]
    if ids:
        await tx.execute(
            """
            WITH gone AS (
                UPDATE deliveries SET state = 'superseded', settled_at = clock_timestamp()
                WHERE delivery_id = ANY($1::bigint[]) RETURNING delivery_id, calls
            )
            INSERT INTO delivery_journal (delivery_id, call, what, by)
            SELECT delivery_id, calls, 'superseded', 'a newer version' FROM gone
            """,
            ids,
        )


async def _conflicting(tx: HotConnection, destination: str, again: Sequence[Desired]) -> tuple[str, ...]:
    rows = await tx.fetch(
        """
        SELECT d.record FROM unnest($2::text[], $3::bigint[], $4::text[]) AS t(record, version, content)
        JOIN deliveries d ON d.destination = $1 AND d.record = t.record AND d.version = t.version
        WHERE d.content <> t.content::jsonb ORDER BY 1
        """,
        destination,
        [one.record for one in again],
        [one.version for one in again],
        [json.dumps(dict(one.content)) for one in again],
    )
    return tuple(row["record"] for row in rows)
