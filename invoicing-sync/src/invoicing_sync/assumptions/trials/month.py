"""
Two months of three customers on one test clock: drafts, finalising, collecting, and usage that comes late.

All of it lies within the last 35 days where usage is concerned, so that it is taken whichever time Stripe judges it by.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from invoicing_sync.assumptions.bench import CURRENCY, Bench, Slow
from invoicing_sync.assumptions.domain.findings import amount_of, quantity_of, rounding, tiers
from invoicing_sync.assumptions.trials.trial import Report, Trial
from invoicing_sync.contracts.domain.terms import MeteredTerm, Tier
from invoicing_sync.stripe_door.errors import Refused
from invoicing_sync.stripe_door.wire import Subscription

NUMBERS = ("A1", "A2", "A3", "A4", "A5", "A9", "A10", "A11", "A13", "A16", "A17", "A20")
# 201, 205 and 209 units at half a minor unit are all halves whose even neighbour lies below. Every invoice that is to
# be collected is above half a dollar: Stripe carries smaller ones over to the customer's balance.
EACH_TIME = ("201", "4", "4")
TIERED = "700"
AFTERWARDS = "8"


@dataclass(frozen=True, slots=True)
class Party:
    """A customer of the month with its subscription, its price and the month's invoice."""

    customer: str
    subscription: str
    price: str
    invoice: str = ""


async def month(bench: Bench, report: Report) -> None:
    """The whole story; a part that Stripe refuses ends it, and what it would have shown is unknown."""
    story = _Story(bench, report)
    await story.begin()
    await story.drafts()
    await story.finalise()
    await story.collect()
    await story.late_usage()


class _Story:
    """One run of the month."""

    def __init__(self, bench: Bench, report: Report) -> None:
        self.bench, self.report = bench, report
        name = f"settled_check_{bench.run}"
        half, three = Decimal("0.005"), Decimal("0.003")
        self.per_unit = MeteredTerm(name, "per_unit", (Tier(None, half),))
        self.tiered = MeteredTerm(name, "graduated", (Tier(300, half), Tier(None, three)))
        self.dear = MeteredTerm(name, "per_unit", (Tier(None, Decimal(1)),))
        self.start = bench.a_month_ago
        self.clock = ""
        self.end = self.start
        self.used = Decimal(0)

    async def begin(self) -> None:
        """Three customers whose drafts are kept, and usage in the month's first minutes."""
        bench = self.bench
        bench.say("three customers, a month's usage")
        self.clock = await bench.clock(self.start)
        payer = await bench.paying_customer(self.clock)
        self.charged = await self._party(payer, self.per_unit, sent=False)
        self.sent = await self._party(await bench.customer(self.clock), self.tiered)
        self.below = await self._party(await bench.customer(self.clock), self.dear)
        await self._use_more(EACH_TIME[0], minute=1)
        for party, values, total in ((self.sent, (TIERED,), TIERED), (self.below, ("1", "-3"), "-2")):
            for value in values:
                await self._use(party, value, minute=1)
            await bench.must_count(party.customer, self.start, total)

    async def _party(self, customer: str, term: MeteredTerm, *, sent: bool = True) -> Party:
        price = await self.bench.price(term)
        made: Subscription = await self.bench.subscription(customer, [{"price": price}], sent=sent)
        self.end = made.current_period_end
        await self._keep_drafts(made.subscription_id, {"behavior": "keep_as_draft"})
        return Party(customer, made.subscription_id, price)

    async def _keep_drafts(self, subscription: str, pause: Any) -> None:
        update = self.bench.v1.subscriptions.update_async
        await self.bench.ask("keep_drafts", lambda: update(subscription, {"pause_collection": pause}))

    async def _use(self, party: Party, value: str, *, minute: int) -> None:
        await self.bench.must_use(party.customer, value, self.start + timedelta(minutes=minute))

    async def _use_more(self, value: str, *, minute: int) -> None:
        await self._use(self.charged, value, minute=minute)
        self.used += Decimal(value)
        await self.bench.must_count(self.charged.customer, self.start, str(self.used))

    async def drafts(self) -> None:
        """The month ends: drafts are there, held, with the usage of which moment?"""
        bench = self.bench
        await bench.advance(self.clock, self.end + timedelta(minutes=1))
        self.charged, self.sent, self.below = [
            await self._with_invoice(party) for party in (self.charged, self.sent, self.below)
        ]
        draft = await bench.invoice(self.below.invoice)
        held = draft["status"] == "draft" and not draft["auto_advance"]
        self.report.say("A3", held, f"the month's invoice is {_state(draft)}")
        await self._use_more(EACH_TIME[1], minute=2)
        shown = quantity_of(await bench.lines(self.charged.invoice, self.charged.price))
        answers = {Decimal(EACH_TIME[0]): True, self.used: False}
        seen = f"{EACH_TIME[0]} units when it was made and {EACH_TIME[1]} later: the draft shows {shown}"
        self.report.say("A1", answers.get(shown), seen)
        await self._use_more(EACH_TIME[2], minute=3)

    async def _with_invoice(self, party: Party) -> Party:
        invoice = await self.bench.month_end(party.subscription, lambda one: one.period_end == self.end)
        return replace(party, invoice=invoice)

    async def _newest(self, party: Party, made_at: datetime) -> str:
        """The invoice of the period that ended at an instant; empty while there is none."""
        found = await self.bench.door.invoices.of_subscription(party.subscription)
        return next((each.invoice_id for each in found if each.period_end == made_at), "")

    async def finalise(self) -> None:
        """Finalised without collecting; two hours later nobody has been charged, and the third draft still is one."""
        bench, report = self.bench, self.report
        for party in (self.charged, self.sent):
            await self._finalise(party)
        final = await bench.lines(self.charged.invoice, self.charged.price)
        shown = quantity_of(final)
        report.say("A2", shown == self.used, f"{self.used} units are summed, the finalised invoice has {shown}")
        on_it = shown >= Decimal(EACH_TIME[0])
        report.say("A13", on_it, f"{EACH_TIME[0]} units of the month were sent before its draft: {shown} are on it")
        report.add(rounding("A16", self.per_unit, CURRENCY, final))
        report.add(tiers("A20", self.tiered, CURRENCY, await bench.lines(self.sent.invoice, self.sent.price)))
        await bench.advance(self.clock, self.end + timedelta(hours=3))
        await self._nobody_collected()
        left = await bench.invoice(self.below.invoice)
        report.say("A3", left["status"] == "draft", f"three hours later it is {_state(left)}")
        if left["status"] == "draft":
            await self._finalise(self.below)
        billed = amount_of(await bench.lines(self.below.invoice, self.below.price))
        report.say("A17", billed == 0, f"1 unit and -3 bill {billed} minor units")

    async def _finalise(self, party: Party) -> None:
        await self.bench.finalise(party.invoice)

    async def _nobody_collected(self) -> None:
        charged, sent = [await self.bench.invoice(party.invoice) for party in (self.charged, self.sent)]
        mails = await self.bench.mails(self.sent.invoice)
        untouched = charged["status"] == sent["status"] == "open" and not charged["attempt_count"] and not mails
        seen = f"three hours later: {charged['status']} after {charged['attempt_count']} attempts, {mails} mails"
        self.report.say("A5", untouched, seen)

    async def collect(self) -> None:
        """Paid and sent, both twice; then Stripe's automatic work is switched on for what was sent."""
        pay, send = self.bench.v1.invoices.pay_async, self.bench.v1.invoices.send_invoice_async
        await self._collect_while_kept(pay, send)
        await self._paid_once(partial(pay, self.charged.invoice))
        await self._sent_twice(partial(send, self.sent.invoice))
        await self._advance_of_sent()

    async def _collect_while_kept(self, pay: Callable[..., Any], send: Callable[..., Any]) -> None:
        if (await self.bench.invoice(self.charged.invoice))["status"] == "paid":
            self.report.say("A4", None, "not tried: Stripe had collected before it was asked to")
            return
        try:
            await self.bench.ask("pay", partial(pay, self.charged.invoice))
            await self.bench.ask("send", partial(send, self.sent.invoice))
        except Refused as refused:
            self.report.say("A4", False, f"while drafts are kept it is refused: {refused.answer.detail}")
            for party in (self.charged, self.sent):
                await self._keep_drafts(party.subscription, "")
                await self._unless_refused(partial(pay if party is self.charged else send, party.invoice))
        else:
            self.report.say("A4", True, "finalised, paid and sent while its subscription keeps drafts")

    async def _unless_refused(self, call: Callable[[], Awaitable[Any]]) -> str:
        try:
            await self.bench.ask("again", call)
        except Refused as refused:
            return f"refused ({refused.answer.detail.rstrip('.')})"
        return "taken"

    async def _paid_once(self, pay: Callable[[], Awaitable[Any]]) -> None:
        before = await self.bench.invoice(self.charged.invoice)
        again = await self._unless_refused(pay)
        after = await self.bench.invoice(self.charged.invoice)
        once = after["status"] == "paid" and before["amount_paid"] == after["amount_paid"] == after["total"]
        seen = f"a second call is {again}; {after['amount_paid']} of {after['total']} minor units are paid"
        self.report.say("A10", once, seen)

    async def _sent_twice(self, send: Callable[[], Awaitable[Any]]) -> None:
        before = await self.bench.invoice(self.sent.invoice)
        again = await self._unless_refused(send)
        after = await self.bench.invoice(self.sent.invoice)
        same = all(before[name] == after[name] for name in ("status", "number", "total", "amount_due"))
        change = "the same" if same else "another"
        seen = f"a second call is {again}; the invoice is {change}, {after['status']}"
        self.report.say("A9", same and after["status"] == "open" and again == "taken", seen)

    async def _advance_of_sent(self) -> None:
        bench, invoice = self.bench, self.sent.invoice
        await bench.until(lambda: self._has_mails(invoice, 2))  # Stripe may tell of the two calls a little later
        before = await bench.mails(invoice)
        update = bench.v1.invoices.update_async
        await bench.ask("advance_of_sent", lambda: update(invoice, {"auto_advance": True}))
        await bench.advance(self.clock, self.end + timedelta(hours=6))
        after = await bench.mails(invoice)
        seen = f"{before} mails before it is switched on, {after} three hours later (not tried: a failed payment)"
        self.report.say("A11", after == before if before else None, seen)

    async def _has_mails(self, invoice: str, count: int) -> bool:
        return await self.bench.mails(invoice) >= count

    async def late_usage(self) -> None:
        """Usage of the month after its invoice: on that one not, and on the next one not."""
        bench = self.bench
        before = await bench.lines(self.charged.invoice, self.charged.price)
        await self._use_more(AFTERWARDS, minute=4)
        after = await bench.lines(self.charged.invoice, self.charged.price)
        self.report.say("A13", before == after, f"{AFTERWARDS} units later, the finalised invoice has {_units(after)}")
        following = (await self._period_after()) + timedelta(minutes=1)
        await bench.advance(self.clock, following)
        next_invoice = await self._newest(self.charged, following - timedelta(minutes=1))
        if not next_invoice:
            raise Slow("no invoice was made at the second month's end")
        await self._finalise_if_draft(next_invoice)
        units = _units(await bench.lines(next_invoice, self.charged.price))
        seen = f"the next invoice has {units} of them"
        self.report.say("A13", units == 0, seen)

    async def _period_after(self) -> datetime:
        item = (await self.bench.subscription_now(self.charged.subscription))["items"]["data"][0]
        return datetime.fromtimestamp(item["current_period_end"], self.end.tzinfo)

    async def _finalise_if_draft(self, invoice: str) -> None:
        if (await self.bench.invoice(invoice))["status"] == "draft":
            await self.bench.finalise(invoice)


def _units(lines: Any) -> Decimal:
    return quantity_of(lines)


def _state(invoice: Any) -> str:
    return f"{invoice['status']}, auto_advance {'on' if invoice['auto_advance'] else 'off'}"


TRIALS = (Trial("two months", NUMBERS, month),)
