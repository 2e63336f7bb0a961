"""
The first look at a contract that comes in: ours, another door's, or moved from one to the other.

Another door's contract is known from then on, and what waited for it leaves the waiting room in the same transaction,
under the lock that intakes take. Its entries stay in the ledger's copy, whose gapless numbers prove that a period is
complete, and no delivery is made of them. A move is taken by neither door, and each has a case.
"""

from __future__ import annotations

from chassis.clock import Clock
from chassis.errors import WrongSetting
from chassis.store import transaction
from invoicing_sync import metrics
from invoicing_sync.contracts.domain.issuers import AnyContract, Issuers, Reception, issuers_of, received
from invoicing_sync.contracts.store import ownership
from invoicing_sync.store import cases
from invoicing_sync.store.pool import Pool, lock_intake


class Doorkeeper:
    """`issuers`: whose contracts this door bills; none: everybody's."""

    def __init__(self, pool: Pool, clock: Clock, *, issuers: Issuers) -> None:
        self._pool, self._clock, self._issuers = pool, clock, issuers

    async def begin(self) -> None:
        """
        Entries of contracts that were another door's until now wait for them; repeating it changes nothing.

        Raises:
            WrongSetting: ISSUERS leaves out one whose contracts are applied here: two doors would bill them.
        """
        left_out = await ownership.applied_issuers(self._pool) - self._issuers
        if self._issuers and left_out:
            raise WrongSetting(
                f"ISSUERS leaves out {', '.join(sorted(left_out))}, whose contracts this door has applied and bills: "
                "name it again; contracts do not move from one door to another"
            )
        async with transaction(self._pool) as tx:
            await lock_intake(tx)
            if customers := await ownership.never_looked_at(tx, self._issuers):
                await ownership.enter_waiting_room(tx, customers)

    async def admits(self, contract: AnyContract) -> bool:
        """Whether the contract is ours to keep; another door's is known from here on, a move is a case."""
        if not self._issuers:
            return True
        known = await ownership.known(self._pool, contract.customer)
        is_news = known is None or known.revision < contract.revision
        found = received(contract, known, self._issuers)
        if known is not None and known.revision > contract.revision:
            return found is Reception.OURS  # a later revision came, and the topic still holds this one
        if found is Reception.MOVED:
            await self._say_moved(contract, known)
            return False
        if is_news:
            await cases.close_case(self._pool, "contract_moved", contract.customer, now=self._clock.now())
        if found is Reception.ANOTHERS:
            await self._leave(contract)
        return found is Reception.OURS

    async def _leave(self, contract: AnyContract) -> None:
        async with transaction(self._pool) as tx:
            await lock_intake(tx)
            await ownership.keep_as_anothers(tx, contract)
            left = await ownership.leave_waiting_room(tx, contract.customer)
        metrics.of_other_doors.inc(left)

    async def _say_moved(self, contract: AnyContract, known: AnyContract | None) -> None:
        before = issuers_of(known) if known is not None else ()
        after = issuers_of(contract)
        names = f"revision {contract.revision} names {' and '.join(after)}"
        kept = "nothing is billed by it" if known is None else f"revision {known.revision} stays in force"
        was = f", and revision {known.revision} named {' and '.join(before)}" if known is not None else ""
        await cases.open_case_once(
            self._pool,
            "contract_moved",
            contract.customer,
            now=self._clock.now(),
            customer=contract.customer,
            revision=contract.revision,
            issuers=list(after),
            issuers_before=list(before),
            sentence=(
                f"{names}{was}: these are billed by different doors, and a contract does not move from one to another "
                f"yet. {kept[0].upper()}{kept[1:]}, and neither door takes this one: publish a higher revision with "
                "one issuer, that of before"
            ),
        )
