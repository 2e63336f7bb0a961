"""Business time as another sandbox owns it: two accounts of Stripe live by one clock, which one of them moves."""

from __future__ import annotations

import asyncio
import logging

import httpx

from chassis.service_key import ServiceKey
from event_schemas.times import parse_instant
from sandbox.business_time import NeverBack, Steps

log = logging.getLogger(__name__)
WAIT_S = 10


class Following:
    """Moves our clock to where the owner's stands, doing what is due on the way; so long as it is away ours stands."""

    def __init__(self, url: str, clockwork: Steps, *, key: ServiceKey) -> None:
        self._url, self._clockwork, self._key = url, clockwork, key

    async def run(self) -> None:
        """Follow until cancelled."""
        version, wait_s = -1, 0
        async with httpx.AsyncClient(timeout=WAIT_S + 10) as client:
            while True:
                try:
                    asked = {"newer_than": version, "wait_s": wait_s}
                    answer = await client.get(self._url, params=asked, headers=self._key.headers())
                    answer.raise_for_status()
                    body = answer.json()
                    version, now = int(body["version"]), body["now"] and parse_instant(body["now"])
                except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
                    log.warning("business clock is away", extra={"url": self._url, "error": type(error).__name__})
                    version, wait_s = -1, 0
                    await asyncio.sleep(0.2)
                    continue
                wait_s = WAIT_S
                if now is None:
                    await asyncio.sleep(0.05)
                    continue
                try:
                    await self._clockwork.advance(now)
                except NeverBack:
                    log.error("business clock went back, not followed", extra={"url": self._url, "version": version})
                    await asyncio.sleep(0.2)
