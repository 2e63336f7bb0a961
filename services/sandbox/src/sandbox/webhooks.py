"""Carries events to webhook endpoints: signed, retried, and on bad days lost, doubled or out of order."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Sequence
from hashlib import sha256

import aiohttp
import msgspec

from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.settings import Settings
from sandbox.stripe import rolling, shapes
from sandbox.stripe.resources.notices import thin_notice
from sandbox.stripe.state import Body, State

log = logging.getLogger(__name__)
_HELD_BACK = 50  # so many the fault `webhook_backwards` gathers before it sends the last first,
_PAUSE_S = 0.3  # or those that came until a pause of this length


def signature(secrets: Sequence[str], payload: bytes, at: int) -> str:
    """The header Stripe-Signature: by each secret HMAC-SHA256 over `t.payload`; `at` is real time in unix seconds."""
    macs = [hmac.new(each.encode(), str(at).encode() + b"." + payload, sha256).hexdigest() for each in secrets]
    return ",".join([f"t={at}", *(f"v1={mac}" for mac in macs)])


class Webhooks:
    """
    Sends committed deliveries until each is answered 2xx or has been tried often enough.

    Deliveries are rows: a restart goes on where it stopped, so an endpoint may get one twice.
    """

    def __init__(self, state: State, journal: Journal, faults: Faults, settings: Settings) -> None:
        self._state = state
        self._journal = journal
        self._faults = faults
        self._settings = settings
        self._queue: asyncio.Queue[list[Body]] = asyncio.Queue()  # each list one after another
        self._held_back: list[Body] = []
        self._letting_go: asyncio.TimerHandle | None = None
        self.sent = 0

    def enqueue(self, deliveries: list[Body]) -> None:
        """Take committed deliveries."""
        for delivery in deliveries:
            self._queue.put_nowait([delivery])

    def forget(self) -> None:
        """Drop all that waits, after a reset."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._held_back.clear()

    async def run(self) -> None:
        """Deliver until cancelled."""
        timeout = aiohttp.ClientTimeout(total=self._settings.sandbox_webhook_timeout_ms / 1000)
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=jar) as session, asyncio.TaskGroup() as group:
            for _ in range(self._settings.sandbox_webhook_lanes):
                group.create_task(self._lane(session))

    async def _lane(self, session: aiohttp.ClientSession) -> None:
        while True:
            for delivery in await self._queue.get():
                await self._try(session, delivery)

    async def _try(self, session: aiohttp.ClientSession, delivery: Body) -> None:
        event, to = self._state.find(delivery["event"]), self._state.find(delivery["to"])
        if self._state.objects["delivery"].get(delivery["id"]) is not delivery or event is None:
            return  # the sandbox was reset meanwhile
        if to is None or to.get("deleted"):
            self._settle(delivery, "withdrawn")  # its endpoint is gone: nobody has to be told any more
            return
        if delivery["tries"] == 0 and self._faults.strike("webhook_lost", event["type"]):
            self._settle(delivery, "lost")
            return
        if delivery["tries"] == 0 and self._faults.strike("webhook_backwards", event["type"]):
            self._hold_back(delivery)
            return
        copies = 2 if self._faults.strike("webhook_doubled", event["type"]) else 1
        answered = [await self._post(session, event, to) for _ in range(copies)]
        delivery["tries"] += 1
        if any(answered):
            self._settle(delivery, "delivered")
        elif delivery["tries"] >= self._settings.sandbox_webhook_tries:
            log.warning("a webhook was given up", extra={"event": event["id"], "event_type": event["type"]})
            self._settle(delivery, "given_up")
        else:
            pause_ms = self._settings.sandbox_webhook_first_retry_ms * 2.0 ** (delivery["tries"] - 1)
            pause_ms = min(pause_ms, self._settings.sandbox_webhook_longest_retry_ms)
            asyncio.get_running_loop().call_later(pause_ms / 1000, self._queue.put_nowait, [delivery])

    async def _post(self, session: aiohttp.ClientSession, event: Body, to: Body) -> bool:
        if event["object"] == "v2.core.event":
            payload, endpoint = msgspec.json.encode(thin_notice(event)), to["webhook_endpoint"]
            url, signers = endpoint["url"], rolling.signers(to, endpoint["signing_secret"], time.time())
        else:
            payload = msgspec.json.encode(shapes.shown(self._state, event))
            url, signers = to["url"], rolling.signers(to, to["secret"], time.time())
        headers = {
            "Stripe-Signature": signature(signers, payload, int(time.time())),
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (sandbox)",
        }
        self.sent += 1
        try:
            async with session.post(url, data=payload, headers=headers, allow_redirects=False) as answer:
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, TimeoutError) as error:
            log.info("a webhook was not answered", extra={"event": event["id"], "error": type(error).__name__})
            return False

    def _hold_back(self, delivery: Body) -> None:
        delivery["tries"] += 1
        self._held_back.append(delivery)
        if self._letting_go is not None:
            self._letting_go.cancel()
        pause_s = _PAUSE_S if len(self._held_back) < _HELD_BACK else 0
        self._letting_go = asyncio.get_running_loop().call_later(pause_s, self._let_go)

    def _let_go(self) -> None:
        held, self._held_back = self._held_back, []
        self._queue.put_nowait(held[::-1])

    def _settle(self, delivery: Body, status: str) -> None:
        if self._state.objects["delivery"].get(delivery["id"]) is not delivery:
            return  # the sandbox was reset meanwhile
        delivery["status"] = status
        self._state.put(delivery)
        event = self._state.objects["event"].get(delivery["event"])
        if event is not None and event["type"] == "invoice.created" and not self._state.pending.get(event["id"]):
            invoice = self._state.objects["invoice"].get(event["data"]["object"]["id"])
            if invoice is not None and status != "given_up":
                with self._state.by_clock(self._state.test_clock_of(invoice)):
                    invoice["webhooks_delivered_at"] = self._state.now
                self._state.put(invoice)
        self._journal.nudge()
