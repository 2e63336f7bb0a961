"""Holds what passes through the sandbox against Stripe's OpenAPI document, and keeps what did not hold."""

from __future__ import annotations

from typing import Any

import msgspec

from sandbox.stripe import operations
from sandbox.stripe.errors import StripeError
from sandbox.stripe.openapi.check import RequestChecker, ResponseChecker
from sandbox.stripe.replies import Reply, Request, parameters

_MOST_KEPT = 200


class Conformance:
    """Watches requests and answers when SANDBOX_CHECK is set. A refusal with 400 is checked as an error body only."""

    def __init__(self, requests: RequestChecker, responses: ResponseChecker) -> None:
        self._requests = requests
        self._responses = responses
        self._seen: dict[tuple[str, str], int] = {}
        self._violations: list[dict[str, Any]] = []
        self.checked = 0

    def watch(self, request: Request, reply: Reply) -> None:
        """Check one request and its answer."""
        template = _template(request)
        if template is None:
            self._violation(request, "request", ["no such operation in use"])
            return
        self._seen[(request.method, template)] = self._seen.get((request.method, template), 0) + 1
        self.checked += 1
        flaws = self._flaws_of(request, template)
        if flaws:
            self._violation(request, "request", flaws)
        flaws = self._responses.flaws(request.method, template, reply.status, msgspec.json.decode(reply.body))
        if flaws:
            self._violation(request, "answer", flaws)

    def forget(self) -> None:
        """Begin again."""
        self._seen.clear()
        self._violations.clear()
        self.checked = 0

    def _flaws_of(self, request: Request, template: str) -> list[str]:
        try:
            return self._requests.flaws(request.method, template, parameters(request))
        except StripeError as error:  # it cannot be read at all
            return [str(error)]

    def _violation(self, request: Request, side: str, flaws: list[str]) -> None:
        if len(self._violations) < _MOST_KEPT:
            self._violations.append(
                {"side": side, "method": request.method, "path": request.path, "request": request.id, "flaws": flaws}
            )

    def report(self) -> dict[str, Any]:
        """The operations seen, with how often, and the violations (the first 200)."""
        return {
            "operations": [
                {"method": method, "path": path, "count": count} for (method, path), count in sorted(self._seen.items())
            ],
            "checked": self.checked,
            "violations": self._violations,
        }


def _template(request: Request) -> str | None:
    if request.path == operations.METER_EVENTS and request.method == "POST":
        return request.path
    found = operations.find(request.method, request.path)
    return found[0].path if found else None
