"""This process among its like: a name, an epoch, the heartbeat, and the one role that only one of them has."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from chassis.errors import StaleEpoch
from invoicing_sync.store import leases
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.door import StripeDoor

LINE = "line"  # reads the bus, applies contracts, keeps the gate, sweeps; lanes are leased by all


class Instance:
    """`lead` is set while this process holds the role LINE."""

    def __init__(self, pool: Pool, door: StripeDoor, *, name: str, lease_s: float) -> None:
        self._pool = pool
        self._door = door
        self.name = name
        self.lease = timedelta(seconds=lease_s)
        self.epoch = 0
        self.lead = asyncio.Event()

    async def start(self) -> None:
        """Take an epoch: what an older process of this name still holds is ours."""
        self.epoch = await leases.register(self._pool, self.name, self.lease)
        await self._beat()

    async def run(self) -> None:
        """
        Renew three times a lease, until cancelled.

        Raises:
            StaleEpoch: a newer process bears our name, or the role was lost while we worked in it.
        """
        while True:
            await asyncio.sleep(self.lease.total_seconds() / 3)
            await self._beat()

    async def leave(self) -> None:
        """Give all leases up."""
        await leases.leave(self._pool, self.name, self.epoch)

    async def _beat(self) -> None:
        alive = await leases.beat(self._pool, self.name, self.epoch, self.lease)
        if alive is None:
            raise StaleEpoch(f"a newer process is running as {self.name}")
        self._door.share(max(1, alive))
        leads = await leases.take_role(self._pool, LINE, self.name, self.epoch, self.lease)
        if self.lead.is_set() and not leads:
            raise StaleEpoch("another instance has taken the line over")
        if leads:
            self.lead.set()
