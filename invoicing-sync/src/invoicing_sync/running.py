"""The running period of a customer: what stands in it so far, and the lines that its invoice would have now."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel

from event_schemas.times import Period
from event_schemas.values import decimal_text
from invoicing_sync.answers import ExpectedLine
from invoicing_sync.contracts.store import contracts
from invoicing_sync.contracts.store.contracts import Account
from invoicing_sync.invoices.domain.carried import on_invoice
from invoicing_sync.invoices.domain.engine import cuts
from invoicing_sync.invoices.domain.sides import lines_of
from invoicing_sync.invoices.store import billed, carried, periods
from invoicing_sync.store import reading
from invoicing_sync.store.pool import Pool

Billing = Literal["priced", "free", "unpriced"]


class RunningMeter(BaseModel):
    """One meter in the running period; `open` counts its entries that are not settled at Stripe yet."""

    meter: str
    charges: int
    reversals: int
    net: str
    corrections: int
    open: int
    billing: Billing  # unpriced: it would stand on no invoice


class RunningAnswer(BaseModel):
    """A customer's running period, [start, end); amounts in minor units of `currency`, before taxes and discounts."""

    customer: str
    currency: str
    revision: int
    number: int
    start: datetime
    end: datetime
    freeze_at: datetime | None
    as_of: datetime
    billed_from: datetime | None
    meters: list[RunningMeter]
    expected: list[ExpectedLine]
    usage_minor: int
    advance_minor: int
    total_minor: int


async def running(pool: Pool, customer: str, now: datetime) -> RunningAnswer | None:
    """The period that holds `now`, from what this service has of the ledger; None where no contract is applied."""
    account = await contracts.account(pool, customer)
    if account is None:
        return None
    agreement = account.agreement
    number, period = _period_at(account, now)
    counts = await reading.running_counts(pool, customer, period)
    usage = await periods.used(pool, customer, period, cuts(agreement.terms, period))
    before = await billed.before(pool, customer, number)
    own = lines_of(agreement, period, usage, before)
    lines = (*own, *on_invoice(await carried.by_carrier(pool, customer, number)))
    known = await periods.find(pool, customer, number)
    sums = {kind: sum(line.amount.minor for line in lines if line.kind == kind) for kind in ("usage", "advance")}
    billing: dict[str, Billing] = dict.fromkeys(agreement.free, "free")
    billing |= dict.fromkeys(agreement.meters, "priced")
    return RunningAnswer(
        customer=customer,
        currency=agreement.currency.value,
        revision=account.contract.revision,
        number=number,
        start=period.start,
        end=period.end,
        freeze_at=known and known["freeze_at"],
        as_of=now,
        billed_from=account.billed_from,
        meters=[
            RunningMeter(
                net=decimal_text(row["net"] or Decimal(0)),
                billing=billing.get(row["meter"], "unpriced"),
                **{name: row[name] for name in ("meter", "charges", "reversals", "corrections", "open")},
            )
            for row in counts
        ],
        expected=[ExpectedLine.of(line) for line in lines],
        usage_minor=sums["usage"],
        advance_minor=sums["advance"],
        total_minor=sum(line.amount.minor for line in lines),
    )


def _period_at(account: Account, now: datetime) -> tuple[int, Period]:
    """The period that holds `now`; the first one, where its anchor still lies ahead."""
    contract = account.contract
    number = 0
    while contract.period(number).end <= now:
        number += 1
    return number, contract.period(number)
