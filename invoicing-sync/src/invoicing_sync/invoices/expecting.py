"""What a period's invoice must be, from the contract, the ledger, and what Stripe was told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import pricing.lines as engine
from event_schemas.values import Money
from invoicing_sync.contracts.convert import terms_of
from invoicing_sync.contracts.domain.agreement import Agreement
from invoicing_sync.contracts.domain.plan.at_stripe import Told
from invoicing_sync.contracts.store import operations
from invoicing_sync.contracts.store.contracts import Account
from invoicing_sync.invoices.domain.carried import on_invoice
from invoicing_sync.invoices.domain.expected_invoice import Expected, expected
from invoicing_sync.invoices.domain.explicit import with_keys
from invoicing_sync.invoices.domain.sides import engine_invoice, sided, taken_back
from invoicing_sync.invoices.store import billed, carried, periods
from invoicing_sync.invoices.store.periods import PeriodRow
from invoicing_sync.store.pool import Pool
from pricing.terms import Terms

Gone = tuple[str, Decimal, Money]  # usage that Stripe billed as it took an item away: meter, quantity, amount


@dataclass(frozen=True, slots=True)
class Expecting:
    """Reads only our own tables."""

    pool: Pool

    async def of(self, account: Account, row: PeriodRow, gone: Iterable[Gone] = ()) -> Expected:
        """The invoice of a period, with what it carries of earlier ones; what goes as items of ours has their keys."""
        own = await self._own(account, row, gone)
        lines = on_invoice(await carried.by_carrier(self.pool, row.customer, row.number))
        total = sum((line.amount for line in lines), own.total)
        return replace(own, lines=(*own.lines, *lines), total=total)

    async def _own(self, account: Account, row: PeriodRow, gone: Iterable[Gone]) -> Expected:
        contract = account.contract
        agreement = account.agreement.at_revision(row.revision)
        if agreement.version_2 is None:
            whole = expected(terms_of(contract), row.period, row.usage, revision=contract.revision)  # type: ignore[arg-type]
            return whole if account.usage_lines == "stripe" else replace(whole, lines=with_keys(whole.lines, ["usage"]))
        invoice = await self.invoice(agreement, row)
        told = await operations.told_before(self.pool, row.customer, row.period.end) or Told()
        pending = await operations.prorations_between(self.pool, row.customer, row.period.start, row.period.end)
        return Expected(
            lines=(*sided(agreement, invoice, told, pending), *taken_back(agreement, gone)),
            total=invoice.net,
            unpriced={one.meter: one.unpriced for one in invoice.unpriced},
        )

    async def invoice(self, agreement: Agreement, row: PeriodRow) -> engine.Invoice:
        """The engine's."""
        before = await billed.before(self.pool, row.customer, row.number)
        return engine_invoice(agreement, row.period, row.usage, before)

    async def waits_for(self, account: Account, row: PeriodRow) -> tuple[str, ...]:
        """Why the amounts of a period cannot be known yet: they depend on an earlier invoice that is not done."""
        agreement = account.agreement
        if agreement.version_2 is None or not _counts_invoices(agreement.terms):
            return ()
        if not await periods.unsettled_before(self.pool, row.customer, row.number):
            return ()
        return ("an earlier invoice is not issued yet, and this one depends on what it draws or counts",)

    async def keep_billed(self, account: Account, row: PeriodRow, invoice_id: str) -> None:
        """The invoice is the expected one: the next ones find it billed. Repeating it changes nothing."""
        agreement = account.agreement.at_revision(row.revision)
        if agreement.version_2 is not None:
            await billed.keep(self.pool, row, invoice_id, (await self.invoice(agreement, row)).drawn)


def _counts_invoices(terms: Terms) -> bool:
    discounts: Sequence[object] = [one for one in terms.discounts if one.invoices is not None]
    return bool(terms.prepaid or discounts)
