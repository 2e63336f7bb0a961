"""Reads Stripe's numbers of one period and says what stands between them and ours. Only reads."""

from __future__ import annotations

from event_schemas.values import Currency, Money
from invoicing_sync.contracts.convert import terms_of
from invoicing_sync.contracts.domain.terms import Terms
from invoicing_sync.contracts.objects import Objects
from invoicing_sync.contracts.store.contracts import Account
from invoicing_sync.invoices.domain.expected_invoice import Line, differences, expected_lines
from invoicing_sync.invoices.domain.gate import MeterCheck, ledger_of, usage_differences
from invoicing_sync.invoices.store import periods
from invoicing_sync.invoices.store.periods import PeriodRow
from invoicing_sync.store import links
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.convert import from_lookup_key
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.wire import Invoice, InvoiceLine


class Comparison:
    """The two comparisons of the gate: usage against summaries, lines against the expected invoice."""

    def __init__(self, pool: Pool, door: StripeDoor, objects: Objects) -> None:
        self._pool, self._door, self._objects = pool, door, objects
        self._prices: dict[str, tuple[str, str]] = {}  # Stripe's price id -> (kind, item)

    async def usage(self, account: Account, row: PeriodRow) -> tuple[str, ...]:
        """Differences between the frozen ledger and Stripe's summaries, one sentence for each meter."""
        if row.is_first_invoice:
            return ()
        window = periods.inner_minutes(row.period)
        meters = set(terms_of(account.contract).meters) | set(row.ledger or {})
        values = await periods.frozen_ledger(self._pool, account.customer, row.period, window)
        checks = []
        for meter, net in sorted(ledger_of(values, sorted(meters)).items()):
            meter_id = await self._objects.meter(meter)
            summed = await self._door.usage.total(meter_id, account.stripe_customer, window.start, window.end)
            checks.append(MeterCheck(meter, net, summed))
        return usage_differences(checks)

    async def lines(self, account: Account, row: PeriodRow, invoice: Invoice) -> tuple[str, ...]:
        """Differences between the invoice's lines and those expected from contract and frozen ledger."""
        terms = terms_of(account.contract)
        if invoice.currency.upper() != terms.currency.value:
            return (f"the invoice is in {invoice.currency}, the contract in {terms.currency.value}",)
        expected = expected_lines(terms, usage=None if row.is_first_invoice else row.ledger)
        found = [await self.line(line, terms) for line in invoice.lines]
        problems = list(differences(expected, found))
        wanted, there = sum(line.amount.minor for line in expected), invoice.subtotal_minor
        if wanted != there:
            problems.append(f"subtotal: expected {Money(wanted, terms.currency)}, found {Money(there, terms.currency)}")
        return tuple(problems)

    async def line(self, line: InvoiceLine, terms: Terms) -> Line:
        """Stripe's line in our words; what we did not make is named so that nothing expected can equal it."""
        kind, item = await self.item_of(line)
        return Line("advance" if kind == "advance" else "usage", item, line.quantity, _money(line, terms.currency))

    async def item_of(self, line: InvoiceLine) -> tuple[str, str]:
        """The kind and the item or meter of a line, by its price."""
        if line.proration:
            return "proration", f"proration:{line.line_id}"
        if line.price is None:
            return "other", f"unpriced:{line.line_id}"
        if line.price not in self._prices:
            known = await links.ids(self._pool, "price")
            self._prices = {stripe_id: from_lookup_key(key) for key, stripe_id in known.items()}
        return self._prices.get(line.price, ("other", f"unknown:{line.price}"))


def _money(line: InvoiceLine, currency: Currency) -> Money:
    return Money(line.amount_minor, currency)
