"""
The AvaTax surface as an ASGI app: maintenance, credentials, rate limit, faults, the call, its commit, the answer.

It stands before the FastAPI app that serves health and the control paths, and takes every path below /api/v2.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import logging
import uuid
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.pacing import TokenBucket
from sandbox.avatax import errors, json_numbers, operations
from sandbox.avatax.desk import Answer, Call, Desk
from sandbox.avatax.errors import AvaTaxError
from sandbox.avatax.journal import Batch
from sandbox.avatax.showing import KNOWN, shown
from sandbox.group_commit import GroupCommit
from sandbox.http_edge import HangUp, hang_up, read_body

log = logging.getLogger(__name__)
PREFIX = "/api/v2"
MOST_BYTES = 8 * 1_048_576  # 15,000 lines, the most that Avalara allows anybody, are some 5 MB
_HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer on its way."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    media: str = "application/json; charset=utf-8"


@dataclass(slots=True)
class Front:
    """The way of every request."""

    desk: Desk
    journal: GroupCommit[Batch]
    requests: TokenBucket
    force_timeout_s: float
    keys: frozenset[str]
    tokens: frozenset[str]

    async def answer(self, method: str, path: str, query: str, raw: bytes, authorization: str | None) -> Reply:
        """Carry out a request. Whatever AvaTax would refuse is an answer too."""
        strike = self.desk.faults.strike
        if strike("gateway_502", path):
            return Reply(502, _HTML, media="text/html")
        try:
            reply = await self._answered(method, path, query, raw, authorization)
        except AvaTaxError as error:
            reply = Reply(error.status, json_numbers.encode(error.body()), error.headers)
        except Exception:  # a bug of the stand-in: its caller gets what AvaTax answers to one of its own
            log.exception("a request failed", extra={"method": method, "path": path})
            reply = Reply(500, json_numbers.encode(errors.failure().body()))
        hang = strike("timeout_after_commit", path) if reply.status < 300 else None
        if hang is not None:
            await asyncio.sleep(hang.delay_ms / 1000)
            raise HangUp
        return reply

    async def _answered(self, method: str, path: str, query: str, raw: bytes, authorization: str | None) -> Reply:
        strike = self.desk.faults.strike
        if strike("maintenance", path):
            raise errors.maintenance()
        found = operations.find(method, path)
        who = self._caller(authorization, path, open_to_all=found is not None and found[0].open_to_all)
        if strike("rate_limit_429", path) or self.requests.try_take() > 0:
            raise errors.too_many(retry_after=self.desk.answers.retry_after == "sent")
        if len(raw) > MOST_BYTES:
            raise errors.malformed("body", "", f"body of at most {MOST_BYTES} bytes")
        if found is None or any(part == "" for part in found[1]):
            return Reply(404, b"")  # as reported of a path without its company code: no body at all
        operation, ids = found
        call = Call(ids, dict(parse_qsl(query, keep_blank_values=True)), raw, user=who[1], caller=who[0])
        slow = strike("slow", path)
        if slow is not None:
            await asyncio.sleep(slow.delay_ms / 1000)
        if strike("error_500_before_commit", path):
            raise errors.failure()
        return await self._executed(operation, call, path)

    async def _executed(self, operation: operations.Operation, call: Call, path: str) -> Reply:
        self._require_known_query(operation, call)
        include = call.include()
        forced = include is not None and "forcetimeout" in include
        if forced and self.desk.answers.forced_timeout == "not_recorded":
            await asyncio.sleep(self.force_timeout_s)
            raise errors.timed_out()
        try:
            answer = operation.run(self.desk, call)
            # now, since another request may change the document while this one waits for its commit
            body = json_numbers.encode(_body(answer, operation, include))
        finally:  # a refusal may follow a change, as when a fault locks the document
            if self.desk.state.is_dirty:
                await self.journal.committed()
        if forced:
            await asyncio.sleep(self.force_timeout_s)
            raise errors.timed_out()
        if self.desk.faults.strike("error_500_after_commit", path):
            raise errors.failure()
        return Reply(answer.status, body)

    def _require_known_query(self, operation: operations.Operation, call: Call) -> None:
        for name in call.query:
            if name.lower() in operations.UNSUPPORTED_QUERY:
                raise errors.unsupported(name)
            if name.lower() not in operation.query and self.desk.answers.unknown_fields == "refused":
                raise errors.no_such_field(name)
        for part in call.include() or ():
            if part not in KNOWN:
                raise errors.malformed("$include", part, "part of a transaction")

    def _caller(self, authorization: str | None, path: str, *, open_to_all: bool) -> tuple[str | None, str]:
        """How the caller authenticated, and under which name. Raises AvaTaxError where it must have, and has not."""
        try:
            if self.desk.faults.strike("expired_token", path):
                raise errors.expired_token()
            if self.desk.faults.strike("account_locked", path):
                raise errors.wrong_credentials()
            return self._authenticated(authorization)
        except AvaTaxError:
            if open_to_all:
                return None, ""
            raise

    def _authenticated(self, authorization: str | None) -> tuple[str, str]:
        if not authorization:
            raise errors.no_credentials()
        scheme, _, rest = authorization.partition(" ")
        if scheme.lower() == "bearer":
            if not _is_one_of(rest.strip(), self.tokens):
                raise errors.expired_token()
            return "OpenIdBearerToken", "bearer"
        if scheme.lower() != "basic":
            raise errors.no_credentials()
        try:
            account, _, key = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
        except ValueError:
            raise errors.wrong_credentials() from None
        if account != self.desk.account.account_id or not _is_one_of(key, self.keys):
            raise errors.wrong_credentials()
        return "LicenseKey", account


def _is_one_of(given: str, known: frozenset[str]) -> bool:
    return any(hmac.compare_digest(given.encode(), each.encode()) for each in known)


def _body(answer: Answer, operation: operations.Operation, include: frozenset[str] | None) -> object:
    if not answer.document:
        return answer.body
    return shown(answer.body, operation.by_default if include is None else include)


class FrontMiddleware:
    """Sends /api/v2 to the AvaTax surface and all else onwards."""

    def __init__(self, app: ASGIApp, *, front: Front) -> None:
        self._app, self._front = app, front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI call."""
        if scope["type"] != "http" or not scope["path"].lower().startswith(f"{PREFIX}/"):
            await self._app(scope, receive, send)
            return
        given = {name: value.decode("latin-1") for name, value in scope["headers"]}
        query, path = scope["query_string"].decode("latin-1"), scope["path"][len(PREFIX) :]
        try:
            raw = await read_body(receive, most=MOST_BYTES)
            reply = await self._front.answer(scope["method"], path, query, raw, given.get(b"authorization"))
        except HangUp:
            await hang_up(receive)
            return
        headers = [
            (b"content-type", reply.media.encode()),
            (b"content-length", str(len(reply.body)).encode()),
            (b"x-correlation-id", str(uuid.uuid4()).encode()),
            *((name.lower().encode(), value.encode()) for name, value in reply.headers.items()),
        ]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})
