"""
Who is there: every request carries a key of the house, unless its route says by what else it is guarded.

    GET, HEAD, OPTIONS     a key that may `read`
    every other method     a key that may `operate`, and a line in the audit
    a route can            ask for more (`asks`), be audited though it only reads (`audited`),
                           name another guard (`guarded_by`), or be open to all (`open_to_all`)

Default deny: what is not declared asks for a key, also a path that does not exist, a mounted app, a WebSocket.
The guard is a plain ASGI layer around the router, so no route can be added beside it.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Request
from prometheus_client import Counter
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.access_rules import DEFAULT, SAFE, GuardedRoute
from chassis.key_file import KeyFile
from chassis.keyring import KeyScope
from chassis.problems import Problem
from chassis.telemetry import AUDIT

audit = logging.getLogger(AUDIT)
REFUSED = Counter("settled_access_refused", "Requests refused for their key", ["why"])
_BEARER = "bearer "
_CALLER = "settled.caller"
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `scope` is None for a key that is known and may do nothing here."""

    name: str
    scope: KeyScope | None


class Ring(Protocol):
    """Keys of another kind that a service also takes."""

    def caller(self, secret: str) -> Caller | None:
        """Who has this secret; None: nobody. Raises Problem where that cannot be told now."""


def caller_of(request: Request) -> Caller:
    """Who asks, in a route that takes a key of the house."""
    caller: Caller = request.scope[_CALLER]
    return caller


Who = Annotated[Caller, Depends(caller_of)]


@dataclass(frozen=True, slots=True)
class Access:
    """Who is let in: the house's keys, then keys of other kinds that a service takes."""

    keys: KeyFile
    metrics_open: bool = False
    others: tuple[Ring, ...] = ()

    def caller(self, authorization: str | None) -> Caller:
        """Who sends this header. Raises Problem 401, the same for a missing, unknown, expired and revoked key."""
        if authorization is not None and authorization[:7].lower() == _BEARER:
            secret = authorization[7:].strip()
            key = self.keys.find(secret)
            if key is not None:
                return Caller(key.name, key.scope)
            for ring in self.others:
                if (other := ring.caller(secret)) is not None:
                    return other
        REFUSED.labels("key").inc()
        raise Problem(
            401,
            "unauthorized",
            "send a valid key as 'Authorization: Bearer stl_...'",
            field="Authorization",
            headers={"WWW-Authenticate": "Bearer"},
        )


def too_small(caller: Caller, needed: KeyScope) -> Problem | None:
    """The refusal of a caller whose scope is below what is needed, else None."""
    if caller.scope is not None and caller.scope >= needed:
        return None
    REFUSED.labels("scope").inc()
    has = "may do nothing here" if caller.scope is None else f"has the scope {caller.scope}"
    sentence = f"this takes a key with the scope {needed}; {caller.name} {has}"
    return Problem(403, "scope_too_small", sentence, field="Authorization")


class Guard:
    """The ASGI layer that asks. The routes are looked at when the first request comes."""

    def __init__(self, app: ASGIApp, *, access: Access, routes: Callable[[], Iterable[GuardedRoute]]) -> None:
        self._app, self._access, self._find_routes = app, access, routes
        self._routes: tuple[GuardedRoute, ...] | None = None
        self._otherwise: frozenset[tuple[str, str]] = frozenset()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI call."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        if self._routes is None:
            self._learn()
        if (scope["method"], scope["path"]) in self._otherwise:
            await self._app(scope, receive, send)
            return
        await self._asked(scope, receive, send, self._route(scope["method"], scope["path"]))

    def _learn(self) -> None:
        routes = tuple(self._find_routes())
        # by their whole path, never by a pattern: what is open is no more than what was meant
        self._otherwise = frozenset(
            (method, route.template) for route in routes if route.rule.otherwise for method in route.methods
        )
        self._routes = routes

    def _route(self, method: str, path: str) -> GuardedRoute:
        for route in self._routes or ():
            fits = not route.methods or method in route.methods
            if fits and route.pattern is not None and route.pattern.match(path):
                return route
        return GuardedRoute("unknown", frozenset(), None, DEFAULT)

    async def _asked(self, scope: Scope, receive: Receive, send: Send, route: GuardedRoute) -> None:
        method, request_id = scope["method"], _request_id(scope)
        answering = _Answering(send, request_id)
        caller: Caller | None = None
        try:
            caller = self._access.caller(_header(scope, b"authorization"))
            if (refusal := too_small(caller, route.rule.scope_for(method))) is not None:
                raise refusal
            scope[_CALLER] = caller
            await self._app(scope, receive, answering)
        except Problem as problem:
            await problem.response()(scope, receive, answering)
        except Exception:
            answering.status = 500  # answered outside of us
            raise
        finally:
            if caller is not None and (method not in SAFE or route.rule.audited or answering.status == 403):
                facts = {"key": caller.name, "method": method, "route": route.template, "status": answering.status}
                audit.info("asked", extra={**facts, "request_id": request_id})


class _Answering:
    """Sends on, remembers the status, and tells the caller under which id the request stands in our logs."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send, self._id = send, request_id
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)["X-Request-Id"] = self._id
        await self._send(message)


def _request_id(scope: Scope) -> str:
    given = _header(scope, b"x-request-id")
    return given if given is not None and _REQUEST_ID.match(given) else secrets.token_hex(8)


def _header(scope: Scope, wanted: bytes) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), None)
