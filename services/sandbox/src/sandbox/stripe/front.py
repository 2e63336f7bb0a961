"""
The Stripe surface as an ASGI app: key, rate limit, faults, Idempotency-Key, operation, commit, answer.

It stands before the FastAPI app that serves health and the control paths, and takes every path below /v1 and /v2.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import secrets
from dataclasses import dataclass

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.pacing import TokenBucket
from sandbox.http_edge import MOST_BYTES, HangUp, hang_up, read_body
from sandbox.stripe import expand, operations, shapes
from sandbox.stripe.conformance import Conformance
from sandbox.stripe.desk import Desk
from sandbox.stripe.errors import StripeError, missing_key, refused, too_many, unauthenticated, unrecognized
from sandbox.stripe.meter_route import post_meter_event
from sandbox.stripe.openapi.check import RequestChecker
from sandbox.stripe.replies import Reply, Request, failure, parameters, refusal
from sandbox.stripe.resources import test_clocks
from sandbox.stripe.state import API_VERSION

log = logging.getLogger(__name__)
Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Front:
    """The way of every request: who asks, how often, and which operation it is."""

    desk: Desk
    checker: RequestChecker
    conformance: Conformance | None
    api_keys: frozenset[str]
    requests: TokenBucket
    meter_events: TokenBucket

    async def answer(self, request: Request, authorization: str | None) -> Reply:
        """Carry out a request. Whatever Stripe would refuse is an answer too."""
        try:
            self._authenticate(authorization)
            metered = request.path == operations.METER_EVENTS and request.method == "POST"
            self._limit(request.path, metered=metered)
            reply = await (post_meter_event(self.desk, request) if metered else self._ordinary(request))
        except StripeError as error:
            reply = refusal(error)
        except Exception:  # a bug of the sandbox: its caller gets what Stripe answers to one of its own
            log.exception("a request failed", extra={"method": request.method, "path": request.path})
            reply = refusal(failure())
        if self.conformance is not None:
            self.conformance.watch(request, reply)
        hang = self.desk.faults.strike("timeout_after_commit", request.path) if reply.status == 200 else None
        if hang is not None:
            await asyncio.sleep(hang.delay_ms / 1000)
            raise HangUp
        return reply

    def _authenticate(self, authorization: str | None) -> None:
        if not authorization:
            raise missing_key()
        scheme, _, rest = authorization.partition(" ")
        key = rest.strip()
        if scheme.lower() == "basic":
            try:
                key = base64.b64decode(rest, validate=True).decode().partition(":")[0]
            except ValueError:
                raise unauthenticated("") from None
        known = key in self.api_keys if self.api_keys else key.startswith(("sk_test_", "rk_test_"))
        if not known:
            raise unauthenticated(key)

    def _limit(self, path: str, *, metered: bool) -> None:
        if self.desk.faults.strike("rate_limit_429", path):
            raise too_many("global-rate")
        bucket = self.meter_events if metered else self.requests
        if bucket.try_take() > 0:
            raise too_many("endpoint-rate" if metered else "global-rate")

    async def _ordinary(self, request: Request) -> Reply:
        found = operations.find(request.method, request.path)
        if found is None:
            raise unrecognized(request.method, request.path)
        key = request.key if request.method == "POST" or request.path.startswith("/v2/") else None
        if key is None:
            return await self._execute(request, *found)
        remembered = self.desk.remembered(key, request)
        if remembered is not None:
            return remembered
        self.desk.keys.add(key)
        try:
            return await self._execute(request, *found)
        finally:
            self.desk.keys.discard(key)

    async def _execute(self, request: Request, operation: operations.Operation, ids: tuple[str, ...]) -> Reply:
        state = self.desk.state
        await self.desk.dawdle(request)
        if self.desk.faults.strike("error_500_before_commit", request.path):
            return await self.desk.remember(request, refusal(failure()))
        try:
            params = parameters(request)
            self.checker.require(operation.method, operation.path, params)
            refuses = self.desk.faults.refuse(request.method, request.path, params)
            if refuses is not None:
                raise refused(refuses.message, code=refuses.code, param=refuses.param)
            state.request = {"id": request.id, "idempotency_key": request.key}
            try:
                with state.by_clock(test_clocks.clock_of(state, request.method, ids, params)):
                    body = operation.run(state, ids, params)
                body = expand.expand(state, shapes.shown(state, body, created=request.method == "POST"), params)
            finally:
                state.request = {"id": None, "idempotency_key": None}
            reply = Reply(200, msgspec.json.encode(body))
        except StripeError as error:
            if not error.stored:
                raise
            reply = refusal(error)
        if self.desk.faults.strike("error_500_after_commit", request.path):
            reply = refusal(failure())
        return await self.desk.remember(request, reply)


class FrontMiddleware:
    """Sends /v1 and /v2 to the Stripe surface and all else onwards."""

    def __init__(self, app: ASGIApp, *, front: Front) -> None:
        self._app = app
        self._front = front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI call."""
        if scope["type"] != "http" or not scope["path"].startswith(("/v1/", "/v2/")):
            await self._app(scope, receive, send)
            return
        wanted = {b"authorization", b"idempotency-key", b"stripe-version"}
        headers = {name: value.decode("latin-1") for name, value in scope["headers"] if name in wanted}
        request = Request(
            id=f"req_{secrets.token_hex(7)}",
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            body=await read_body(receive),
            key=headers.get(b"idempotency-key"),
            version=headers.get(b"stripe-version"),
        )
        try:
            if len(request.body) > MOST_BYTES:
                reply = refusal(StripeError(413, "Request Entity Too Large: the body is over 1 MiB."))
            else:
                reply = await self._front.answer(request, headers.get(b"authorization"))
        except HangUp:
            await hang_up(receive)
            return
        await _send(send, request, reply)


async def _send(send: Send, request: Request, reply: Reply) -> None:
    headers: Headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(reply.body)).encode()),
        (b"request-id", request.id.encode()),
        (b"stripe-version", (request.version or API_VERSION).encode("latin-1")),
    ]
    if request.key is not None:
        headers.append((b"idempotency-key", request.key.encode("latin-1")))
    headers += [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in reply.headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
