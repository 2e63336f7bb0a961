"""Makes sure that Stripe tells us: one endpoint for snapshot events, one destination for thin ones."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable

from chassis.clock import Clock
from chassis.errors import TryLater
from invoicing_sync.settings import Settings
from invoicing_sync.store import links
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.convert import key_of
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import NotThere, Refused, Unsure

log = logging.getLogger(__name__)
PATH = "/v1/webhooks/stripe"
SECRETS_FRESH_S = 5.0  # another instance may have made the endpoint

Find = Callable[[str], Awaitable[str | None]]
Drop = Callable[[str], Awaitable[None]]


class Endpoints:
    """Stripe tells a secret once, when it makes an endpoint: one whose secret is not here is made anew."""

    def __init__(self, pool: Pool, door: StripeDoor, clock: Clock, settings: Settings) -> None:
        self._pool, self._door, self._clock = pool, door, clock
        self._url = _webhook_url(settings.public_url)
        self._given = settings.webhook_secrets()
        self._made: list[str] = []
        self._read_at = 0.0

    async def secrets(self) -> list[str]:
        """All secrets by which an event may be signed."""
        if not self._made or time.monotonic() - self._read_at > SECRETS_FRESH_S:
            self._made = await links.secrets(self._pool)
            self._read_at = time.monotonic()
        return [*self._given.known(), *self._made]

    async def ensure(self) -> None:
        """Make what is missing. Without a public URL nothing is made, and the sweep alone brings events."""
        if self._url is None:
            return
        notices = self._door.notices
        await self._ensure("webhook_endpoint", notices.find_endpoint, notices.drop_endpoint, notices.make_endpoint)
        await self._ensure(
            "event_destination", notices.find_destination, notices.drop_destination, notices.make_destination
        )

    async def _ensure(self, kind: str, find: Find, drop: Drop, make: Callable[..., Awaitable[tuple[str, str]]]) -> None:
        url = self._url
        assert url is not None
        while True:
            link = await links.intend_once(self._pool, kind, url, now=self._clock.now())
            if link.stripe_id is not None:
                return
            attempt = link.attempt if link.fresh else await links.next_attempt(self._pool, kind, url)
            left_over = await find(url)
            if left_over is not None:
                try:
                    await drop(left_over)
                except (NotThere, Refused) as error:
                    log.warning("an endpoint without a secret stays", extra={"endpoint": left_over, "why": str(error)})
            try:
                key = key_of(kind, url, {"at": link.intended_at.isoformat()}, attempt)
                endpoint_id, secret = await make(url, key=key)
            except Unsure as unsure:
                log.warning("an endpoint may have been made", extra={"kind": kind, "why": str(unsure)})
                continue
            await links.link(self._pool, kind, url, endpoint_id, secret=secret)
            return


async def ensured(endpoints: Endpoints) -> None:
    """Make sure, for as long as it takes."""
    while True:
        try:
            await endpoints.ensure()
            return
        except TryLater as later:
            log.warning("endpoints wait", extra={"why": str(later)})


def _webhook_url(public_url: str | None) -> str | None:
    if not public_url:
        return None
    return public_url if public_url.endswith(PATH) else public_url.rstrip("/") + PATH
