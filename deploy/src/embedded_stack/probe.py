"""Asks a server something from synchronous code, wherever that code runs."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def ask(question: Coroutine[Any, Any, T]) -> T:
    """The answer of a coroutine, run in a thread of its own: the caller's may have an event loop that runs."""
    with ThreadPoolExecutor(max_workers=1) as aside:
        return aside.submit(asyncio.run, question).result()
