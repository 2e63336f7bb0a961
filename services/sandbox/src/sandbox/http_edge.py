"""What every stand-in's HTTP surface needs below its framework: a body read whole, an answer sent, a connection cut."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import Receive, Send

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


async def send_answer(send: Send, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    """One whole answer; an answer without content has no content length."""
    sent = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    if status != 204:
        sent.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})


async def hang_up(receive: Receive) -> None:
    """Cut the connection without a byte of an answer; ASGI has no word for it, so this reaches for the transport."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    assert transport is not None, "the server is not uvicorn, or the request is wrapped"
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
