"""Refusals in Stripe's own words and shape."""

from __future__ import annotations

from typing import Any


class StripeError(Exception):
    """
    An error answer. `headers` are added to it.

    `stored` says whether an Idempotency-Key remembers it: refusals by the state of things are, flaws of the request
    that show before anything is carried out are not.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type_: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: dict[str, str] | None = None,
        stored: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.stored = stored
        self._error = {"message": message, "type": type_, "code": code, "param": param}

    def body(self) -> dict[str, Any]:
        """The JSON body."""
        return {"error": {key: value for key, value in self._error.items() if value is not None}}


def missing(param: str) -> StripeError:
    """A required parameter is not there."""
    return StripeError(400, f"Missing required param: {param}.", code="parameter_missing", param=param)


def unknown(param: str) -> StripeError:
    """A parameter that the operation does not have."""
    return StripeError(400, f"Received unknown parameter: {param}", code="parameter_unknown", param=param)


def invalid(param: str, message: str, *, code: str | None = None) -> StripeError:
    """A parameter has a value that it may not have."""
    return StripeError(400, message, param=param, code=code)


def absent(kind: str, id_: str, *, param: str = "id") -> StripeError:
    """No object of this kind has this id."""
    return StripeError(404, f"No such {kind}: '{id_}'", code="resource_missing", param=param)


def unrecognized(method: str, path: str) -> StripeError:
    """No operation has this method and path."""
    return StripeError(
        404,
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at"
        " https://support.stripe.com/.",
    )


def missing_key() -> StripeError:
    """No key was given."""
    return StripeError(
        401,
        "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer "
        "auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
    )


def unauthenticated(key: str) -> StripeError:
    """The key is none of ours; only its ends are shown, as Stripe does."""
    shown = f"{key[:8]}{'*' * 8}{key[-4:]}" if len(key) > 16 else "*" * len(key)
    return StripeError(401, f"Invalid API Key provided: {shown}")


def too_many(reason: str) -> StripeError:
    """A rate or concurrency limit. Source: Stripe-Rate-Limited-Reason."""
    return StripeError(
        429,
        "Too many requests hit the API too quickly. We recommend an exponential backoff of your requests.",
        code="rate_limit",
        headers={"Stripe-Rate-Limited-Reason": reason},
    )


def refused(message: str, *, code: str | None = None, param: str | None = None) -> StripeError:
    """A request that is well formed, and that the state of things does not allow."""
    return StripeError(400, message, code=code, param=param, stored=True)


def no_address() -> StripeError:
    """An invoice is to be sent, and its customer has no e-mail address."""
    return refused(
        "Missing email. In order to create invoices that are sent to the customer, "
        "the customer must have a valid email."
    )


def unsupported(param: str) -> StripeError:
    """Stripe takes this parameter; the sandbox would have to ignore it, and says so instead."""
    return StripeError(
        400, f"The sandbox does not carry out the parameter: {param}", code="sandbox_unsupported", param=param
    )
