"""
The REST surface as an ASGI app: faults, signature, concurrency limit, operation, commit, answer.

It stands before the FastAPI app that serves health and the control paths, and takes every path below /services.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.documents import Documents, encoder
from sandbox.faults import Faults
from sandbox.http_edge import HangUp, hang_up, read_body, send_answer
from sandbox.netsuite.auth.access import TOKEN_PATH, Caller, Door, NoToken
from sandbox.netsuite.business_time import BusinessTime
from sandbox.netsuite.errors import NetSuiteError, changed_meanwhile, content, failure, invalid_login, too_many
from sandbox.netsuite.operations import Work
from sandbox.netsuite.records.book import Book
from sandbox.netsuite.records.saving import Order, drifted
from sandbox.netsuite.replies import Reply, Request, refusal
from sandbox.netsuite.routes import carry_out

log = logging.getLogger(__name__)
MOST_BYTES = 104 * 1024 * 1024
PREFIX = "/services/"
_MAINTENANCE = b"<html><head><title>NetSuite: Scheduled Maintenance</title></head><body>Please try later.</body></html>"


@dataclass(slots=True)
class Limits:
    """The account's concurrency limit, and how long each request is under way at least (real time)."""

    concurrency: int
    request_ms: int
    most_lines: int


class Front:
    """The way of every request."""

    def __init__(
        self, book: Book, documents: Documents, door: Door, faults: Faults, time: BusinessTime, limits: Limits
    ) -> None:
        self._book, self._documents, self.door = book, documents, door
        self._faults, self._time, self.limits = faults, time, limits
        self.under_way = 0
        self.most_under_way = 0

    async def answer(self, request: Request) -> Reply:
        """Carry out a request. Whatever NetSuite would refuse is an answer too."""
        try:
            reply = await self._maintained(request)
        except NetSuiteError as error:
            reply = refusal(error)
        except Exception:  # a bug of the stand-in: its caller gets what NetSuite answers to one of its own
            log.exception("a request failed", extra={"method": request.method, "path": request.path})
            reply = refusal(failure(secrets.token_hex(8)))
        hang = self._faults.strike("timeout_after_commit", request.path) if reply.status < 300 else None
        if hang is not None:
            await asyncio.sleep(hang.delay_ms / 1000)
            raise HangUp
        return reply

    async def _maintained(self, request: Request) -> Reply:
        if self._faults.strike("maintenance", request.path):
            return Reply(503, _MAINTENANCE, {"Content-Type": "text/html; charset=utf-8"})
        if len(request.body) > MOST_BYTES:
            raise content("The request body is over 104 MB.", None)
        if request.path == TOKEN_PATH:
            return await self._token(request)
        authorization = request.headers.get("authorization")
        if authorization is not None and self._faults.strike("expired_token", request.path):
            self.door.expire(authorization)
        if late := self._faults.strike("overload_as_invalid_login", request.path):
            await asyncio.sleep(late.delay_ms / 1000)
            raise invalid_login()
        caller = self.door.let_in(authorization, method=request.method, url=request.url)
        if self._faults.strike("concurrency_429", request.path) or self.under_way >= self.limits.concurrency:
            raise too_many()
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await self._governed(request, caller)
        finally:
            self.under_way -= 1

    async def _token(self, request: Request) -> Reply:
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
        try:
            if request.method != "POST":
                raise NoToken("invalid_request", status=405)
            kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            pairs = parse_qsl(request.body.decode("utf-8", "replace"))
            if kind != "application/x-www-form-urlencoded" or len(dict(pairs)) != len(pairs):
                raise NoToken("invalid_request")
            body = self.door.grant(dict(pairs), url=request.base + request.path)
        except NoToken as refused:
            return Reply(refused.status, encoder.encode({"error": refused.error}), headers)
        await self._documents.committed()
        return Reply(200, encoder.encode(body), headers)

    async def _governed(self, request: Request, caller: Caller) -> Reply:
        slow = self._faults.strike("slow", request.path)
        await asyncio.sleep((self.limits.request_ms + (slow.delay_ms if slow else 0)) / 1000)
        if self._faults.strike("error_500_before_commit", request.path):
            raise failure(secrets.token_hex(8))
        writes = request.method in ("POST", "PATCH", "PUT", "DELETE")
        if writes and self._faults.strike("record_locked", request.path):
            raise changed_meanwhile()
        reply = self.carry_out(request, caller)
        await self._documents.committed()
        if self._faults.strike("error_500_after_commit", request.path):
            raise failure(secrets.token_hex(8))
        return reply

    def carry_out(self, request: Request, caller: Caller, *, may_override: bool = False) -> Reply:
        """The operation itself, in one piece; what it changes is durable with the next commit."""
        saves = request.method in ("POST", "PATCH", "PUT") and "/record/" in request.path
        meddles = saves and self._faults.strike("total_changed", request.path) is not None
        order = Order(
            now=self._time.now(),
            may_override=may_override,
            most_lines=self.limits.most_lines,
            workflow=drifted(self._book) if meddles else None,
        )
        return carry_out(Work(self._book, caller, order, self.limits.concurrency), request)


class FrontMiddleware:
    """Sends /services to the REST surface and all else onwards."""

    def __init__(self, app: ASGIApp, *, front: Front, base: Callable[[Scope], str]) -> None:
        self._app, self._front, self._base = app, front, base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI call."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        request = Request(
            method=scope["method"],
            path=scope["raw_path"].decode("latin-1").partition("?")[0],
            query=scope["query_string"].decode("latin-1"),
            base=self._base(scope),
            headers=headers,
            body=await read_body(receive, most=MOST_BYTES),
        )
        try:
            reply = await self._front.answer(request)
        except HangUp:
            await hang_up(receive)
            return
        operation = {"X-N-OperationId": secrets.token_hex(16)}
        await send_answer(send, reply.status, reply.body, {**reply.headers, **operation})


def called_by(public_url: str | None) -> Callable[[Scope], str]:
    """How a request's scheme and host are known: as set, else as the client named us."""

    def base(scope: Scope) -> str:
        if public_url:
            return public_url.rstrip("/")
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "localhost")
        return f"{scope['scheme']}://{host}"

    return base
