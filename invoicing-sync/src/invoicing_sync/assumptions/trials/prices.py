"""
A month of usage at every kind of price, and what becomes of its invoice: three customers on one test clock.

The buyer uses 10 units in the first hour and 3 after it, when two of their items go and another comes; the idle one
uses nothing; the guest is in a trial. Then the buyer's invoice gets an item of ours, is finalised, credited while it is
open and once it is paid, and the next one uses the balance.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from invoicing_sync.assumptions.bench import Bench, Body, Slow
from invoicing_sync.assumptions.trials.trial import Report, Trial
from invoicing_sync.stripe_door.convert import seconds
from invoicing_sync.stripe_door.wire import Subscription

NUMBERS = ("A24", "A33", "A34", "A36", "A37", "A38", "A39", "A40", "A42", "A43", "A44")
EARLY, LATE, ALL, IN_TRIAL = 10, 3, 13, 7  # units
CALL, TRIAL_END = timedelta(hours=1), timedelta(days=10)
PACK, PACK_SIZE, PACKS = 300, 4, 4  # 13 units are 3 full packs and a begun one
TIERED = {"billing_scheme": "tiered"}
VOLUME: Body = {
    **TIERED,
    "tiers_mode": "volume",
    "tiers": [{"up_to": ALL, "unit_amount_decimal": "50"}, {"up_to": "inf", "unit_amount_decimal": "40"}],
}
FLAT: Body = {
    **TIERED,
    "tiers_mode": "graduated",
    "tiers": [{"up_to": "inf", "unit_amount_decimal": "0", "flat_amount_decimal": "500"}],
}
FINE = "49.961538461538"  # 13 of these are 649.499999999994; of one decimal less in twelve, 649.5 and more
FINE_TOTAL = 649
MINUS, ON_OPEN, ON_PAID = -25, 100, 60  # an item of ours, and two credit notes


async def prices(bench: Bench, report: Report) -> None:
    """The whole story; a part that Stripe refuses ends it, and what it would have shown is unknown."""
    story = _Story(bench, report)
    await story.begin()
    await story.change()
    await story.end()
    await story.invoice()


@dataclass(frozen=True, slots=True)
class _Sold:
    """A subscription with the ids of its prices by a name of ours."""

    made: Subscription
    prices: dict[str, str]


class _Story:
    """One run of the month."""

    def __init__(self, bench: Bench, report: Report) -> None:
        self.bench, self.report = bench, report
        self.start = bench.a_month_ago
        self.last: Body | None = None

    async def begin(self) -> None:
        """Five subscriptions, and the first units."""
        bench = self.bench
        self.clock = await bench.clock(self.start)
        self.buyer = await bench.paying_customer(self.clock)
        idle, self.guest = await bench.customer(self.clock), await bench.customer(self.clock)
        unit = {"unit_amount_decimal": "100"}
        package = {"transform_quantity": {"divide_by": PACK_SIZE, "round": "up"}, "unit_amount_decimal": str(PACK)}
        self.month = await self._sell(self.buyer, package=package, volume=VOLUME, fine={"unit_amount_decimal": FINE})
        self.leaving = await self._sell(self.buyer, asked=unit, unasked=unit, stays={"unit_amount_decimal": "0"})
        self.until = self.month.made.current_period_end
        self.ending = await self._sell(self.buyer, more={"cancel_at": seconds(self.until)}, last=unit)
        self.flat = await self._sell(idle, flat=FLAT)
        self.trial = await self._begin_trial()
        await self._use(self.buyer, EARLY, minute=1)
        await self._use(self.guest, IN_TRIAL, minute=1)
        await bench.must_count(self.guest, self.start, str(IN_TRIAL))
        await bench.must_count(self.buyer, self.start, str(EARLY))

    async def _sell(self, customer: str, *, more: Body | None = None, **kinds: Body) -> _Sold:
        prices = {name: await self.bench.usage_price(**how) for name, how in kinds.items()}
        items: list[Body] = [{"price": price} for price in prices.values()]
        made = await self.bench.subscription(customer, items, sent=customer != self.buyer, **(more or {}))
        return _Sold(made, prices)

    async def _begin_trial(self) -> _Sold:
        bench = self.bench
        prices = {"seat": await bench.seat_price(), "unit": await bench.usage_price(unit_amount_decimal="100")}
        items: list[Body] = [{"price": prices["seat"], "quantity": 1}, {"price": prices["unit"]}]
        until = seconds(self.start + TRIAL_END)
        return _Sold(await bench.subscription(self.guest, items, trial_end=until), prices)

    async def _use(self, customer: str, units: int, *, minute: int) -> None:
        await self.bench.must_use(customer, str(units), self.start + timedelta(minutes=minute))

    async def change(self) -> None:
        """After an hour two items go, one without prorations, and another comes; then more is used."""
        bench, v1, leaving = self.bench, self.bench.v1, self.leaving
        await bench.advance(self.clock, self.start + CALL)
        items = await bench.items(leaving.made.subscription_id)
        comes = await bench.usage_price(unit_amount_decimal="200")
        update = partial(v1.subscriptions.update_async, leaving.made.subscription_id)
        gone = [{"id": items[leaving.prices[name]], "deleted": True} for name in ("asked", "unasked")]
        asked: Body = {"items": [gone[0], {"price": comes}], "proration_behavior": "create_prorations"}
        await bench.ask("change_items", partial(update, asked))
        await bench.ask("change_items", partial(update, {"items": [gone[1]], "proration_behavior": "none"}))
        self.leaving.prices["comes"] = comes
        billed = await self._pending()
        with_it, without = billed.get(leaving.prices["asked"], 0), billed.get(leaving.prices["unasked"], 0)
        self.report.say("A33", with_it == EARLY * 100, f"{EARLY} units at 100 of an item that goes bill {with_it}")
        self.report.say("A34", without == 0, f"with `none` they bill {without}")
        await self._use(self.buyer, LATE, minute=61)
        await bench.must_count(self.buyer, self.start + CALL, str(LATE))

    async def _pending(self) -> dict[str, int]:
        """What pending invoice items of the buyer come to, by the price that they are for."""
        sums: dict[str, int] = {}
        for row in await self.bench.pending(self.buyer):
            price = _price_of(row) or ""
            sums[price] = sums.get(price, 0) + int(row["amount"])
        return sums

    async def end(self) -> None:
        """The month's end: every price, nothing used, the trial, what came late, and a subscription that ends."""
        bench, report = self.bench, self.report
        await bench.advance(self.clock, self.until + timedelta(minutes=1))
        month = self.draft = await self._invoice_of(self.month)
        package, volume, fine = [self._billed(month, self.month, name) for name in ("package", "volume", "fine")]
        seen = f"{ALL} units by packs of {PACK_SIZE} at {PACK} bill {package}"
        report.say("A36", package == PACKS * PACK, seen)
        report.say("A37", volume == ALL * 50, f"{ALL} units, the last of the tier at 50, bill {volume}")
        report.say("A38", fine == FINE_TOTAL, f"{ALL} units at {FINE} bill {fine}")
        late = await self._invoice_of(self.leaving)
        comes = self._billed(late, self.leaving, "comes")
        report.say("A33", comes == LATE * 200, f"of {ALL} units an item that came bills {comes}, at 200 each")
        flat = (await self._invoice_of(self.flat))["total"]
        report.say("A24", flat == 0, f"a flat fee of 500 and no usage bill {flat}")
        await self._trial_is_over()
        await self._ended()

    async def _ended(self) -> None:
        ended = await self.bench.subscription_now(self.ending.made.subscription_id)
        try:
            self.last = await self._invoice_of(self.ending)
        except Slow as slow:
            self.report.say("A40", False, f"{slow}, where the subscription is {ended['status']}")
            return
        billed = self._billed(self.last, self.ending, "last")
        seen = f"{ALL} units at 100 bill {billed} on the last invoice, the subscription is {ended['status']}"
        self.report.say("A40", billed == ALL * 100 and ended["status"] == "canceled", seen)

    async def _trial_is_over(self) -> None:
        found = await self.bench.door.invoices.of_subscription(self.trial.made.subscription_id)
        billed = sum(invoice.total_minor for invoice in found)
        anchor = int((await self.bench.subscription_now(self.trial.made.subscription_id))["billing_cycle_anchor"])
        at_its_end = anchor == seconds(self.start + TRIAL_END)
        seen = f"a seat of 3900 and {IN_TRIAL} units in a trial bill {billed}, the anchor is its end: {at_its_end}"
        self.report.say("A39", billed == 3900 and at_its_end, seen)

    async def _invoice_of(self, sold: _Sold) -> Body:
        """The invoice that the month's end made. Raises Slow."""
        return await self.bench.invoice(await self.bench.month_end(sold.made.subscription_id))

    @staticmethod
    def _billed(invoice: Body, sold: _Sold, name: str) -> int:
        """What the lines of one price come to."""
        lines: list[Any] = invoice["lines"]["data"]
        mine = [line for line in lines if _price_of(line) == sold.prices[name]]
        return sum(int(line["amount"]) for line in mine)

    async def invoice(self) -> None:
        """An item of ours on the draft; credit notes before and after it is paid; the balance on the next invoice."""
        bench, v1, draft = self.bench, self.bench.v1, self.draft["id"]
        before = int((await bench.invoice(draft))["total"])
        item: Body = {"customer": self.buyer, "invoice": draft, "amount": MINUS, "currency": "usd"}
        item |= {"description": "ours", "metadata": bench.marked}
        await bench.create("invoice_item", v1.invoice_items, item)
        shown = await bench.invoice(draft)
        ours = [line for line in shown["lines"]["data"] if line["metadata"] == bench.marked]
        amounts = [int(line["amount"]) for line in ours]
        seen = (
            f"an item of {MINUS} takes the draft from {before} to {shown['total']}, lines with its metadata: {amounts}"
        )
        self.report.say("A42", shown["total"] == before + MINUS and amounts == [MINUS], seen)
        opened = await bench.finalise(draft)
        await bench.create("credit_note", v1.credit_notes, {"invoice": draft, "amount": ON_OPEN})
        lowered = await bench.invoice(draft)
        due, total = int(lowered["amount_remaining"]), lowered["total"]
        is_lower = due == opened["amount_remaining"] - ON_OPEN and total == opened["total"]
        seen = f"{ON_OPEN} off an open invoice leave {due} of {opened['amount_remaining']} due, the total is {total}"
        self.report.say("A43", is_lower, seen)
        await bench.ask("pay", lambda: v1.invoices.pay_async(draft))
        await bench.create(
            "credit_note", v1.credit_notes, {"invoice": draft, "amount": ON_PAID, "credit_amount": ON_PAID}
        )
        balance = await self._balance()
        self.report.say("A43", balance == -ON_PAID, f"{ON_PAID} off a paid one make the balance {balance}")
        await self._next_invoice()

    async def _next_invoice(self) -> None:
        if self.last is None:
            return  # A44 is unknown then
        final = await self.bench.finalise(self.last["id"])
        used = final["total"] == self.last["total"] and final["amount_due"] == final["total"] - ON_PAID
        seen = f"of the next invoice's {final['total']} are {final['amount_due']} due, the balance is then"
        self.report.say("A44", used, f"{seen} {await self._balance()}")

    async def _balance(self) -> int:
        retrieve = self.bench.v1.customers.retrieve_async
        found = await self.bench.ask("read_customer", lambda: retrieve(self.buyer), write=False)
        return int(found["balance"])


def _price_of(line: Body) -> str | None:
    """The price of a line, or of an invoice item."""
    price: str | None = ((line["pricing"] or {}).get("price_details") or {}).get("price")
    return price


TRIALS = (Trial("prices", NUMBERS, prices),)
