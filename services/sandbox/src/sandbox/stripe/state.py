"""Everything that the sandbox knows: in memory for speed, each change on its way to PostgreSQL before the answer."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from sandbox.stripe.answers import Answers
from sandbox.stripe.domain.usage import MeterEvent, Tally
from sandbox.stripe.errors import absent

Body = dict[str, Any]
API_VERSION = "2026-10-28.endive"
MICROS = 1_000_000
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

# Objects by kind: the `object` field of Stripe; prefix of their ids.
PREFIXES = {
    "customer": "cus_",
    "product": "prod_",
    "price": "price_1",
    "billing.meter": "mtr_test_6",
    "subscription": "sub_1",
    "subscription_item": "si_",
    "invoice": "in_1",
    "invoiceitem": "ii_1",
    "line_item": "il_1",
    "event": "evt_1",
    "webhook_endpoint": "we_1",
    "v2.core.event_destination": "ed_test_6",
    "v2.core.event": "evt_test_6",
    "delivery": "dlv_",
    "coupon": "",
    "discount": "di_1",
    "credit_note": "cn_1",
    "credit_note_line_item": "cnli_1",
    "customer_balance_transaction": "cbtxn_1",
    "refund": "re_1",
    "test_helpers.test_clock": "clock_1",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What an Idempotency-Key remembers. `at` is business time in seconds."""

    fingerprint: str
    status: int
    body: bytes
    at: int


class State:
    """
    The sandbox's memory. A request changes it without awaiting, so each request is atomic.

    What a request has changed is collected in `dirty`, `dirty_events` and `dirty_answers`, and committed before it is
    answered. `number` is each object's place in the order of creation. `switches` stand for what no text of
    Stripe decides; they are not stored.
    """

    def __init__(self, switches: Answers | None = None) -> None:
        self.switches = switches or Answers()
        self.objects: dict[str, dict[str, Body]] = {kind: {} for kind in PREFIXES}
        self.numbers: dict[str, int] = {}
        self.meters: dict[str, Body] = {}  # by event name; an active one wins over an inactive one
        self.tallies: dict[tuple[str, str], Tally] = {}
        self.identifiers: dict[str, MeterEvent] = {}
        self.keyed_events: dict[str, MeterEvent] = {}  # by Idempotency-Key
        self.waiting: list[MeterEvent] = []  # accepted, not counted yet
        self.answers: dict[str, Answer] = {}
        self.item_owners: dict[str, str] = {}  # subscription item: its subscription
        self.pending_items: dict[str, dict[str, Body]] = {}  # customer: invoice items that no invoice has taken up
        self.is_preview = False  # whether this is a copy, made to see what would be billed
        self.drafts: dict[str, Body] = {}  # invoices that are still drafts
        self.pending: dict[str, set[str]] = {}  # event id: its deliveries under way
        self.under_way: set[str] = set()  # ids of all deliveries under way, from the moment they are decided on
        self.given_up: set[str] = set()  # ids of events that a webhook was given up for
        self.stepped_micros: int | None = None  # business time; None: real time
        self.shown_micros: int | None = None  # what the clock shows: the last step that is done
        self.clock_version = 0
        self.accepted = 0
        self.refused_duplicates = 0
        self.dirty: dict[str, Body] = {}
        self.dirty_events: dict[int, MeterEvent] = {}
        self.dirty_answers: dict[str, Answer] = {}
        self.clock_moved = False
        self.new_deliveries: list[Body] = []
        self.test_clock: Body | None = None  # the test clock whose time goes for the work of the moment
        self.request: Body = {"id": None, "idempotency_key": None}  # the request that is being carried out
        self.number = 0
        self.random = random.Random()

    @property
    def now(self) -> int:
        """Whole unix seconds of the time that goes for the work of the moment: a test clock's, or business time."""
        return self.account_now if self.test_clock is None else int(self.test_clock["_now"])

    @property
    def account_now(self) -> int:
        """Business time in whole unix seconds, whatever test clocks there are."""
        if self.stepped_micros is not None:
            return self.stepped_micros // MICROS
        return int(datetime.now(UTC).timestamp())

    def test_clock_of(self, body: Body | None) -> Body | None:
        """The test clock that an object belongs to; None: it lives by business time."""
        if body is not None and "test_clock" not in body and isinstance(body.get("customer"), str):
            body = self.objects["customer"].get(body["customer"])
        id_ = body.get("test_clock") if body is not None else None
        return None if id_ is None else self.objects["test_helpers.test_clock"].get(id_)

    @contextmanager
    def by_clock(self, clock: Body | None) -> Iterator[None]:
        """Let a test clock's time go for what is done inside, which does not await; None: business time."""
        before, self.test_clock = self.test_clock, clock
        try:
            yield
        finally:
            self.test_clock = before

    def next_number(self) -> int:
        """A number that grows with each object: the order of creation."""
        self.number += 1
        return self.number

    def new_id(self, kind: str) -> str:
        """A fresh id in Stripe's form."""
        return PREFIXES[kind] + "".join(self.random.choices(_ALPHABET, k=14)) + f"{self.next_number():08d}"

    def put(self, body: Body) -> Body:
        """Keep an object, new or changed."""
        kind, id_ = body["object"], body["id"]
        if id_ not in self.objects[kind]:
            self.numbers[id_] = self.next_number()
        self.index(body)
        self.dirty[id_] = body
        return body

    def index(self, body: Body) -> None:
        """Make an object findable."""
        kind, id_ = body["object"], body["id"]
        self.objects[kind][id_] = body
        if kind == "billing.meter":
            known = self.meters.get(body["event_name"])
            if known is None or known["id"] == id_ or known["status"] != "active":
                self.meters[body["event_name"]] = body
        elif kind == "invoice":
            if body["status"] == "draft":
                self.drafts[id_] = body
            else:
                self.drafts.pop(id_, None)
        elif kind == "subscription":
            self.item_owners.update((item["id"], id_) for item in body["items"]["data"])
        elif kind == "invoiceitem":
            pending = self.pending_items.setdefault(body["customer"], {})
            if body["invoice"] is None and not body.get("deleted"):
                pending[id_] = body
            else:
                pending.pop(id_, None)
        elif kind == "delivery":
            under_way = self.pending.setdefault(body["event"], set())
            if body["status"] == "pending":
                under_way.add(id_)
                self.under_way.add(id_)
            else:
                under_way.discard(id_)
                self.under_way.discard(id_)
                if body["status"] == "given_up":
                    self.given_up.add(body["event"])

    def get(self, kind: str, id_: str, *, param: str = "id") -> Body:
        """An object by id. Raises StripeError 404 where there is none."""
        found = self.objects[kind].get(id_)
        if found is None or found.get("deleted"):
            raise absent(kind.rsplit(".", 1)[-1], id_, param=param)
        return found

    def all(self, kind: str) -> Iterator[Body]:
        """The objects of a kind, newest first, as Stripe lists them."""
        return reversed(list(self.objects[kind].values()))

    def find(self, id_: str) -> Body | None:
        """An object of any kind by id."""
        return next((kind[id_] for kind in self.objects.values() if id_ in kind), None)

    def tally(self, customer: str, event_name: str) -> Tally:
        """The counted events of one customer and meter."""
        return self.tallies.setdefault((customer, event_name), Tally())

    def keep_event(self, event: MeterEvent) -> None:
        """Keep a meter event, new or changed."""
        self.dirty_events[event.number] = event

    def keep_answer(self, key: str, answer: Answer) -> None:
        """Remember what an Idempotency-Key was answered; answers stay in the order of their time."""
        self.answers.pop(key, None)
        self.answers[key] = self.dirty_answers[key] = answer

    def move_clock(self, micros: int) -> None:
        """Set business time within a step."""
        self.stepped_micros = micros
        self.clock_moved = True

    @property
    def is_dirty(self) -> bool:
        """Whether anything waits for its commit."""
        return bool(self.dirty or self.dirty_events or self.dirty_answers or self.clock_moved)

    def announce(self, type_: str, body: Body, previous: Body | None = None) -> Body:
        """Make the event that tells of a change; webhooks carry it once it is committed."""
        event = {
            "id": self.new_id("event"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.account_now,
            "livemode": False,
            "type": type_,
            "data": {"object": _snapshot(body), **({"previous_attributes": _snapshot(previous)} if previous else {})},
            "pending_webhooks": 0,
            "request": self.request,
        }
        self.put(event)
        for endpoint in self.objects["webhook_endpoint"].values():
            if not endpoint.get("deleted") and _wants(endpoint, type_):
                self._deliver(event, endpoint)
        return event

    def announce_thin(self, type_: str, data: Body, related: Body | None) -> Body:
        """Make a thin event, of which a webhook carries only the notice."""
        event = {
            "id": self.new_id("v2.core.event"),
            "object": "v2.core.event",
            "type": type_,
            "created": timestamp(self.account_now),
            "livemode": False,
            **({"related_object": related} if related else {}),
            "data": data,
        }
        self.put(event)
        for destination in self.objects["v2.core.event_destination"].values():
            if destination["status"] == "enabled" and not destination.get("deleted") and _wants(destination, type_):
                self._deliver(event, destination)
        return event

    def _deliver(self, event: Body, to: Body) -> None:
        delivery = {
            "id": self.new_id("delivery"),
            "object": "delivery",
            "event": event["id"],
            "to": to["id"],
            "status": "pending",
            "tries": 0,
        }
        self.put(delivery)
        self.new_deliveries.append(delivery)


def timestamp(seconds: int) -> str:
    """An instant as v2 writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> float:
    """Unix seconds of an instant of v2. Raises ValueError where it has no offset from UTC."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"no offset: {text}")
    return instant.timestamp()


def _wants(endpoint: Body, type_: str) -> bool:
    return any(wanted == "*" or fnmatchcase(type_, wanted) for wanted in endpoint["enabled_events"])


def _snapshot(body: Body) -> Body:
    """The object as it is now, without what only the sandbox knows: a copy, since the object goes on changing."""
    copied: Body = msgspec.json.decode(msgspec.json.encode(body))
    return {key: value for key, value in copied.items() if not key.startswith("_")}
