"""A request read whole, and an answer on its way."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sandbox.stripe import form
from sandbox.stripe.errors import StripeError


@dataclass(slots=True)
class Request:
    """One request, read whole."""

    id: str
    method: str
    path: str
    query: str
    body: bytes
    key: str | None  # the Idempotency-Key
    version: str | None

    @property
    def fingerprint(self) -> str:
        """What must be the same where the Idempotency-Key is."""
        text = b"\n".join((self.method.encode(), self.path.encode(), self.query.encode(), self.body))
        return hashlib.blake2b(text, digest_size=12).hexdigest()


@dataclass(slots=True)
class Reply:
    """An answer on its way."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def refusal(error: StripeError) -> Reply:
    """An error as an answer."""
    return Reply(error.status, msgspec.json.encode(error.body()), dict(error.headers))


def failure() -> StripeError:
    """Something went wrong on the sandbox's end, on purpose."""
    return StripeError(500, "An unknown error occurred.", type_="api_error")


def other_parameters(key: str) -> StripeError:
    """The Idempotency-Key came before with other parameters."""
    return StripeError(
        400,
        "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a "
        f"key other than '{key}' if you meant to execute a different request.",
        type_="idempotency_error",
    )


def parameters(request: Request) -> dict[str, Any]:
    """A request's parameters, from its query or body. Raises StripeError where they cannot be read."""
    if request.method in ("GET", "DELETE"):
        return form.parse(request.query or (request.body.decode("utf-8", "replace") if request.body else ""))
    if request.path.startswith("/v2/"):
        if request.version is None:
            raise StripeError(400, "Please provide a Stripe-Version header.", code="stripe_version_missing")
        try:
            read = msgspec.json.decode(request.body or b"{}")
        except (msgspec.DecodeError, RecursionError):
            raise StripeError(400, "The request body is not JSON.", code="invalid_json") from None
        if not isinstance(read, dict):
            raise StripeError(400, "The request body is not a JSON object.", code="invalid_json")
        return read
    try:
        return form.parse(request.body.decode())
    except UnicodeDecodeError:
        raise StripeError(400, "Invalid request: the body is not UTF-8.") from None
