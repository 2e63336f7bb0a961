"""What a route asks of its caller, declared where the route stands, and the routes of an app as the guard sees them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from chassis.keyring import KeyScope

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Rule:
    """What a route asks for. `otherwise` is a sentence about what guards it in place of a key."""

    scope: KeyScope | None = None  # None: by its method
    audited: bool = False
    otherwise: str | None = None

    def scope_for(self, method: str) -> KeyScope:
        """The scope that a request of this method needs."""
        return self.scope or (KeyScope.READ if method in SAFE else KeyScope.OPERATE)


DEFAULT = Rule()


def rule_of(endpoint: object) -> Rule:
    """What a route's function declares."""
    rule: Rule = getattr(endpoint, "__access__", DEFAULT)
    return rule


def asks(scope: KeyScope) -> Callable[[Endpoint], Endpoint]:
    """A route that needs this scope, whatever its method."""
    return lambda endpoint: _declare(endpoint, scope=scope)


def audited(endpoint: Endpoint) -> Endpoint:
    """A route that leaves an audit line though it only reads, since it shows something sealed."""
    return _declare(endpoint, audited=True)


def guarded_by(what: str) -> Callable[[Endpoint], Endpoint]:
    """
    A route that takes no key of the house, because it checks something else itself, such as a signature.

    Its path has no parameters: such a route is known by its whole path.
    """
    return lambda endpoint: _declare(endpoint, otherwise=what)


def open_to_all(why: str) -> Callable[[Endpoint], Endpoint]:
    """A route that answers anybody."""
    return lambda endpoint: _declare(endpoint, otherwise=f"open: {why}")


def _declare(endpoint: Endpoint, **changes: Any) -> Endpoint:
    endpoint.__access__ = replace(rule_of(endpoint), **changes)  # type: ignore[attr-defined]  # read by rule_of alone
    return endpoint


@dataclass(frozen=True, slots=True)
class GuardedRoute:
    """One route as the guard sees it. `methods` is empty for what takes every method, such as a mounted app."""

    template: str
    methods: frozenset[str]
    pattern: re.Pattern[str] | None
    rule: Rule


def routes_of(app: FastAPI) -> Iterator[GuardedRoute]:
    """Every route of an app in the order in which they are tried, those included that are in no document."""
    for context in iter_route_contexts(app.routes):
        yield GuardedRoute(
            context.path_format or context.path or "",
            frozenset(context.methods or ()),
            getattr(context, "path_regex", None),
            rule_of(context.endpoint),
        )
