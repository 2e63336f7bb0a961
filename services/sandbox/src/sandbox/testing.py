"""What tests of the sandbox and of its clients need: a driver of both its sides, and a webhook endpoint."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import stripe

START = "2026-10-01T00:00:00Z"
OCTOBER, NOVEMBER = 1_790_812_800, 1_793_491_200  # 2026-10-01 and 2026-11-01, UTC
KEY = "sk_test_" + "0" * 24


@dataclass
class Driver:
    """The sandbox as a test sees it: the SDK on one side, the control path on the other."""

    url: str
    sdk: stripe.StripeClient
    http: httpx.AsyncClient

    @property
    def v1(self) -> Any:
        """The SDK's v1 services; untyped, since tests also send what the SDK's types would not let through."""
        return self.sdk.v1

    async def control(self, method: str, path: str, /, **body: Any) -> Any:
        """A call to the control path; its answer."""
        answer = await self.http.request(method, f"/_sandbox/{path}", json=body or None)
        answer.raise_for_status()
        return answer.json()

    async def advance(self, to: str) -> None:
        """Move business time."""
        await self.control("POST", "clock/advance", to=to)

    async def fault(self, kind: str, /, **options: Any) -> None:
        """Switch a fault on."""
        await self.control("POST", "faults", kind=kind, **options)

    async def quiet(self) -> None:
        """Return when nothing is left to do."""
        now = (await self.control("GET", "clock"))["now"]

        async def is_quiet() -> bool:
            answer = await self.http.get("/quiet", params={"at": now})
            return bool(answer.json()["quiet"])

        await until(is_quiet)

    async def raw(self, method: str, path: str, *, key: str | None = KEY, **options: Any) -> httpx.Response:
        """A request without the SDK."""
        headers = {"Authorization": f"Bearer {key}" if key else "", **options.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **options)

    async def a_meter(self, name: str = "resolution", **more: Any) -> Any:
        """A meter that sums."""
        params = {"display_name": name, "event_name": name, "default_aggregation": {"formula": "sum"}, **more}
        return await self.v1.billing.meters.create_async(params)

    async def a_price(self, meter: str | None = None, **more: Any) -> Any:
        """A monthly price, metered where a meter is given."""
        product = await self.v1.products.create_async({"name": "Resolution"})
        recurring = {"interval": "month", **({"usage_type": "metered", "meter": meter} if meter else {})}
        params = {"currency": "usd", "product": product.id, "recurring": recurring, **more}
        return await self.v1.prices.create_async(params)

    async def a_customer(self, **more: Any) -> Any:
        """A customer."""
        return await self.v1.customers.create_async({"name": "Acme", "email": "pay@acme.example", **more})

    async def a_subscription(self, customer: str, *items: dict[str, Any], **more: Any) -> Any:
        """A subscription that sends invoices."""
        params = {"customer": customer, "items": list(items), "collection_method": "send_invoice", "days_until_due": 30}
        return await self.v1.subscriptions.create_async({**params, **more})

    async def use(self, customer: str, value: str = "1", *, at: int = OCTOBER + 60, **more: Any) -> Any:
        """One meter event."""
        payload = {"stripe_customer_id": customer, "value": value}
        params = {"event_name": "resolution", "payload": payload, "timestamp": at, **more}
        return await self.v1.billing.meter_events.create_async(params)

    async def invoices(self, customer: str) -> list[Any]:
        """A customer's invoices, newest first."""
        return list((await self.v1.invoices.list_async({"customer": customer, "limit": 100})).data)


async def until(condition: Callable[[], Awaitable[bool]], *, within_s: float = 20) -> None:
    """Return when the condition holds; fail after the deadline."""
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110  # what is waited for is in another process
            await asyncio.sleep(0.01)


@dataclass
class Receiver:
    """A webhook endpoint. It answers with the statuses in `answers`, and with 200 once they are used up."""

    url: str = ""
    got: list[tuple[bytes, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was received, read."""
        return [json.loads(body) for body, _ in self.got]

    @property
    def types(self) -> list[str]:
        """Types of what was received, in order of arrival."""
        return [event["type"] for event in self.events]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A real HTTP server that keeps the webhooks it gets."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append((body, self.headers["Stripe-Signature"]))
            self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
