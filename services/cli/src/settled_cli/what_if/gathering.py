"""Asks the line for what a draft is tried on: contracts, frozen periods, and what another policy would have charged."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import quote

from event_schemas.contract_v2 import ContractV2, from_version_1, read_contract
from event_schemas.contracts import Contract
from event_schemas.times import Period, parse_instant
from settled_cli.agreements import all_contracts
from settled_cli.asking import MOST
from settled_cli.line import Line

AT_ONCE = 8  # requests on their way: more only wait in the services
RECKONED = ("complete", "held", "finalising", "checking", "collecting", "finalised")  # the frozen ledger is whole

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Known:
    """A customer's contract and the frozen period that is looked at, with its ledger: units by meter."""

    contract: ContractV2
    period: Period
    freeze_at: str
    ledger: dict[str, Decimal]

    @property
    def customer(self) -> str:
        """Whose it is."""
        return self.contract.customer


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A customer who is not tried, and why."""

    customer: str
    why: str


@dataclass(slots=True)
class Decided:
    """What rating answers, its pages added up: counts by meter, and what turned, each with one conversation of it."""

    conversations: int = 0
    meters: dict[str, dict[str, Any]] = field(default_factory=dict)
    turned: dict[tuple[str, str, str, bool], dict[str, Any]] = field(default_factory=dict)

    def add(self, page: dict[str, Any]) -> None:
        """Add a page, or all of another customer's."""
        self.conversations += page["conversations"]
        for one in page["meters"]:
            sums = self.meters.setdefault(one["meter"], {"meter": one["meter"], "before": 0, "after": 0})
            sums["before"] += one["before"]
            sums["after"] += one["after"]
        for one in page["turned"]:
            key = (one["meter"], one["before"], one["after"], one["units"] > 0)
            if key in self.turned:
                self.turned[key]["units"] += one["units"]
            else:
                self.turned[key] = dict(one)

    def as_page(self) -> dict[str, Any]:
        """The sums in the form of a page."""
        turned = sorted(self.turned.values(), key=lambda one: -abs(one["units"]))
        return {"conversations": self.conversations, "meters": list(self.meters.values()), "turned": turned}


async def customers(line: Line) -> list[str]:
    """All who have a contract, by name."""
    return [contract["customer"] for contract in await all_contracts(line)]


async def known(line: Line, customer: str, month: str | None) -> Known | LeftOut:
    """
    The contract and the period that begins in a month (2026-10; None: the latest that is frozen whole).

    Raises:
        Refused: 404, nobody has such a contract.
    """
    found = await line.get("invoicing-sync", f"/v1/contracts/{quote(customer, safe='')}")
    if found["applied_revision"] != found["revision"]:
        return LeftOut(
            customer, f"revision {found['revision']} of the contract is not applied: no invoice is by it yet"
        )
    rows = await line.get("invoicing-sync", "/v1/periods", customer=customer, limit=MOST)
    whole = [row for row in rows if row["number"] >= 0 and row["state"] in RECKONED and row["ledger"] is not None]
    row = next((row for row in whole if month is None or row["period_start"].startswith(month)), None)
    if row is None:
        when = f"that begins in {month}" if month else "of the past"
        return LeftOut(customer, f"no period {when} is frozen whole with this customer")
    contract = read_contract(found["document"])
    if isinstance(contract, Contract):
        contract = from_version_1(contract, agreed_at=contract.billing_anchor)
    period = Period(parse_instant(row["period_start"]), parse_instant(row["period_end"]))
    ledger = {meter: Decimal(net) for meter, net in row["ledger"].items()}
    return Known(contract, period, row["freeze_at"], ledger)


async def decided(line: Line, of: Known, policy: dict[str, Any]) -> Decided:
    """What the conversations of the period come to by the contract's policies and by another one, as at the freeze."""
    order = {
        "customer": of.customer,
        "from": of.period.start.isoformat(),
        "to": of.period.end.isoformat(),
        "received_before": of.freeze_at,
        "policy": policy,
    }
    sums = Decided()
    after: str | None = None
    while True:
        page = await line.post("rating", "/v1/what-if", {**order, "after": after})
        sums.add({**page, "turned": [{**one, "customer": of.customer} for one in page["turned"]]})
        after = page["next"]
        if after is None:
            return sums


async def each(ask: Callable[[T], Awaitable[R]], of: Sequence[T], done: Callable[[], None]) -> list[R]:
    """Ask the same of each, AT_ONCE at a time; `done` is called as each is answered. The answers in order."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(what: T) -> R:
        async with slots:
            answer = await ask(what)
        done()
        return answer

    return list(await asyncio.gather(*(one(what) for what in of)))


def split(found: Iterable[Known | LeftOut]) -> tuple[list[Known], list[LeftOut]]:
    """Those that are tried, and those that are not."""
    there = list(found)
    return [one for one in there if isinstance(one, Known)], [one for one in there if isinstance(one, LeftOut)]
