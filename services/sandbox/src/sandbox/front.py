"""
The Stripe surface as an ASGI app: key, rate limit, faults, Idempotency-Key, operation, commit, answer.

It stands before the FastAPI app that serves health and the control paths, and takes every path below /v1 and /v2.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import secrets
from dataclasses import dataclass, field

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.pacing import TokenBucket
from sandbox import expand, operations, shapes
from sandbox.conformance import Conformance
from sandbox.errors import StripeError, missing_key, too_many, unauthenticated, unrecognized
from sandbox.faults import Faults
from sandbox.journal import Journal
from sandbox.meter_route import post_meter_event
from sandbox.openapi.check import RequestChecker
from sandbox.replies import Reply, Request, failure, other_parameters, parameters, refusal
from sandbox.state import API_VERSION, Answer, State

log = logging.getLogger(__name__)
MOST_BYTES = 1_048_576  # more than any request that Stripe's documents describe

Headers = list[tuple[bytes, bytes]]


class HangUp(Exception):
    """The connection is to be cut without a whole answer: the fault `timeout_after_commit`."""


@dataclass(slots=True)
class Front:
    """All that carrying out a request needs."""

    state: State
    journal: Journal
    faults: Faults
    checker: RequestChecker
    conformance: Conformance | None
    api_keys: frozenset[str]
    requests: TokenBucket
    meter_events: TokenBucket
    lanes: set[tuple[str, str]] = field(default_factory=set)  # (customer, meter) with a call under way
    keys: set[str] = field(default_factory=set)  # Idempotency-Keys under way

    async def answer(self, request: Request, authorization: str | None) -> Reply:
        """Carry out a request. Whatever Stripe would refuse is an answer too."""
        try:
            self._authenticate(authorization)
            metered = request.path == operations.METER_EVENTS and request.method == "POST"
            self._limit(request.path, metered=metered)
            reply = await (post_meter_event(self, request) if metered else self._ordinary(request))
        except StripeError as error:
            reply = refusal(error)
        except Exception:  # a bug of the sandbox: its caller gets what Stripe answers to one of its own
            log.exception("a request failed", extra={"method": request.method, "path": request.path})
            reply = refusal(failure())
        if self.conformance is not None:
            self.conformance.watch(request, reply)
        hang = self.faults.strike("timeout_after_commit", request.path) if reply.status == 200 else None
        if hang is not None:
            await asyncio.sleep(hang.delay_ms / 1000)
            raise HangUp
        return reply

    async def dawdle(self, request: Request) -> None:
        """The fault `slow`: the request is under way so long, and holds its key and lane."""
        slow = self.faults.strike("slow", request.path)
        if slow is not None:
            await asyncio.sleep(slow.delay_ms / 1000)

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
        if self.faults.strike("rate_limit_429", path):
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
        remembered = self.remembered(key, request)
        if remembered is not None:
            return remembered
        self.keys.add(key)
        try:
            return await self._execute(request, *found)
        finally:
            self.keys.discard(key)

    def remembered(self, key: str, request: Request) -> Reply | None:
        """The first answer to this Idempotency-Key; refusals where it is under way or came with other parameters."""
        if len(key) > 255:
            raise StripeError(400, "Idempotency keys may be at most 255 characters long.", type_="idempotency_error")
        if key in self.keys:
            raise StripeError(
                409,
                "There is currently another in-progress request using this Stripe-Idempotent key (that probably means "
                "you submitted twice, and the other request is still going through).",
                type_="idempotency_error",
                code="idempotency_key_in_use",
            )
        answer = self.state.answers.get(key)
        if answer is None or self.state.now - answer.at >= 86_400:
            return None
        if answer.fingerprint != request.fingerprint:
            raise other_parameters(key)
        return Reply(answer.status, answer.body, {"Idempotent-Replayed": "true"})

    async def _execute(self, request: Request, operation: operations.Operation, ids: tuple[str, ...]) -> Reply:
        state = self.state
        await self.dawdle(request)
        if self.faults.strike("error_500_before_commit", request.path):
            return await self.remember(request, refusal(failure()))
        try:
            params = parameters(request)
            self.checker.require(operation.method, operation.path, params)
            state.request = {"id": request.id, "idempotency_key": request.key}
            try:
                body = operation.run(state, ids, params)
                body = expand.expand(state, shapes.shown(state, body, created=request.method == "POST"), params)
            finally:
                state.request = {"id": None, "idempotency_key": None}
            reply = Reply(200, msgspec.json.encode(body))
        except StripeError as error:
            if not error.stored:
                raise
            reply = refusal(error)
        if self.faults.strike("error_500_after_commit", request.path):
            reply = refusal(failure())
        return await self.remember(request, reply)

    async def remember(self, request: Request, reply: Reply) -> Reply:
        """Keep the answer under the request's Idempotency-Key, and return once all is committed."""
        if request.key is not None and request.method == "POST":
            answer = Answer(request.fingerprint, reply.status, reply.body, self.state.now)
            self.state.keep_answer(request.key, answer)
        if self.state.is_dirty:
            await self.journal.committed()
        return reply


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
            body=await _read(receive),
            key=headers.get(b"idempotency-key"),
            version=headers.get(b"stripe-version"),
        )
        try:
            if len(request.body) > MOST_BYTES:
                reply = refusal(StripeError(413, "Request Entity Too Large: the body is over 1 MiB."))
            else:
                reply = await self._front.answer(request, headers.get(b"authorization"))
        except HangUp:
            await _hang_up(receive)
            return
        await _send(send, request, reply)


async def _read(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        if len(body) <= MOST_BYTES:
            body += message.get("body", b"")
    return body


async def _hang_up(receive: Receive) -> None:
    """Cut the connection without a byte of an answer; ASGI has no word for it, so this reaches for the transport."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    assert transport is not None, "the server is not uvicorn, or the request is wrapped"
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


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
