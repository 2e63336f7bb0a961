"""All that the sandbox knows: in memory for speed, and each change on its way to PostgreSQL before the answer."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sandbox.domain.usage import MeterEvent, Tally
from sandbox.errors import absent

Body = dict[str, Any]
API_VERSION = "2026-10-28.endive"
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
    "line_item": "il_1",
    "event": "evt_1",
    "webhook_endpoint": "we_1",
    "v2.core.event_destination": "ed_test_6",
    "v2.core.event": "evt_test_6",
    "billing.meter_event_adjustment": "madj_",
}


class State:
    """
    The sandbox's memory. A request changes it without awaiting, so each request is atomic.

    What a request has changed is collected in `dirty` and `dirty_events`, and committed before it is answered.
    """

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Body]] = {kind: {} for kind in PREFIXES}
        self.numbers: dict[str, int] = {}
        self.tallies: dict[tuple[str, str], Tally] = {}
        self.identifiers: dict[str, MeterEvent] = {}
        self.waiting: list[MeterEvent] = []  # accepted, not counted yet
        self.answers: dict[str, tuple[str, int, str]] = {}
        self.stepped_at: int | None = None  # business time in seconds; None: real time
        self.clock_version = 0
        self.dirty: dict[str, Body] = {}
        self.dirty_events: dict[int, MeterEvent] = {}
        self.new_answers: dict[str, tuple[str, int, str]] = {}
        self.control: dict[str, Any] = {}
        self.outbox: list[Body] = []  # events that webhooks have to carry
        self._number = 0

    @property
    def now(self) -> int:
        """Business time in unix seconds."""
        return self.stepped_at if self.stepped_at is not None else int(datetime.now(UTC).timestamp())

    def next_number(self) -> int:
        """A number that grows with each object: the order of creation."""
        self._number += 1
        return self._number

    def restore_number(self, number: int) -> None:
        """After a restart, go on behind the highest number; ids go on too, since they come from it."""
        self._number = max(self._number, number)

    def new_id(self, kind: str) -> str:
        """A fresh id in Stripe's form."""
        number = self.next_number()
        letters = random.Random(number * 7919)
        return PREFIXES[kind] + "".join(letters.choice(_ALPHABET) for _ in range(14)) + f"{number:08d}"

    def put(self, body: Body) -> Body:
        """Keep an object, new or changed."""
        kind = body["object"]
        id_ = body["id"]
        if id_ not in self.objects[kind]:
            self.numbers[id_] = self.next_number()
        self.objects[kind][id_] = body
        self.dirty[id_] = body
        return body

    def get(self, kind: str, id_: str, *, param: str = "id") -> Body:
        """An object by id. Raises StripeError 404 where there is none."""
        found = self.objects[kind].get(id_)
        if found is None or found.get("deleted"):
            raise absent(kind.rsplit(".", 1)[-1], id_, param=param)
        return found

    def all(self, kind: str) -> Iterator[Body]:
        """The objects of a kind, newest first, as Stripe lists them."""
        return reversed(list(self.objects[kind].values()))

    def tally(self, customer: str, event_name: str) -> Tally:
        """The counted events of one customer and meter."""
        return self.tallies.setdefault((customer, event_name), Tally())

    def keep_event(self, event: MeterEvent) -> None:
        """Keep a meter event, new or changed."""
        self.dirty_events[event.number] = event

    def announce(self, type_: str, body: Body, previous: Body | None = None) -> None:
        """Make the event that tells of a change; webhooks carry it once it is committed."""
        event = {
            "id": self.new_id("event"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now,
            "livemode": False,
            "type": type_,
            "data": {"object": _snapshot(body), **({"previous_attributes": previous} if previous else {})},
            "pending_webhooks": 0,
            "request": {"id": None, "idempotency_key": None},
        }
        self.put(event)
        self.outbox.append(event)

    def announce_thin(self, type_: str, data: Body, related: Body | None) -> None:
        """Make a thin event, of which a webhook carries only the notice."""
        event = {
            "id": self.new_id("v2.core.event"),
            "object": "v2.core.event",
            "type": type_,
            "created": datetime.fromtimestamp(self.now, UTC).isoformat().replace("+00:00", ".000Z"),
            "livemode": False,
            "context": None,
            "reason": None,
            "related_object": related,
            "data": data,
        }
        self.put(event)
        self.outbox.append(event)


def _snapshot(body: Body) -> Body:
    """The object as it is now: a copy, since the object goes on changing."""
    return copy.deepcopy(body)
