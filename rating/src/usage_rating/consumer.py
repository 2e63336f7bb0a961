"""
Reads `events.accepted` and keeps the ledger: the order of effects, and what repeats when the process dies in between.

    claim      epoch raised in the partition's row ─ after-epoch ─ seek to its next_offset
    batch      unreadable records to events.quarantined ─ after-quarantine-publish ─ load, decide ─ before-commit ─
               one transaction: states, ledger, counters, next_offset, read_up_to ─ after-commit
    tick       ─ tick-before-commit ─ one transaction: read_up_to of idle partitions ─ tick-after-commit
    contracts  kept in the database ─ contract-kept ─ in force (`contract_keeper.py`, beside the others);
               ─ contracts-before-commit ─ one transaction: walks to be made, contracts_applied ─ contracts-after-commit
    walks      load the next rows that a contract can change, decide ─ redecide-before-commit ─ one transaction, as for
               a batch, and how far the walks have got ─ redecide-after-commit
    timers     load what is due, decide ─ timers-before-commit ─ one transaction, as for a batch ─ timers-after-commit
    publish    ─ before-publish ─ usage.rated confirmed ─ after-publish ─ published_seq stored ─ after-published-seq ─
               rating.progress confirmed ─ after-progress          (`publisher.py`, beside the others)
    alerts     count the ledger behind the cursors, judge ─ alerts-before-commit ─ one transaction: counts, crossings,
               cursors ─ alerts-after-commit ─ usage.alerts confirmed ─ alerts-after-publish ─ marked as published
               (`alerting.py`, beside the others)

What repeats after dying in each gap, and why that is harmless, is said once, in `failpoints.GAPS` and the README.
A transaction is one statement: it locks its partitions' rows, checks that epoch, offset and sequence number are those
of this owner, and writes all or nothing. So a former owner writes nothing, and a stopped one holds no lock.
"""

from __future__ import annotations

import asyncio
import logging
import time

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from chassis.broker_access import connect
from chassis.bus import BatchProducer
from chassis.clock import Clock
from chassis.errors import StaleEpoch, TryLater
from chassis.health import Health
from chassis.pacing import backoff_s
from chassis.store import AWAY, raise_if_ours
from event_schemas.times import to_micros
from event_schemas.topics import EVENTS_ACCEPTED
from usage_rating import metrics
from usage_rating.arrivals import Arrivals
from usage_rating.batches import BatchReader
from usage_rating.claims import ForeignTopic, check_log, claim_partitions, identify_topic, of_accepted
from usage_rating.contract_book import ContractBook
from usage_rating.contract_keeper import ContractKeeper
from usage_rating.dead_letters import TooManyUnreadable, publish_unreadable
from usage_rating.failpoints import failpoints
from usage_rating.handlers import Handled, LogGap, handle_arrivals, handle_contracts, handle_tick, handle_timers
from usage_rating.log_ends import LogEnds
from usage_rating.publisher import Publisher
from usage_rating.redeciding import handle_redecisions
from usage_rating.settings import Settings
from usage_rating.store.hot import HotStore
from usage_rating.store.partitions import PartitionRow
from usage_rating.walks import Turns

log = logging.getLogger(__name__)

MINUTE = 60_000_000  # an idle partition is known up to a minute ago: what ingest has stamped may still be on its way
SECOND = 1_000_000
TOURS_AT_ONCE = 32  # customers whose turn it is in one transaction, so that many small ones do not queue one by one
STOPS = {StaleEpoch: "stale_epoch", LogGap: "log_gap", TooManyUnreadable: "dead_letters"}


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Tells the worker what the group has decided; acts on nothing by itself, since its errors would be swallowed."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await self._worker.give_up()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._worker.assign({each.partition for each in assigned})


class Worker:
    """Owns partitions of `events.accepted`, one transaction at a time over all of them."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: HotStore,
        book: ContractBook,
        keeper: ContractKeeper,
        ends: LogEnds,
        publisher: Publisher,
        producer: BatchProducer,
        clock: Clock,
        health: Health,
    ) -> None:
        self._settings = settings
        self._store = store
        self._book = book
        self._keeper = keeper
        self._ends = ends
        self._publisher = publisher
        self._producer = producer
        self._clock = clock
        self._reading = health.watch("reading events.accepted")
        self._publishing = health.watch("publishing to usage.rated")
        self._turn = asyncio.Lock()  # held for each transaction: a rebalance waits for it
        self._rows: dict[int, PartitionRow] = {}  # owned partitions as of their last commit
        self._next_due: dict[int, int | None] = {}
        self._turns = Turns()
        self._assigned: set[int] = set()
        self._claimed_at: dict[int, int] = {}  # epochs to come back with when the database was away
        self._to_claim = False
        self._ticked_at = 0.0

    # ── the group's decisions ──────────────────────────────────────────────────────────────────────────────────

    def assign(self, partitions: set[int]) -> None:
        """The group has given this process these partitions: claim them before the next batch."""
        self._reader.generation += 1
        self._assigned = partitions
        self._to_claim = True

    async def give_up(self) -> None:
        """The group takes all partitions back: finish the transaction under way, then own nothing."""
        async with self._turn:
            self._reader.generation += 1
            self._assigned = set()
            self._claimed_at = {}
            self._disown()
        await self._publisher.release()

    def _disown(self) -> None:
        self._rows = {}
        self._next_due = {}
        self._turns.clear()
        metrics.OWNED.set(0)

    # ── the loop ───────────────────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Work until cancelled. Raises what must stop the process: see STOPS and ForeignTopic."""
        self._topic = await identify_topic(self._settings)
        self._ledger_id = await self._store.ledger_id()
        self._consumer = AIOKafkaConsumer(
            **self._settings.broker.aiokafka(),
            group_id=self._settings.consumer_group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            session_timeout_ms=self._settings.session_timeout_ms,
            heartbeat_interval_ms=self._settings.session_timeout_ms // 3,
            max_partition_fetch_bytes=self._settings.fetch_max_bytes,
            fetch_max_wait_ms=50,
            check_crcs=False,  # TCP and the broker have checked; it costs 4 % of this process
        )
        self._reader = BatchReader(self._consumer, self._settings)
        await connect(self._consumer, self._settings.broker)
        committing = asyncio.create_task(self._commit_for_monitoring(), name="kafka-commit")
        try:
            self._consumer.subscribe([EVENTS_ACCEPTED.name], listener=_Listener(self))
            await self._loop()
        except (StaleEpoch, LogGap, TooManyUnreadable, ForeignTopic) as error:
            metrics.STOPPED.labels(STOPS.get(type(error), "foreign_topic")).inc()
            log.critical("rating stops", extra={"why": type(error).__name__, "detail": str(error)})
            raise
        finally:
            committing.cancel()
            await self._reader.drop_ahead()
            await self._consumer.stop()

    async def _loop(self) -> None:
        failures = 0
        while True:
            try:
                await self._step()
                failures = 0
            except AWAY as error:
                raise_if_ours(error)
                failures += 1
                log.warning("the database is away", extra={"error": type(error).__name__, "failures": failures})
                await self._come_back()
                await asyncio.sleep(backoff_s(failures, base_s=0.1, cap_s=3.0))
            except (TryLater, KafkaError) as error:
                failures += 1
                log.warning("the broker is away", extra={"error": type(error).__name__, "failures": failures})
                await self._come_back()
                await asyncio.sleep(backoff_s(failures, base_s=0.1, cap_s=3.0))

    async def _come_back(self) -> None:
        """Whether the last transaction was committed is unknown: start again from the rows, at the next epoch."""
        async with self._turn:
            self._reader.generation += 1
            self._to_claim = bool(self._assigned)
            self._disown()
        await self._publisher.release()

    async def _step(self) -> None:
        if self._to_claim:
            await self._claim()
        arrivals, generation = await self._reader.next()
        await self._publisher.room()
        if arrivals.reach:
            self._reader.read_ahead()
            async with self._turn:
                if generation == self._reader.generation and self._rows:
                    await self._take(arrivals)
        await self._tick()
        await self._apply_contracts()
        await self._run_timers()
        await self._decide_again()
        self._note_progress()

    async def _claim(self) -> None:
        await self._reader.drop_ahead()
        async with self._turn:
            generation = self._reader.generation
            rows = await claim_partitions(
                sorted(self._assigned),
                topic_id=self._topic.topic_id,
                claimed_at=self._claimed_at,
                store=self._store,
                wait_s=self._settings.rebalance_wait_s,
            )
            await check_log(self._consumer, rows)
            await self._read_contracts_of(rows)
            self._turns.replace(await self._store.redecisions(list(rows)), rows)
            for row in rows.values():
                await self._publisher.own(row)
            if generation != self._reader.generation:
                return  # the group has decided anew meanwhile
            for number, row in rows.items():
                self._consumer.seek(of_accepted(number), row.next_offset)
            self._rows = rows
            self._next_due = dict.fromkeys(rows, 0)  # unknown: ask the table once
            self._to_claim = False
            metrics.OWNED.set(len(rows))
            log.info("partitions claimed", extra={"partitions": {n: row.next_offset for n, row in rows.items()}})

    async def _read_contracts_of(self, rows: dict[int, PartitionRow]) -> None:
        """
        Wait until this process knows the contracts that the former owners have decided by.

        Otherwise it would decide by older ones, and nobody would decide again, since these rows say that it was done.
        """
        while max((row.contracts_applied for row in rows.values()), default=0) > self._book.position:
            if (await self._ends.ask()).contracts <= self._book.position:
                break  # the topic was made anew: all of it is applied again
            await asyncio.sleep(0.01)
        await self._keeper.load()  # the topic may have forgotten by which contracts others have decided

    async def _take(self, arrivals: Arrivals) -> None:
        if arrivals.unreadable:
            await publish_unreadable(self._producer, arrivals, now=self._now())
            failpoints.reach("after-quarantine-publish")
        with metrics.TRANSACTION_S.labels("batch").time():
            handled = await handle_arrivals(
                arrivals,
                rows=self._rows,
                store=self._store,
                ledger_id=self._ledger_id,
                timelines=self._book.timeline,
                now=self._now(),
            )
        metrics.BATCH_EVENTS.observe(arrivals.events)
        for row in handled.rows.values():
            for result in ("applied", "duplicate", "conflicting", "quarantined"):
                metrics.EVENTS.labels(result).inc(row.moved[result])
        self._committed(handled, "arrivals")

    async def _tick(self) -> None:
        """Let business time pass in partitions that were read to their end; see MINUTE."""
        now = self._now()
        behind = {n: now - MINUTE - row.read_up_to for n, row in self._rows.items() if row.read_up_to < now - MINUTE}
        if not behind:
            return
        far = max(behind.values()) >= self._settings.tick_step_s * SECOND
        pause_s = self._settings.tick_check_ms / 1000 if far else self._settings.tick_s
        if time.monotonic() - self._ticked_at < pause_s:
            return
        self._ticked_at = time.monotonic()
        async with self._turn:
            # asked after `now` was read: what the log holds beyond its end now was received after it
            ends = (await self._ends.ask()).accepted
            idle = {n: now - MINUTE for n in behind if n in self._rows and ends[n] <= self._rows[n].next_offset}
            if idle:
                with metrics.TRANSACTION_S.labels("tick").time():
                    handled = await handle_tick(idle, rows=self._rows, store=self._store, now=now)
                self._committed(handled, "tick")

    async def _apply_contracts(self) -> None:
        """Write down what new contracts can change, also of those that came while nobody ran."""
        if not any(row.contracts_applied != self._book.position for row in self._rows.values()):
            return
        async with self._turn:
            position = self._book.position
            rows = {n: row for n, row in self._rows.items() if row.contracts_applied != position}
            if not rows:
                return
            anew = max(row.contracts_applied for row in rows.values()) > position  # the topic begins at 0 again
            since = {at: self._book.touched_since(at, anew=anew) for at in {r.contracts_applied for r in rows.values()}}
            touched = {number: since[row.contracts_applied] for number, row in rows.items()}
            with metrics.TRANSACTION_S.labels("contracts").time():
                handled = await handle_contracts(touched, applied=position, rows=rows, store=self._store)
            self._committed(handled, "contracts")
            self._turns.replace(await self._store.redecisions(list(rows)), rows)
            log.info("contracts applied", extra={"position": position, "walks": len(self._turns)})

    async def _decide_again(self) -> None:
        """One transaction of what contracts can change: batches and timers go on between two of them."""
        async with self._turn:
            tours = self._turns.next(TOURS_AT_ONCE)
            if not tours:
                return
            with metrics.TRANSACTION_S.labels("redecide").time():
                handled, walked, ended = await handle_redecisions(
                    tours,
                    rows=self._rows,
                    store=self._store,
                    ledger_id=self._ledger_id,
                    timelines=self._book.timeline,
                    now=self._now(),
                    limit=self._settings.redecide_per_transaction,
                )
            self._turns.done(walked, ended)
            self._committed(handled, "contracts")

    async def _run_timers(self) -> None:
        """Decide what is due until nothing is, then mark how far all is decided."""
        while True:
            async with self._turn:
                due = self._due()
                if not due:
                    for row in self._rows.values():
                        self._publisher.mark(row)
                    return
                with metrics.TRANSACTION_S.labels("timers").time():
                    handled, _ = await handle_timers(
                        rows={number: self._rows[number] for number in due},
                        store=self._store,
                        ledger_id=self._ledger_id,
                        timelines=self._book.timeline,
                        now=self._now(),
                        limit=self._settings.timers_per_transaction,
                    )
                self._next_due |= dict.fromkeys(due, None)
                self._committed(handled, "timers")
            await self._publisher.room()

    def _due(self) -> list[int]:
        return [
            number
            for number, row in self._rows.items()
            if (at := self._next_due[number]) is not None and at <= row.read_up_to
        ]

    # ── small things ───────────────────────────────────────────────────────────────────────────────────────────

    def _committed(self, handled: Handled, cause: str) -> None:
        self._rows |= handled.rows
        if handled.decided:
            metrics.CONVERSATIONS.labels(cause).inc(handled.decided)
        for partition, entries in handled.entries.items():
            if entries:
                self._publisher.append(partition, entries)
                for entry in entries:
                    metrics.ENTRIES.labels(entry.op).inc()
        for partition, due in handled.next_due.items():
            known = self._next_due.get(partition)
            if due is not None and (known is None or due < known):
                self._next_due[partition] = due

    def _now(self) -> int:
        return to_micros(self._clock.now())

    def _note_progress(self) -> None:
        unread = 0
        for number, row in self._rows.items():
            high = self._consumer.highwater(of_accepted(number))
            unread += max(0, (high or 0) - row.next_offset)
        metrics.LAG.set(unread)
        self._publishing.note(self._publisher.confirmed, behind=self._publisher.waiting)
        self._reading.note(tuple(row.next_offset for row in self._rows.values()), behind=unread)

    async def _commit_for_monitoring(self) -> None:
        """Tell Kafka how far the rows are, for its own tools; nothing is ever read from there."""
        while True:
            await asyncio.sleep(5)
            offsets = {of_accepted(n): row.next_offset for n, row in self._rows.items()}
            if offsets:
                try:
                    await self._consumer.commit(offsets)
                except KafkaError as error:
                    log.debug("offsets for monitoring were not committed", extra={"error": type(error).__name__})
