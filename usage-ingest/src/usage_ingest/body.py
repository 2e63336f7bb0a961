"""Reading a request's body without trusting its size, its speed or its labels."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request

from chassis.problems import Problem
from usage_ingest.decode import Shape
from usage_ingest.domain.limits import BODY_BYTES_MAX

SHAPES = {
    "application/json": Shape.EITHER,
    "application/cloudevents+json": Shape.ONE,
    "application/cloudevents-batch+json": Shape.BATCH,
}


def shape_of(headers: Headers) -> Shape:
    """What the content type says the body holds. Raises Problem 415 for types, charsets and codings not taken."""
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Problem(
            415, "unsupported_encoding", "send the body as it is, without compression", field="Content-Encoding"
        )
    media_type, *parameters = headers.get("content-type", "").lower().split(";")
    shape = SHAPES.get(media_type.strip())
    if shape is None:
        raise Problem(415, "unsupported_media_type", f"send one of {', '.join(sorted(SHAPES))}", field="Content-Type")
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8", "us-ascii"):
            raise Problem(415, "unsupported_charset", "events are JSON in UTF-8", field="Content-Type")
    return shape


class BodyReader:
    """Reads bodies of at most BODY_BYTES_MAX each and `open_bytes_max` together; what is over is refused, not kept."""

    def __init__(self, *, open_bytes_max: int, within_s: float) -> None:
        self._open_bytes_max = open_bytes_max
        self._within_s = within_s
        self.open_bytes = 0

    async def read(self, request: Request) -> bytes:
        """
        The whole body.

        Raises:
            Problem: 413 too large, 408 too slow, 400 cut off, 503 too many bodies open.
        """
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and (len(announced) > 9 or int(announced) > BODY_BYTES_MAX):
            raise _too_large()
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._within_s):
                async for chunk in request.stream():
                    if size + len(chunk) > BODY_BYTES_MAX:
                        raise _too_large()
                    if self.open_bytes + len(chunk) > self._open_bytes_max:
                        raise Problem(503, "overloaded", "too many requests are open", headers={"Retry-After": "1"})
                    size += len(chunk)
                    self.open_bytes += len(chunk)
                    chunks.append(chunk)
        except TimeoutError:
            raise Problem(408, "body_too_slow", f"the body was not there within {self._within_s:g} s") from None
        except ClientDisconnect:
            raise Problem(400, "incomplete_body", "the connection closed before the body's end") from None
        finally:
            self.open_bytes -= size
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large() -> Problem:
    return Problem(413, "body_too_large", f"a request's body is at most {BODY_BYTES_MAX} bytes")
