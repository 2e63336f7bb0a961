"""
What an answer of Stripe means for the caller.

    Answered(kind)     the outcome of one meter event or adjustment
    NotThere           404: the object does not exist
    Refused            4xx: the same call will be refused again
    Unsure             an answered 5xx: the object may exist; look it up, then try with a new key
    TryLater (chassis) busy, away or unclear for longer than the client waits

Source: docs.stripe.com, errors and idempotent requests, version 2026-10-28.endive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import aiohttp
import stripe


class Kind(StrEnum):
    """How one call ended."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"  # Stripe has this identifier already: as good as accepted
    ALREADY_CANCELLED = "already_cancelled"  # the adjustment asks for what has been done
    REFUSED = "refused"  # will be refused again
    BUSY = "busy"  # 429 and 409: nothing was done, the same key may be used again
    FAILED = "failed"  # an answered 5xx: Stripe replays it for this key
    UNCLEAR = "unclear"  # no answer: it may have been done
    NOT_SENT = "not_sent"  # no connection: it was not done
    BARRED = "barred"  # 401, 403: our key is not good enough


@dataclass(frozen=True, slots=True)
class Answered:
    """
    The outcome of one call: `code` is Stripe's or one of ours, `detail` a sentence without personal data; where it was
    refused, `status` that of the answer (HTTP), and `field` the parameter that Stripe names.
    """

    kind: Kind
    code: str = ""
    detail: str = ""
    after_s: float | None = None
    status: int = 0
    field: str = ""


class NotThere(Exception):
    """The object does not exist at Stripe."""


class Refused(Exception):
    """Stripe refuses this call and will refuse it again."""

    def __init__(self, answer: Answered) -> None:
        super().__init__(f"{answer.code}: {answer.detail}")
        self.answer = answer


class Unsure(Exception):
    """Stripe answered 5xx to a write: it may have been done. Look the object up before trying under a new key."""


# What a lost or late answer looks like: raised by aiohttp while the body is read, or wrapped by the SDK before that.
LOST = (stripe.APIConnectionError, aiohttp.ClientError, TimeoutError, OSError)


def answered(error: Exception) -> Answered:
    """Sort an error of the SDK, or of the HTTP client underneath it. Raises TypeError for any other error."""
    if isinstance(error, stripe.APIConnectionError):
        return _no_answer(error.__cause__ or error)
    if isinstance(error, stripe.StripeError):
        return _answer(error)
    if isinstance(error, LOST):
        return _no_answer(error)
    raise TypeError(f"not an error of Stripe's: {type(error).__name__}") from error


def _no_answer(cause: BaseException) -> Answered:
    # ServerTimeoutError is a timeout of the whole call; a connector error happened before anything was written
    never_connected = isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    return Answered(Kind.NOT_SENT if never_connected else Kind.UNCLEAR, type(cause).__name__)


def _answer(error: stripe.StripeError) -> Answered:
    status = error.http_status or 0
    code = error.code or ""
    message = error.user_message or ""
    if status in (409, 429) or isinstance(error, stripe.RateLimitError):
        return Answered(Kind.BUSY, _limit_of(error) or code or str(status), after_s=_retry_after(error.headers))
    if status >= 500:
        return Answered(Kind.FAILED, code or str(status))
    if status in (401, 403):
        return Answered(Kind.BARRED, code or str(status), message)
    if status == 0:
        return Answered(Kind.UNCLEAR, type(error).__name__)
    # A known identifier is told in the message alone: v1 answers without a code, v2 with duplicate_meter_event.
    if code == "duplicate_meter_event" or "already exists with identifier" in message:
        return Answered(Kind.DUPLICATE, code or "duplicate_identifier", message)
    if "already" in message and "cancel" in message.lower():
        return Answered(Kind.ALREADY_CANCELLED, code or "already_cancelled", message)
    field = getattr(error, "param", None) or ""
    return Answered(Kind.REFUSED, code or _type_of(error), message, status=status, field=field)


def _type_of(error: stripe.StripeError) -> str:
    body = error.json_body
    inner = body.get("error") if isinstance(body, dict) else None
    return str(inner.get("type", "")) if isinstance(inner, dict) else ""


def _limit_of(error: stripe.StripeError) -> str:
    return _header(error.headers, "stripe-rate-limited-reason") or ""


def _retry_after(headers: Mapping[str, str] | None) -> float | None:
    text = _header(headers, "retry-after")
    return float(text) if text is not None and text.isdigit() else None


def _header(headers: Mapping[str, str] | None, name: str) -> str | None:
    return next((value for key, value in (headers or {}).items() if key.lower() == name), None)
