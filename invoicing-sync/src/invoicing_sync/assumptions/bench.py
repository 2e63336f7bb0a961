"""
The bench on which an account is tried: everything that a run makes is on test clocks or bears its name, and goes again.

Cleaning up goes by what Stripe lists under the run's name, not by what we remember: so it finds what a call made whose
answer we never saw, and what a broken-off run left.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from chassis.errors import TryLater
from event_schemas.values import Currency
from invoicing_sync.assumptions.domain.findings import BilledLine
from invoicing_sync.contracts.domain.terms import MeteredTerm
from invoicing_sync.stripe_door.client import AGAIN
from invoicing_sync.stripe_door.convert import from_wire_subscription, instant, seconds, to_wire_metered_price
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import Answered, Kind, NotThere, Refused, Unsure
from invoicing_sync.stripe_door.wire import Invoice, MeterEvent, Subscription

CURRENCY = Currency.USD
MARK = "settled_check"
GOOD_CARD = "pm_card_visa"  # Stripe's test card that pays
_REACHES = 3  # tries before an account is given up, a second between them
_BACK = timedelta(days=33)
_BETWEEN_LOOKS_S = (0.1, 3.0)  # first and longest pause between two looks at what Stripe does in its own time

Say = Callable[[str], None]
Body = dict[str, Any]


class Away(Exception):
    """The account does not answer, or does not take the key: a sentence that says which."""


class Slow(Exception):
    """Stripe did not do in time what it does by itself: a sentence that says what, and how long was waited."""


# What a call may end with when it does not end well.
ENDS = (NotThere, Refused, Unsure, TryLater, Slow)


def told(error: Exception) -> str:
    """What such an end means, as a sentence's part."""
    if isinstance(error, Refused):
        return f"Stripe refused a call: {error.answer.detail or error.answer.code}"
    if isinstance(error, NotThere):
        return "Stripe does not know an object that it should"
    if isinstance(error, Unsure):
        return "Stripe answered a call by an error of its own"
    return str(error) if isinstance(error, Slow) else "Stripe was busy or away for longer than the check waits"


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter of the run, with the product that its prices hang on."""

    meter_id: str
    event_name: str
    product: str


class Bench:
    """One run's objects on an account. `now` is the account's time when the run began."""

    def __init__(self, door: StripeDoor, run: str, *, patience_s: float, say: Say) -> None:
        self.door, self.run, self.say = door, run, say
        self.now = instant(0)
        self._patience_s = patience_s
        self._made = 0
        self._meter: Meter | None = None
        self._product = ""

    @property
    def v1(self) -> Any:
        """The SDK's v1 services; untyped, since each call here names its own few parameters."""
        return self.door.client.sdk.v1

    async def ask(self, what: str, call: Callable[[], Awaitable[Any]], *, write: bool = True) -> Body:
        """One call with the door's manners; the object as plain values."""
        answer = await self.door.client.ask(what, call, write=write)
        return dict(answer.to_dict(for_json=True))

    async def reach(self) -> None:
        """Ask for something before anything is made. Raises Away."""
        clocks = self.v1.test_helpers.test_clocks
        answer = await self.door.client.once("reach", lambda: clocks.list_async({"limit": 1}))
        for _ in range(_REACHES - 1):
            if answer.kind not in AGAIN:
                break
            await asyncio.sleep(1)
            answer = await self.door.client.once("reach", lambda: clocks.list_async({"limit": 1}))
        if answer.kind is Kind.BARRED:
            raise Away(f"Stripe does not take the key: {answer.detail or answer.code}")
        if answer.kind is not Kind.ACCEPTED:
            raise Away(f"it was asked {_REACHES} times and gave no answer that could be used")

    async def begin(self) -> None:
        """Make the product: its `created` tells the account's time, which is the stand-in's where one is tried."""
        made = await self._make_product("usage", self._key())
        self.now, self._product = instant(int(made["created"])), str(made["id"])

    async def product_twice(self) -> tuple[str, str]:
        """The ids that two calls with one Idempotency-Key are answered with."""
        key = self._key()
        made = [await self._make_product("twice", key) for _ in range(2)]
        return str(made[0]["id"]), str(made[1]["id"])

    async def _make_product(self, what: str, key: str) -> Body:
        params = {"name": f"Settled check {self.run} {what}", "metadata": self.marked}
        return await self.ask("make_product", lambda: self.v1.products.create_async(params, {"idempotency_key": key}))

    @property
    def marked(self) -> dict[str, str]:
        """The metadata that names the run."""
        return {MARK: self.run}

    @property
    def a_month_ago(self) -> datetime:
        """An hour's start so long ago that a month from it has ended, and all its usage is less than 35 days old."""
        return (self.now - _BACK).replace(minute=0, second=0)

    def _key(self) -> str:
        self._made += 1
        return f"{MARK}:{self.run}:{self._made}"

    # --- objects

    async def meter(self) -> Meter:
        """The run's meter, made when it is first asked for."""
        if self._meter is None:
            name = f"{MARK}_{self.run}"
            meter_id = await self.door.catalogue.make_meter(name, key=self._key())
            self._meter = Meter(meter_id, name, self._product)
        return self._meter

    async def price(self, term: MeteredTerm) -> str:
        """A metered price, as the door makes them for contracts."""
        meter = await self.meter()
        params = to_wire_metered_price(term, CURRENCY, product=meter.product, meter_id=meter.meter_id)
        params["metadata"] = self.marked
        return await self.door.catalogue.make_price(params, key=self._key())

    async def seat_price(self, minor: str = "3900", **more: Any) -> str:
        """A licensed price, monthly unless `more` says otherwise."""
        params: Body = {
            "currency": CURRENCY.value.lower(),
            "product": self._product,
            "recurring": {"interval": "month"},
            "unit_amount_decimal": minor,
            "metadata": self.marked,
            **more,
        }
        return await self.door.catalogue.make_price(params, key=self._key())

    async def usage_price(self, **how: Any) -> str:
        """A metered price in Stripe's own words: an amount of minor units, tiers, a package."""
        meter = await self.meter()
        recurring: Body = {"interval": "month", "usage_type": "metered", "meter": meter.meter_id}
        params: Body = {"currency": CURRENCY.value.lower(), "product": meter.product, "recurring": recurring}
        params |= {"metadata": self.marked, **how}
        return await self.door.catalogue.make_price(params, key=self._key())

    async def coupon(self, **off: Any) -> str:
        """A coupon without an end."""
        params = {"duration": "forever", "metadata": self.marked, **off}
        return str((await self.create("coupon", self.v1.coupons, params))["id"])

    async def clock(self, at: datetime) -> str:
        """A test clock that stands at an instant."""
        params = {"frozen_time": seconds(at), "name": f"{MARK}_{self.run}"}
        return str((await self.create("clock", self.v1.test_helpers.test_clocks, params))["id"])

    async def customer(self, clock: str, **more: Any) -> str:
        """A customer on a test clock, with an e-mail address unless `email` is None."""
        params: Body = {"name": f"Settled check {self.run}", "email": "check@settled.example", "test_clock": clock}
        params |= {"metadata": self.marked, **more}
        params = {name: value for name, value in params.items() if value is not None}
        return str((await self.create("customer", self.v1.customers, params))["id"])

    async def paying_customer(self, clock: str) -> str:
        """A customer with a test card that pays."""
        return await self.customer(
            clock, payment_method=GOOD_CARD, invoice_settings={"default_payment_method": GOOD_CARD}
        )

    async def subscription(self, customer: str, items: list[Body], *, sent: bool = True, **more: Any) -> Subscription:
        """A monthly subscription in flexible mode, as the door makes them; `sent`: by mail, else charged."""
        how: Body = {"collection_method": "send_invoice", "days_until_due": 30} if sent else {}
        params = {
            "customer": customer,
            "items": items,
            "billing_mode": {"type": "flexible"},
            "metadata": self.marked,
            **how,
            **more,
        }
        return from_wire_subscription(await self.create("subscription", self.v1.subscriptions, params))

    async def items(self, subscription: str) -> dict[str, str]:
        """The ids of a subscription's items by their prices' ids."""
        items = self.v1.subscription_items
        listed = await self.ask("list_items", lambda: items.list_async({"subscription": subscription}), write=False)
        return {row["price"]["id"]: row["id"] for row in listed["data"]}

    async def subscription_now(self, subscription: str) -> Body:
        """A subscription as Stripe shows it now."""
        retrieve = self.v1.subscriptions.retrieve_async
        return await self.ask("read_subscription", lambda: retrieve(subscription), write=False)

    async def create(self, what: str, service: Any, params: Body) -> Body:
        """Make an object under a key of the run's own."""
        key = self._key()
        return await self.ask(f"make_{what}", lambda: service.create_async(params, {"idempotency_key": key}))

    # --- usage

    async def use(
        self, customer: str, value: str, at: datetime, *, identifier: str | None = None
    ) -> tuple[str, Answered]:
        """Send one meter event; its identifier and how it was answered."""
        meter, key = await self.meter(), self._key()
        identifier = identifier or key
        event = MeterEvent(identifier, meter.event_name, customer, Decimal(value), at)
        return identifier, await self.door.usage.send_meter_event(event, key=key)

    async def must_use(self, customer: str, value: str, at: datetime) -> None:
        """Send one meter event that Stripe accepts. Raises Slow."""
        _, answer = await self.use(customer, value, at)
        if answer.kind is not Kind.ACCEPTED:
            raise Slow(f"a meter event of {value} was answered {answer.kind.value}: {answer.detail}")

    async def cancel(self, identifier: str) -> Answered:
        """Cancel a meter event."""
        meter, key = await self.meter(), self._key()
        return await self.door.usage.cancel_meter_event(meter.event_name, identifier, key=key)

    async def total(self, customer: str, start: datetime) -> Decimal:
        """Stripe's sum of the hour that begins at `start`."""
        meter = await self.meter()
        return await self.door.usage.total(meter.meter_id, customer, start, start + timedelta(hours=1))

    async def counted(self, customer: str, start: datetime, expected: str) -> Decimal:
        """Stripe's sum of an hour once it is the expected one, or else as it is when patience ends."""
        wanted, found = Decimal(expected), Decimal(0)

        async def is_there() -> bool:
            nonlocal found
            found = await self.total(customer, start)
            return found == wanted

        await self.until(is_there)
        return found

    async def must_count(self, customer: str, start: datetime, expected: str) -> None:
        """Return once Stripe's sum is the expected one. Raises Slow."""
        found = await self.counted(customer, start, expected)
        if found != Decimal(expected):
            raise Slow(f"Stripe's sum of usage is {found}, not {expected}, after {self._patience_s:.0f} s")

    # --- time and invoices

    async def advance(self, clock: str, to: datetime) -> None:
        """Advance a test clock and wait until it is ready. Raises Slow."""
        self.say(f"advancing a test clock to {to:%Y-%m-%d %H:%M}")
        clocks = self.v1.test_helpers.test_clocks
        params = {"frozen_time": seconds(to)}
        await self.ask("advance", lambda: clocks.advance_async(clock, params))
        await self.ready(clock)

    async def ready(self, clock: str) -> None:
        """Return when a test clock has arrived. Raises Slow."""
        clocks = self.v1.test_helpers.test_clocks

        async def is_ready() -> bool:
            found = await self.ask("read_clock", lambda: clocks.retrieve_async(clock), write=False)
            return bool(found["status"] == "ready")

        if not await self.until(is_ready, at_least_s=120):
            raise Slow(f"the test clock {clock} was not ready in time")

    async def until(self, condition: Callable[[], Awaitable[bool]], *, at_least_s: float = 0) -> bool:
        """Look until the condition holds, or patience ends: whether it held."""
        deadline = time.monotonic() + max(self._patience_s, at_least_s)
        pause, longest = _BETWEEN_LOOKS_S
        while not await condition():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(pause)
            pause = min(pause * 1.6, longest)
        return True

    async def month_end(self, subscription: str, is_it: Callable[[Invoice], bool] = lambda _: True) -> str:
        """The id of the newest invoice of a subscription that is the one wanted, once it is made. Raises Slow."""
        found: list[str] = []

        async def is_made() -> bool:
            listed = await self.door.invoices.of_subscription(subscription)
            found[:] = [invoice.invoice_id for invoice in listed if is_it(invoice)]
            return bool(found)

        if not await self.until(is_made):
            raise Slow("no invoice was made at the month's end")
        return found[0]

    async def invoice(self, invoice_id: str) -> Body:
        """An invoice as Stripe shows it now."""
        return await self.ask("read_invoice", lambda: self.v1.invoices.retrieve_async(invoice_id), write=False)

    async def lines(self, invoice_id: str, price: str) -> tuple[BilledLine, ...]:
        """The lines of an invoice at one price, without those of no unit."""
        found = await self.door.invoices.read(invoice_id)
        mine = (line for line in found.lines if line.price == price and line.quantity != 0)
        return tuple(BilledLine(line.quantity, line.amount_minor) for line in mine)

    async def pending(self, customer: str) -> list[Body]:
        """A customer's invoice items that are on no invoice yet, oldest first."""
        params = {"customer": customer, "pending": True, "limit": 100}
        found = await self.ask("list_pending", lambda: self.v1.invoice_items.list_async(params), write=False)
        return list(reversed(found["data"]))

    async def finalise(self, invoice_id: str) -> Body:
        """Finalise a draft without collecting it."""
        finalize = self.v1.invoices.finalize_invoice_async
        return await self.ask("finalise", lambda: finalize(invoice_id, {"auto_advance": False}))

    async def mails(self, invoice_id: str) -> int:
        """How many `invoice.sent` Stripe tells of an invoice."""
        params = {"types": ["invoice.sent"], "limit": 100}
        found = await self.ask("list_events", lambda: self.v1.events.list_async(params), write=False)
        return sum(row["data"]["object"]["id"] == invoice_id for row in found["data"])
