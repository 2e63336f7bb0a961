"""
Speaks to Stripe by its own SDK: one connection pool, explicit time-outs, our retries only, two rate budgets.

Retries live here for ordinary calls, and in the sender for usage; the SDK's own are off.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast

import aiohttp
import stripe

from chassis.errors import TryLater
from chassis.pacing import TokenBucket, backoff_s
from invoicing_sync import metrics
from invoicing_sync.stripe_door.errors import LOST, Answered, Kind, NotThere, Refused, Unsure, answered
from invoicing_sync.stripe_door.secrets import ApiKeys

log = logging.getLogger(__name__)

T = TypeVar("T")
Row = dict[str, Any]
Method = Literal["get", "post", "delete"]
API_VERSION = "2026-10-28.endive"  # what wire.py and convert.py are written against; the SDK pins the same
TRIES = 8  # ordinary calls: with the default back-off about a minute, then the worker that asked comes back later
AGAIN = frozenset({Kind.BUSY, Kind.NOT_SENT, Kind.UNCLEAR})

stripe.enable_telemetry = False


@dataclass(frozen=True, slots=True)
class Pace:
    """Time-outs and back-off in seconds of process time, rates in calls a second."""

    call_timeout_s: float = 20.0
    connect_timeout_s: float = 5.0
    retry_base_s: float = 0.25
    retry_cap_s: float = 20.0
    connections: int = 32
    calls_per_second: float = 80.0
    meter_events_per_second: float = 1_000.0


class _Transport(stripe.AIOHTTPClient):
    """Signs each request with the key of the moment; one that Stripe refuses (401) is sent again with the next key."""

    def __init__(self, keys: ApiKeys, session: aiohttp.ClientSession) -> None:
        super().__init__(
            timeout=None, session=session
        )  # None lets the session's time-outs stand; a number replaces all
        self._keys = keys

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """As the SDK's, with our Authorization. A request that is refused by 401 was not carried out."""
        tried: set[str] = set()
        key: str | None = self._keys.current()
        while key is not None:
            signed = {**headers, "Authorization": f"Bearer {key}"}
            content, status, answered = await super().request_async(method, url, signed, post_data)
            if status != 401:
                break
            tried.add(key)
            key = self._keys.after(tried)
        return content, status, answered


class Client:
    """The SDK's client with our manners. `open` and `close` belong to one event loop."""

    def __init__(self, keys: ApiKeys, *, base_url: str | None, pace: Pace) -> None:
        self._keys = keys
        self._base_url = base_url.rstrip("/") if base_url else None
        self._sdk: stripe.StripeClient | None = None
        self._session: aiohttp.ClientSession | None = None
        self.pace = pace
        self._slots = asyncio.Semaphore(pace.connections)  # a call waits here, where no time-out runs yet
        self.calls = TokenBucket(pace.calls_per_second, max(1.0, pace.calls_per_second / 4))
        self.meter_events = TokenBucket(pace.meter_events_per_second, max(1.0, pace.meter_events_per_second / 10))

    async def open(self) -> None:
        """Make the connection pool."""
        pace = self.pace
        timeout = aiohttp.ClientTimeout(
            total=pace.call_timeout_s, connect=pace.connect_timeout_s, sock_connect=pace.connect_timeout_s
        )
        connector = aiohttp.TCPConnector(limit=pace.connections + 8, keepalive_timeout=30)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=connector)
        http = _Transport(self._keys, self._session)
        base = self._base_url
        addresses: Any = {"api": base, "meter_events": base} if base else {}
        self._sdk = stripe.StripeClient(
            self._keys.current(),
            stripe_version=API_VERSION,
            base_addresses=addresses,
            http_client=http,
            max_network_retries=0,
        )

    async def close(self) -> None:
        """Close the connection pool."""
        if self._session is not None:
            await self._session.close()

    @property
    def sdk(self) -> stripe.StripeClient:
        """The SDK's client. Raises RuntimeError before `open`."""
        if self._sdk is None:
            raise RuntimeError("the Stripe client was used before it was opened")
        return self._sdk

    async def request(self, method: Method, path: str, params: Row | None = None, *, key: str | None = None) -> Row:
        """
        One call as the SDK makes it, with `key` as its Idempotency-Key; Stripe's JSON as plain values.

        The SDK's typed methods build an object of every nested part, which took a third of this service's time.
        """
        options = {} if key is None else {"idempotency_key": key}
        answer: Any = await self.sdk.raw_request_async(method, path, **(params or {}), **options)
        return cast(Row, answer.data)

    async def get(self, name: str, path: str, params: Row | None = None) -> Row:
        """Read under our manners. Raises NotThere, Refused, TryLater."""
        return await self.ask(name, lambda: self.request("get", path, params))

    async def post(self, name: str, path: str, params: Row | None = None, *, key: str | None = None) -> Row:
        """
        Write under our manners: with an Idempotency-Key, or without one what may be repeated freely.

        Raises:
            NotThere, Refused, TryLater: as `ask`.
            Unsure: it was answered by a 5xx, and has a key.
        """
        return await self.ask(name, lambda: self.request("post", path, params, key=key), write=key is not None)

    async def delete(self, name: str, path: str) -> Row:
        """Take an object away under our manners; may be repeated. Raises NotThere, Refused, TryLater."""
        return await self.ask(name, lambda: self.request("delete", path))

    async def once(self, name: str, call: Callable[[], Awaitable[object]]) -> Answered:
        """One usage call, without a retry: how it ended, whatever happened."""
        await self.meter_events.take()
        try:
            async with self._slots:
                await call()
            outcome = Answered(Kind.ACCEPTED)
        except (stripe.StripeError, *LOST) as error:
            outcome = answered(error)
        metrics.calls.labels(name, outcome.kind.value).inc()
        return outcome

    async def ask(self, name: str, call: Callable[[], Awaitable[T]], *, write: bool = False) -> T:
        """
        One ordinary call, tried again while trying again is safe: `call` must use the same key each time.

        Raises:
            NotThere, Refused: a final answer.
            Unsure: a write was answered by a 5xx.
            TryLater: Stripe is busy or away, or refuses our key.
        """
        outcome = Answered(Kind.NOT_SENT)
        for attempt in range(1, TRIES + 1):
            await self.calls.take()
            try:
                async with self._slots:
                    result = await call()
            except (stripe.StripeError, *LOST) as error:
                outcome = answered(error)
                metrics.calls.labels(name, outcome.kind.value).inc()
                if outcome.kind not in AGAIN and not (outcome.kind is Kind.FAILED and not write):
                    raise _final(outcome, name, error) from error
            else:
                metrics.calls.labels(name, Kind.ACCEPTED.value).inc()
                return result
            await asyncio.sleep(max(outcome.after_s or 0.0, self.backoff_s(attempt)))
        raise TryLater(f"{name}: {outcome.kind} {outcome.code}", after_s=self.pace.retry_cap_s)

    async def rows(self, name: str, path: str, params: Row) -> AsyncIterator[Row]:
        """All objects of a list, page by page; decimals come as text."""
        while True:
            page = await self.get(name, path, params)
            for row in page["data"]:
                yield row
            if not page["has_more"]:
                return
            params = {**params, "starting_after": page["data"][-1]["id"]}

    def backoff_s(self, attempt: int) -> float:
        """Seconds to wait after try `attempt`, with jitter."""
        return backoff_s(attempt, base_s=self.pace.retry_base_s, cap_s=self.pace.retry_cap_s)


def _final(outcome: Answered, name: str, error: Exception) -> Exception:
    if outcome.kind is Kind.FAILED:
        return Unsure(f"{name}: {outcome.code}")
    if outcome.kind is Kind.BARRED:
        log.error("Stripe does not accept our key", extra={"call": name, "code": outcome.code})
        return TryLater(f"{name}: Stripe does not accept our key", after_s=30.0)
    if isinstance(error, stripe.StripeError) and error.http_status == 404:
        return NotThere(name)
    return Refused(outcome)
