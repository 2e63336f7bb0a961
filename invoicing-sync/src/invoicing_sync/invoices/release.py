"""
One period's invoice through the two stages of the gate.

    stage one, the draft    summaries equal the frozen ledger; all but its usage lines, and the subscription's items,
                            are the expected ones; then it gets what Stripe does not make, see `putting.py`
    1. finalise-intended    the intent is stored
    2. finalise-answered    Stripe has finalised, with auto_advance off: numbered, neither sent nor charged
    3. finalised-stored     our row says so
    stage two, the invoice  every line and the total are the expected ones, to the minor unit
    4. collect-intended     the intent to send or charge it is stored
    5. collect-answered     Stripe has mailed or charged it
    6. handed-over          reminders and retries of what is still open are Stripe's
    7. released             the invoice is issued

Dying after any: the invoice is read, and what it shows to be done is not done again. A difference holds it in either
stage; after the second nobody has seen it, and a person voids or credits it.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chassis.clock import Clock
from chassis.store import transaction
from invoicing_sync import metrics
from invoicing_sync.assumptions.domain.catalogue import in_order
from invoicing_sync.contracts.domain.terms import NO_ADDRESS
from invoicing_sync.contracts.store import contracts
from invoicing_sync.contracts.store.contracts import Account
from invoicing_sync.gaps import failpoints
from invoicing_sync.invoices.collecting import Collecting
from invoicing_sync.invoices.comparison import Comparison, Finalised, Found
from invoicing_sync.invoices.domain.carried import KIND as PRIOR_PERIOD
from invoicing_sync.invoices.domain.explicit import items_of
from invoicing_sync.invoices.domain.gate import PeriodState, is_a_finding
from invoicing_sync.invoices.domain.refusals import of_collecting, of_finalising_outside
from invoicing_sync.invoices.domain.stages import Verdict, verdict
from invoicing_sync.invoices.holder import Holder
from invoicing_sync.invoices.putting import Putting
from invoicing_sync.invoices.store import carried, invoices, periods
from invoicing_sync.invoices.store.periods import PeriodRow
from invoicing_sync.invoices.weighing import not_billed
from invoicing_sync.settings import Settings
from invoicing_sync.store import cases
from invoicing_sync.store.pool import Connection, Pool
from invoicing_sync.stripe_door.convert import to_wire_collection
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import Answered, Refused, Unsure
from invoicing_sync.stripe_door.wire import Invoice

log = logging.getLogger(__name__)


class Release:
    """Moves periods on from `complete`; each call goes as far as it can."""

    def __init__(
        self, pool: Pool, door: StripeDoor, holder: Holder, comparison: Comparison, clock: Clock, settings: Settings
    ) -> None:
        self._pool, self._door, self._holder, self._comparison = pool, door, holder, comparison
        self._clock, self._settings = clock, settings
        self._collecting = Collecting(pool, door)
        self._putting = Putting(pool, door, clock)
        self._look_again: dict[tuple[str, int], float] = {}  # held rows: not before, monotonic

    def is_time(self, row: PeriodRow) -> bool:
        """Whether to look at it now: what is held is looked at again after a while."""
        return self._look_again.get((row.customer, row.number), 0.0) <= time.monotonic()

    async def move_on(self, row: PeriodRow, account: Account) -> None:
        """As far as it goes. Raises TryLater where Stripe is busy or away."""
        invoice_id = row.invoice_id or await self._invoice_of(row, account)
        if invoice_id is None and await self._bills_nothing(account, row):
            await self._leave_unbilled(row)
            return
        if invoice_id is None:
            await self._hold(row, Found(("Stripe has made no invoice for this period",)), None)
            return
        invoice = await self._holder.look_at(invoice_id)
        if invoice is None:
            await self._hold(row, Found((f"invoice {invoice_id} is gone",)), invoice_id)
        elif invoice.status == "draft":
            await self._stage_one(row, account, invoice)
        else:
            await self._stage_two(row, account, invoice)

    async def _invoice_of(self, row: PeriodRow, account: Account) -> str | None:
        """The period's invoice: as a webhook or the sweep has brought it, else as Stripe lists it."""
        invoice_id = await self._known(row)
        if invoice_id is None:
            await self._holder.hold_all_of(account.customer, account.stripe_subscription)
            invoice_id = await self._known(row)
        return invoice_id

    async def _bills_nothing(self, account: Account, row: PeriodRow) -> bool:
        """Whether a contract of version 2 asks for no amount: where it ends, Stripe makes no invoice then."""
        if account.agreement.version_2 is None:
            return False
        whole = await self._comparison.expected(account, row, ())
        return not whole.unpriced and all(line.amount.minor == 0 for line in whole.lines if line.kind != PRIOR_PERIOD)

    async def _leave_unbilled(self, row: PeriodRow) -> None:
        """There is no invoice, and none is needed; what it would have carried goes on to the next."""
        now = self._clock.now()
        async with transaction(self._pool) as tx:
            await periods.nothing_to_bill(tx, row, now=now)
            await self._carry_on(tx, row)
            await cases.close_case(tx, "invoice_held", _case_key(row), now=now)

    async def _carry_on(self, tx: Connection, row: PeriodRow) -> None:
        """What the invoice of a period was to carry of earlier ones goes to the next, or to a person."""
        for one in await carried.move_on(tx, row):
            await not_billed(tx, row.customer, one.number, one.amount, now=self._clock.now())

    async def _known(self, row: PeriodRow) -> str | None:
        return await invoices.of_period(self._pool, row.customer, row.number, row.period.end)

    # --- stage one: the draft

    async def _stage_one(self, row: PeriodRow, account: Account, invoice: Invoice) -> None:
        if row.state is not PeriodState.FINALISING:
            found = await self._look_at_draft(row, account, invoice)
            if found.problems:
                await self._hold(row, found, invoice.invoice_id)
                return
            await periods.intend_to_finalise(self._pool, row, invoice.invoice_id)
            failpoints.reach("finalise-intended")
        await self._finalise(replace(row, state=PeriodState.FINALISING), account, invoice)

    async def _look_at_draft(self, row: PeriodRow, account: Account, invoice: Invoice) -> Found:
        paying = account.agreement.paying(self._clock.now())
        if paying.lacks_address(to_be_made=False):
            return Found((NO_ADDRESS,))
        usage = await self._comparison.usage(account, row)
        rest = await self._comparison.draft(account, row, invoice)
        method = paying.method
        if not usage.problems and not rest.problems and invoice.collection_method != method:
            try:
                change = to_wire_collection(method, paying.days)
                await self._door.invoices.change_draft(invoice.invoice_id, change)
            except Refused as refused:
                sentence = f"Stripe refuses to have the draft collected by {method}: {refused.answer.detail}"
                return Found((sentence,), ("A7",))
        numbers = in_order((*usage.assumptions, *rest.assumptions))
        found = Found((*usage.problems, *rest.problems), numbers, (*usage.causes, *rest.causes))
        if found.problems:
            return found
        items = items_of(rest.lines, row.period)
        return await self._putting.put(account.customer, invoice, items, case_key=_case_key(row))

    async def _finalise(self, row: PeriodRow, account: Account, invoice: Invoice) -> None:
        key = f"settled:finalise-alone:{invoice.invoice_id}:{row.attempt}"
        try:
            done = await self._door.invoices.finalise(invoice.invoice_id, key=key)
        except Unsure:
            await periods.next_attempt(self._pool, row)  # the next round reads the invoice before it tries again
            return
        except Refused as refused:
            await periods.next_attempt(self._pool, row)  # Stripe would replay the refusal of this key for 24 h
            await self._hold_refused(row, invoice, "finalise", refused.answer)
            return
        failpoints.reach("finalise-answered")
        await self._stage_two(row, account, done)

    # --- stage two: the finalised invoice

    async def _stage_two(self, row: PeriodRow, account: Account, invoice: Invoice) -> None:
        if row.finalised_at is None:
            row = await self._note_finalised(row, invoice)
        if row.state is PeriodState.COLLECTING and invoice.status != "void":
            await self._collect(row, invoice, again=True)
            return
        found = await self._comparison.finalised(account, row, invoice)
        match verdict(
            invoice.status,
            problems=found.problems,
            total_minor=invoice.total_minor,
            credited_minor=invoice.credited_minor,
            expected_minor=found.expected_minor,
            was_held=row.state is PeriodState.HELD,
        ):
            case Verdict.VOIDED:
                async with transaction(self._pool) as tx:
                    await periods.voided(tx, row)
                    await self._carry_on(tx, row)
                await self._settle(row, invoice)
            case Verdict.HOLD:
                await self._hold_finalised(row, invoice, found)
            case Verdict.COLLECT | Verdict.DONE:
                await self._comparison.expecting.keep_billed(account, row, invoice.invoice_id)
                await periods.intend_to_collect(self._pool, row)
                failpoints.reach("collect-intended")
                await self._collect(row, invoice, again=row.state is PeriodState.HELD)

    async def _note_finalised(self, row: PeriodRow, invoice: Invoice) -> PeriodRow:
        """Stripe has finalised it, by us or by somebody else, and perhaps collected it before anybody compared it."""
        now = self._clock.now()
        if row.state is not PeriodState.FINALISING:
            keeps = (await contracts.collection_of(self._pool, row.customer)).kept_as_draft
            numbers = of_finalising_outside(invoice.billing_reason, keeps_drafts=keeps)
            await cases.open_case(
                self._pool,
                "finalised_outside_the_gate",
                invoice.invoice_id,
                now=now,
                customer=row.customer,
                assumptions=list(numbers),
            )
        elif invoice.status == "paid" and invoice.due_minor > 0:
            await cases.open_case(
                self._pool,
                "collected_before_compared",
                invoice.invoice_id,
                now=now,
                customer=row.customer,
                assumptions=["A5"],
            )
        await invoices.keep(self._pool, invoice, row.customer, now=now)
        await periods.finalised(self._pool, row, invoice.invoice_id, now=now)
        failpoints.reach("finalised-stored")
        return replace(row, state=PeriodState.CHECKING, invoice_id=invoice.invoice_id, finalised_at=now)

    async def _hold_finalised(self, row: PeriodRow, invoice: Invoice, found: Finalised) -> None:
        """Nobody is to see it: what Stripe would collect by itself is stopped, and a person has a case at once."""
        if invoice.auto_advance and invoice.status == "open":
            await self._door.invoices.hold(invoice.invoice_id)
        await periods.hold(self._pool, row, "; ".join(found.problems))
        await cases.open_case(
            self._pool,
            "finalised_differs",
            invoice.invoice_id,
            now=self._clock.now(),
            customer=row.customer,
            problems=list(found.problems),
            probably=list(found.causes),
            assumptions=list(found.assumptions),
            status=invoice.status,
        )
        self._wait(row, self._settings.recheck_s)

    async def _collect(self, row: PeriodRow, invoice: Invoice, *, again: bool) -> None:
        collected = await self._collecting.collect(row, invoice, again=again)
        if collected is None:  # unsure: the next round reads the invoice first
            return
        if collected.refused is not None:
            what = "send" if invoice.collection_method == "send_invoice" else "charge"
            await self._hold_refused(row, invoice, what, collected.refused)
            return
        now = self._clock.now()
        await invoices.keep(self._pool, collected.invoice, row.customer, now=now)
        async with transaction(self._pool) as tx:
            await periods.release(tx, row, invoice.invoice_id, now=now, payment=collected.payment_failed)
            await carried.are_billed(tx, row, invoice.invoice_id, now=now)
        failpoints.reach("released")
        await self._settle(row, invoice)
        metrics.finalised.inc()

    async def _settle(self, row: PeriodRow, invoice: Invoice) -> None:
        """Nothing is left to look at, so what a person was told of it is settled."""
        now = self._clock.now()
        await cases.close_case(self._pool, "invoice_held", _case_key(row), now=now)
        await cases.close_case(self._pool, "finalised_differs", invoice.invoice_id, now=now)
        self._look_again.pop((row.customer, row.number), None)

    # --- holding

    async def _hold_refused(self, row: PeriodRow, invoice: Invoice, what: str, answer: Answered) -> None:
        """Stripe refuses a call, and not for the customer's way to pay."""
        keeps = (await contracts.collection_of(self._pool, row.customer)).kept_as_draft
        numbers = of_collecting(answer.code, answer.detail, keeps_drafts=keeps)
        found = Found((f"Stripe refuses to {what} it: {answer.detail}",), numbers)
        await self._hold(row, found, invoice.invoice_id, patience_s=0.0)

    async def _hold(
        self, row: PeriodRow, found: Found, invoice_id: str | None, *, patience_s: float | None = None
    ) -> None:
        """Hold the invoice and look again; what lasts for `patience_s` (None: SETTLE_S) is a case with both numbers."""
        since = await periods.hold(self._pool, row, "; ".join(found.problems))
        settle = timedelta(seconds=self._settings.settle_s if patience_s is None else patience_s)
        finding = is_a_finding(since, datetime.now(UTC), settle)
        if finding:
            await cases.open_case(
                self._pool,
                "invoice_held",
                _case_key(row),
                now=self._clock.now(),
                customer=row.customer,
                invoice=invoice_id,
                problems=list(found.problems),
                probably=list(found.causes),
                assumptions=list(found.assumptions),
            )
        self._wait(row, self._settings.recheck_s if finding else min(self._settings.recheck_s, self._settings.gate_s))

    def _wait(self, row: PeriodRow, seconds: float) -> None:
        self._look_again[(row.customer, row.number)] = time.monotonic() + seconds


def _case_key(row: PeriodRow) -> str:
    return f"{row.customer}/{row.number}"
