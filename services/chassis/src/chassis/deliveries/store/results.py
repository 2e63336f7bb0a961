"""Storing how calls ended, where the lane is still ours."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from chassis.deliveries.domain.answers import Answer
from chassis.deliveries.domain.policy import Policy
from chassis.deliveries.domain.states import OPEN, Next, State, after
from chassis.deliveries.store.claiming import Claim
from chassis.store import HotConnection


@dataclass(frozen=True, slots=True)
class Ended:
    """A call and its answer."""

    claim: Claim
    answer: Answer


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of it."""

    ended: Ended
    next: Next


async def store(
    tx: HotConnection,
    destination: str,
    ended: Sequence[Ended],
    *,
    now: datetime,
    owner: str,
    policy: Policy,
    rng: random.Random,
) -> list[Stored]:
    """
    Store the answers and give the lanes back; those missing in what is returned were not ours any more.

    The lane's fence decides: it grows with every lease, so a replica that stood still for too long changes nothing.
    """
    rows = await _ours(tx, destination, ended) if ended else {}
    stored = []
    for one in ended:
        row = rows.get((one.claim.delivery.record, one.claim.fence))
        if row is None:
            continue
        following = after(
            one.claim.act,
            one.answer,
            failures=row["failures"],
            newest=row["version"] == row["newest"],
            sent_ago_s=(now - (row["sent_at"] or now)).total_seconds(),
            policy=policy,
            rng=rng,
        )
        stored.append(Stored(one, following))
    if stored:
        await _save(tx, destination, stored, now=now, owner=owner)
        done = [one.ended.claim.delivery.record for one in stored if one.next.state is State.DONE]
        if done:
            await wake_children(tx, destination, done)
    return stored


async def wake_children(tx: HotConnection, destination: str, parents: Sequence[str]) -> None:
    """
    Make the lanes due that wait for these records.

    One that is locked is skipped: whoever else locks a lane that waits makes it due. The destination's row must be
    locked, so that no lane begins to wait at the same time.
    """
    await tx.execute(
        """
        UPDATE delivery_lanes SET due_at = clock_timestamp(), waits_for = NULL
        WHERE destination = $1 AND record IN (
            SELECT record FROM delivery_lanes WHERE destination = $1 AND waits_for = ANY($2::text[])
            FOR UPDATE SKIP LOCKED
        )
        """,
        destination,
        parents,
    )


async def _ours(tx: HotConnection, destination: str, ended: Sequence[Ended]) -> dict[tuple[str, int], asyncpg.Record]:
    """The deliveries whose lanes are still ours, by record and fence; the lanes are locked, in order."""
    await tx.execute(
        """
        SELECT FROM delivery_lanes WHERE destination = $1 AND record = ANY($2::text[]) ORDER BY record FOR UPDATE
        """,
        destination,
        [one.claim.delivery.record for one in ended],
    )
    rows = await tx.fetch(
        """
        SELECT l.record, l.fence, d.version, d.failures, d.sent_at,
               (SELECT max(n.version) FROM deliveries n WHERE n.destination = $1 AND n.record = l.record) AS newest
        FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS t(record, fence, delivery_id)
        JOIN delivery_lanes l ON l.destination = $1 AND l.record = t.record AND l.fence = t.fence
                             AND l.owner IS NOT NULL
        JOIN deliveries d ON d.delivery_id = t.delivery_id
        """,
        destination,
        [one.claim.delivery.record for one in ended],
        [one.claim.fence for one in ended],
        [one.claim.delivery.delivery_id for one in ended],
    )
    return {(row["record"], row["fence"]): row for row in rows}


async def _save(tx: HotConnection, destination: str, stored: Sequence[Stored], *, now: datetime, owner: str) -> None:
    await tx.execute(
        """
        WITH result AS (
            SELECT * FROM unnest($1::bigint[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[],
                                 $8::text[]) AS t(delivery_id, state, failures, act, answer, code, sentence, reference)
        ), delivery AS (
            UPDATE deliveries d SET state = r.state, failures = r.failures, code = r.code, sentence = r.sentence,
                reference = coalesce(r.reference, d.reference),
                settled_at = CASE WHEN r.state IN ('pending', 'unclear') THEN NULL ELSE $9::timestamptz END
            FROM result r WHERE d.delivery_id = r.delivery_id RETURNING d.delivery_id, d.calls
        )
        INSERT INTO delivery_journal (delivery_id, call, what, act, answer, code, sentence, by)
        SELECT delivery_id, calls, 'answered', r.act, r.answer, r.code, r.sentence, $10
        FROM delivery JOIN result r USING (delivery_id)
        """,
        [one.ended.claim.delivery.delivery_id for one in stored],
        [one.next.state.value for one in stored],
        [one.next.failures for one in stored],
        [one.ended.claim.act.value for one in stored],
        [one.ended.answer.kind.value for one in stored],
        [one.ended.answer.code[:100] for one in stored],
        [one.ended.answer.sentence[:2000] for one in stored],
        [one.ended.answer.reference for one in stored],
        now,
        owner,
    )
    await tx.execute(
        """
        UPDATE delivery_lanes l SET owner = NULL, expires_at = NULL, due_at = CASE
            WHEN t.wait_s IS NOT NULL THEN $4::timestamptz + make_interval(secs => t.wait_s)
            WHEN EXISTS (SELECT FROM deliveries d WHERE d.destination = $1 AND d.record = t.record
                         AND d.state IN ('pending', 'in_flight', 'unclear')) THEN $4 END
        FROM unnest($2::text[], $3::float[]) AS t(record, wait_s)
        WHERE l.destination = $1 AND l.record = t.record
        """,
        destination,
        [one.ended.claim.delivery.record for one in stored],
        [one.next.wait_s if one.next.state in OPEN else None for one in stored],
        now,
    )
