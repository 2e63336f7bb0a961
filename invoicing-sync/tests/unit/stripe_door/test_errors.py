"""Each answer of Stripe has a kind."""

from __future__ import annotations

import aiohttp
import pytest
import stripe

from invoicing_sync.stripe_door.errors import Kind, answered

DUPLICATE = "An event already exists with identifier e1."


def refused(status: int, message: str, code: str | None = None) -> stripe.InvalidRequestError:
    return stripe.InvalidRequestError(message, None, code, None, status, {"error": {"type": "invalid_request_error"}})


def lost(cause: BaseException) -> stripe.APIConnectionError:
    error = stripe.APIConnectionError("lost")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refused(400, DUPLICATE), Kind.DUPLICATE),
        (refused(400, "whatever", "duplicate_meter_event"), Kind.DUPLICATE),
        (refused(400, "The event e1 has already been cancelled."), Kind.ALREADY_CANCELLED),
        (refused(400, "Timestamp too far", "timestamp_too_far_in_past"), Kind.REFUSED),
        (stripe.RateLimitError("slow down", None, 429, None, {}), Kind.BUSY),
        (stripe.APIError("in use", None, 409, None, {}), Kind.BUSY),
        (stripe.APIError("oops", None, 500, None, {}), Kind.FAILED),
        (stripe.APIError("oops", None, 503, None, {}), Kind.FAILED),
        (stripe.AuthenticationError("bad key", None, 401, None, {}), Kind.BARRED),
        (stripe.PermissionError("no", None, 403, None, {}), Kind.BARRED),
        (stripe.IdempotencyError("other parameters", None, 400, None, {}), Kind.REFUSED),
        (lost(TimeoutError()), Kind.UNCLEAR),
        (lost(aiohttp.ServerDisconnectedError()), Kind.UNCLEAR),
        (lost(aiohttp.ConnectionTimeoutError()), Kind.NOT_SENT),
        (aiohttp.ClientPayloadError(), Kind.UNCLEAR),
        (ConnectionResetError(), Kind.UNCLEAR),
    ],
)
def test_an_error_is_sorted_by_what_may_be_done_next(error: Exception, kind: Kind) -> None:
    assert answered(error).kind is kind


def test_a_refused_connection_was_surely_not_sent() -> None:
    cause = aiohttp.ClientConnectorError(None, OSError(111, "refused"))  # type: ignore[arg-type]

    assert answered(lost(cause)).kind is Kind.NOT_SENT


def test_a_retry_after_is_honoured() -> None:
    error = stripe.RateLimitError("slow down", None, 429, None, {"Retry-After": "3"})

    assert answered(error).after_s == 3.0


def test_a_bug_is_not_taken_for_an_answer() -> None:
    with pytest.raises(TypeError):
        answered(ValueError("a bug"))


def test_a_refusal_has_the_status_of_its_answer() -> None:
    error = stripe.CardError("declined", None, "card_declined", None, 402, {})

    assert (answered(error).kind, answered(error).status) == (Kind.REFUSED, 402)
