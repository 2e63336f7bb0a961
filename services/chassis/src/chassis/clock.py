"""Business time, which decides about money: the real one in production, the sandbox's in demo and tests."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol

import httpx

from chassis.errors import WrongSetting
from chassis.service_key import ServiceKey
from event_schemas.times import parse_instant

log = logging.getLogger(__name__)
_KEYS = "SERVICE_KEY or SERVICE_KEY_FILE, which takes a key with the scope read"


class Clock(Protocol):
    """Anything that tells business time, UTC. Process time (time-outs, back-off, leases) never comes from here."""

    def now(self) -> datetime:
        """Business time at this moment."""


class SystemClock:
    """Business time is real time."""

    def now(self) -> datetime:
        """The machine's UTC time."""
        return datetime.now(UTC)

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""


class SteppedClock:
    """
    Business time as another service owns it: moving in steps, never back, followed by a long poll.

    `now()` is the last step seen. While the owner is away time stands still, which delays money and never changes it.
    """

    def __init__(self, url: str, *, key: ServiceKey | None = None, wait_s: int = 10) -> None:
        self._url = url
        self._key = key or ServiceKey()
        self._wait_s = wait_s
        self._version = -1
        self._now: datetime | None = None
        self._task: asyncio.Task[None] | None = None
        self._refused = False  # by the owner's last answer

    def now(self) -> datetime:
        """The last step seen. Raises RuntimeError before `start` has seen one."""
        if self._now is None:
            raise RuntimeError("the business clock was read before it was started")
        return self._now

    async def start(self) -> None:
        """
        Return once the first step is known; follow the owner from then on.

        Raises:
            WrongSetting: the owner refuses our key. Refused later on we keep asking: a rotation may be under way.
        """
        client = httpx.AsyncClient(timeout=self._wait_s + 10)
        while self._now is None:
            await self._poll(client, wait_s=0)
            if self._refused:
                await client.aclose()
                raise WrongSetting(f"the owner of business time at {self._url} refuses us: look at {_KEYS}")
        self._task = asyncio.create_task(self._follow(client), name="business-clock")

    async def stop(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _follow(self, client: httpx.AsyncClient) -> None:
        try:
            while True:
                await self._poll(client, wait_s=self._wait_s)
        finally:
            await client.aclose()

    async def _poll(self, client: httpx.AsyncClient, *, wait_s: int) -> None:
        try:
            asked = {"newer_than": self._version, "wait_s": wait_s}
            answer = await client.get(self._url, params=asked, headers=self._key.headers())
            self._refused = answer.status_code in (401, 403)
            answer.raise_for_status()
            body = answer.json()
            version, now = int(body["version"]), body["now"] and parse_instant(body["now"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:  # away, or an answer that is none
            said = "business clock refuses our key" if self._refused else "business clock is away"
            log.warning(said, extra={"url": self._url, "error": type(error).__name__})
            await asyncio.sleep(0.2)
            return
        if now is None:
            await asyncio.sleep(0.05)
        elif self._now is not None and now < self._now:
            log.error("business clock went back, not followed", extra={"url": self._url, "version": version})
            await asyncio.sleep(0.2)
        else:
            self._version, self._now = version, now


BusinessClock = SystemClock | SteppedClock


def business_clock(url: str | None, key: ServiceKey | None = None) -> BusinessClock:
    """The clock that a service runs by: `url` names the owner of stepped time, who is asked with `key`; None: real."""
    return SteppedClock(url, key=key) if url else SystemClock()
