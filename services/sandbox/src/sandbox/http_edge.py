"""What every stand-in's HTTP surface needs below its framework: a body read whole, and a connection cut on purpose."""

from __future__ import annotations

from starlette.types import Receive

MOST_BYTES = 1_048_576  # more than any request that Stripe's documents describe


class HangUp(Exception):
    """The connection is to be cut without a whole answer: the fault `timeout_after_commit`."""


async def read_body(receive: Receive, *, most: int = MOST_BYTES) -> bytes:
    """The whole body; of one above `most` bytes no more than shows that it is."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        if len(body) <= most:
            body += message.get("body", b"")
    return body


async def hang_up(receive: Receive) -> None:
    """Cut the connection without a byte of an answer; ASGI has no word for it, so this reaches for the transport."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    assert transport is not None, "the server is not uvicorn, or the request is wrapped"
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
