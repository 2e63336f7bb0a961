"""For tests only: every route of an app, asked without a key, with a wrong, an ended, a too small and a right one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
from fastapi import FastAPI

from chassis.access_rules import GuardedRoute, routes_of
from chassis.keyring import KeyScope
from chassis.problems import MEDIA_TYPE
from chassis.testing import HouseKeys, bearer

_PARAMETER = re.compile(r"\{[^}]*\}")


def questions(app: FastAPI) -> Iterator[tuple[str, GuardedRoute]]:
    """Each (method, route) of an app, those that stand in no document included."""
    for route in routes_of(app):
        for method in sorted(route.methods or {"GET", "POST"}):
            yield method, route


def path_of(template: str) -> str:
    """A path that fits a template; what stands for the parameters need not exist."""
    return _PARAMETER.sub("1", template)


async def wrongly_answered(app: FastAPI, keys: HouseKeys) -> list[str]:
    """
    What is not as it must be, a sentence each; empty is well. The app's own work may fail: only the guard is looked at.

    No key, unknown, expired: 401. Below the scope that the route needs: 403. Enough: neither.
    """
    found = []
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for method, route in questions(app):
            for what, header, wanted in cases(method, route, keys):
                answer = await client.request(method, path_of(route.template), headers=header)
                if not as_wanted(answer, wanted):
                    found.append(f"{method} {route.template} with {what}: {answer.status_code}, not {wanted}")
    return found


def cases(method: str, route: GuardedRoute, keys: HouseKeys) -> Iterator[tuple[str, dict[str, str], int | None]]:
    """(what, header, status) for a route; the status None is anything but a refusal for the key."""
    if route.rule.otherwise:
        if route.rule.otherwise.startswith("open:"):
            yield "no key", {}, None
        return  # what guards it otherwise has tests of its own
    needed = route.rule.scope_for(method)
    yield from cases_of(needed, keys)


def cases_of(needed: KeyScope, keys: HouseKeys) -> Iterator[tuple[str, dict[str, str], int | None]]:
    """The same for a route that needs a scope."""
    yield "no key", {}, 401
    yield "an unknown key", bearer(keys.unknown), 401
    yield "an expired key", bearer(keys.expired), 401
    yield "no bearer", {"Authorization": f"Basic {keys.admin}"}, 401
    for scope, secret in ((KeyScope.READ, keys.read), (KeyScope.OPERATE, keys.operate), (KeyScope.ADMIN, keys.admin)):
        yield f"a key with the scope {scope}", bearer(secret), 403 if scope < needed else None


def as_wanted(answer: httpx.Response, wanted: int | None) -> bool:
    """Whether an answer is the refusal that is wanted, with all that belongs to it; None: no refusal for the key."""
    if wanted is None:
        return answer.status_code not in (401, 403)
    if answer.status_code != wanted:
        return False
    body: dict[str, Any] = answer.json() if answer.content else {"status": wanted}  # HEAD has no body
    says_how = answer.headers.get("www-authenticate") == "Bearer" or wanted != 401
    return says_how and answer.headers["content-type"] == MEDIA_TYPE and body["status"] == wanted


def undocumented(app: FastAPI) -> set[str]:
    """Routes that stand in no document, as `METHOD template`: a test names those that it means."""
    paths = app.openapi()["paths"]
    return {
        f"{method} {route.template}"
        for method, route in questions(app)
        if method != "HEAD" and method.lower() not in paths.get(route.template, {})
    }
