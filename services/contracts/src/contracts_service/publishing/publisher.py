"""
Puts what is stored on the bus, in the order in which it was stored.

    1  the outbox's due rows are read under the publisher's lock, so that of several processes one publishes at a time
    2  their contracts go to `contracts`, and are confirmed
    3  what changed goes to `contract.changes`, and is confirmed
    4  the rows are marked, and the lock ends

A contract goes out in the lowest version that says all of it; once it went out as version 2, it stays there. One that
version 1 cannot say, while its readers take no other, waits as `waiting_for_readers`: what changed is published, the
contract is not, and none of its earlier revisions is taken back. Once `PUBLISH_VERSION_2` is set, what waits is due
again. A later revision that is published supersedes what waits before it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from aiokafka.errors import KafkaError
from sqlalchemy import RowMapping, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.bus import confirmed, partition_of_key
from chassis.errors import TryLater
from chassis.health import Progress
from chassis.pacing import backoff_s
from contracts_service.catalog.store import lock
from contracts_service.gaps import FAILPOINTS
from contracts_service.parts import STORE_AWAY, Parts
from contracts_service.publishing.records import Said, change_record, contract_record
from contracts_service.tables import OUTBOX, REVISIONS
from event_schemas.contract_v2 import ContractV2
from event_schemas.topics import CONTRACT_CHANGES, CONTRACTS

log = logging.getLogger(__name__)

MOST = 100  # rows at once: the transaction stays short


class Publisher:
    """The one way from the outbox to the bus."""

    def __init__(self, parts: Parts, progress: Progress) -> None:
        self._parts, self._progress = parts, progress

    async def run(self) -> None:
        """Publish until cancelled; what is away is waited for."""
        attempt = 0
        if self._parts.settings.publish_version_2:
            await self._release()
        while True:
            try:
                while await self.publish_due() == MOST:
                    pass
                attempt = 0
            except (KafkaError, TryLater, *STORE_AWAY) as error:
                attempt += 1
                log.warning("publishing waits", extra={"error": type(error).__name__})
                await asyncio.sleep(backoff_s(attempt, cap_s=5.0))
                continue
            with suppress(TimeoutError):  # not wait_for, which loses a cancellation that comes with the event
                async with asyncio.timeout(self._parts.settings.publish_every_s):
                    await self._parts.written.wait()

    async def _release(self) -> None:
        """What waited for readers of version 2 is due."""
        waiting = OUTBOX.c.state == "waiting_for_readers"
        async with self._parts.engine.begin() as connection:
            await connection.execute(update(OUTBOX).where(waiting).values(state="due", why=None))

    async def publish_due(self) -> int:
        """Publish what is due, at most MOST rows; answers how many that were."""
        parts = self._parts
        parts.written.clear()
        async with parts.engine.begin() as connection:
            await lock(connection, "publisher")
            rows = await _due(connection)
            contracts = [ContractV2.model_validate(row["document"]) for row in rows]
            if rows:
                await self._publish(connection, rows, contracts)
        self._progress.note(rows[-1]["seq"] if rows else None, behind=len(rows))
        return len(rows)

    async def _publish(
        self, connection: AsyncConnection, rows: Sequence[RowMapping], contracts: Sequence[ContractV2]
    ) -> None:
        said = _said(rows, contracts, version_2=self._parts.settings.publish_version_2)
        records = [one.record if one is not None else None for one in said]
        await self._send(CONTRACTS.name, contracts, records)
        FAILPOINTS.reach("publish.between-topics")
        changes = [change_record(one, row["command"]) for row, one in zip(rows, contracts, strict=True)]
        await self._send(CONTRACT_CHANGES.name, contracts, changes)
        FAILPOINTS.reach("publish.before-mark")
        await _mark(connection, rows, said, self._parts.clock.now())

    async def _send(self, topic: str, contracts: Sequence[ContractV2], records: Sequence[bytes | None]) -> None:
        """Put these records on a topic, keyed by customer, and return when the broker has confirmed them."""
        producer = self._parts.producer
        partitions = await producer.partitions_for(topic)
        sent = []
        for contract, record in zip(contracts, records, strict=True):
            if record is not None:
                key = contract.customer.encode()
                sent.append(producer.append(topic, partition_of_key(key, partitions), key, record))
        await confirmed(sent)

    async def waiting(self) -> int:
        """How many revisions are due and not on the bus yet."""
        query = select(func.count()).where(OUTBOX.c.state == "due")
        async with self._parts.engine.connect() as connection:
            return (await connection.execute(query)).scalar_one()


def _said(rows: Sequence[RowMapping], contracts: Sequence[ContractV2], *, version_2: bool) -> list[Said | None]:
    """Each contract as a record; None where a later revision is on the bus. Who is on version 2 stays on it."""
    said: list[Said | None] = []
    on_version_2 = {row["customer"] for row in rows if row["on_version_2"]}
    for row, contract in zip(rows, contracts, strict=True):
        if row["overtaken"]:
            said.append(None)
            continue
        one = contract_record(contract, version_2=version_2, stays=contract.customer in on_version_2)
        if one.record is not None and one.version == 2:
            on_version_2.add(contract.customer)
        said.append(one)
    return said


async def _due(connection: AsyncConnection) -> Sequence[RowMapping]:
    """
    The due rows in order; `overtaken` where a later revision of the customer is on the bus already, `on_version_2`
    where any went out as version 2.
    """
    later, other = OUTBOX.alias("later"), OUTBOX.alias("other")
    as_2 = select(other.c.seq).where(other.c.customer == OUTBOX.c.customer, other.c.as_version == 2)
    overtaken = select(later.c.seq).where(
        later.c.customer == OUTBOX.c.customer, later.c.revision > OUTBOX.c.revision, later.c.state == "published"
    )
    at = (REVISIONS.c.customer == OUTBOX.c.customer) & (REVISIONS.c.revision == OUTBOX.c.revision)
    query = (
        select(
            OUTBOX.c.seq,
            OUTBOX.c.customer,
            OUTBOX.c.revision,
            REVISIONS.c.document,
            REVISIONS.c.command,
            overtaken.exists().label("overtaken"),
            as_2.exists().label("on_version_2"),
        )
        .join(REVISIONS, at)
        .where(OUTBOX.c.state == "due")
        .order_by(OUTBOX.c.seq)
        .limit(MOST)
    )
    return (await connection.execute(query)).mappings().all()


async def _mark(
    connection: AsyncConnection, rows: Sequence[RowMapping], said: Sequence[Said | None], now: datetime
) -> None:
    """What became of each row, in as few statements as that takes."""
    published: list[dict[str, Any]] = []
    for row, one in zip(rows, said, strict=True):
        mine = update(OUTBOX).where(OUTBOX.c.seq == row["seq"])
        if one is None:
            await connection.execute(mine.values(state="superseded"))
        elif one.record is None:
            log.info(
                "contract waits for readers of version 2",
                extra={"customer": row["customer"], "revision": row["revision"], "why": one.why},
            )
            await connection.execute(mine.values(state="waiting_for_readers", why=one.why))
        else:
            published.append({"of": row["seq"], "who": row["customer"], "to": row["revision"], "said": one.version})
    if published:
        values = {"state": "published", "as_version": bindparam("said"), "published_at": now}
        await connection.execute(update(OUTBOX).where(OUTBOX.c.seq == bindparam("of")).values(values), published)
        before = (OUTBOX.c.customer == bindparam("who")) & (OUTBOX.c.revision < bindparam("to"))
        waits = OUTBOX.c.state == "waiting_for_readers"
        taken_over = update(OUTBOX).where(before & waits).values(state="superseded", why=None)
        await connection.execute(taken_over, published)
