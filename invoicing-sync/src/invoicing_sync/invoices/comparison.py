"""Reads Stripe's numbers of one period, in both stages, and says what stands between them and ours. Only reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from event_schemas.values import Currency, Money
from invoicing_sync.contracts.convert import terms_of
from invoicing_sync.contracts.domain.terms import Terms
from invoicing_sync.contracts.domain.usage_lines import terms_at_stripe
from invoicing_sync.contracts.objects import Objects
from invoicing_sync.contracts.store.contracts import Account
from invoicing_sync.invoices.domain import causes
from invoicing_sync.invoices.domain.expected_invoice import Expected, Line, differences, expected
from invoicing_sync.invoices.domain.explicit import as_shown, matched, shown, stands_for, with_keys
from invoicing_sync.invoices.domain.gate import MeterCheck, ledger_of, usage_differences
from invoicing_sync.invoices.domain.stages import (
    billed_ahead,
    broken_assumptions,
    draft_assumptions,
    draft_differences,
    item_differences,
)
from invoicing_sync.invoices.domain.unpriced import billed_meters, unpriced_problems
from invoicing_sync.invoices.store import periods
from invoicing_sync.invoices.store.periods import PeriodRow
from invoicing_sync.store import links
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.convert import from_lookup_key, licensed_price_key, metered_price_key
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.wire import Invoice, InvoiceLine
from invoicing_sync.usage.store import deliveries


@dataclass(frozen=True, slots=True)
class Found:
    """What stands between Stripe's numbers and ours: sentences, assumptions that they speak against, likely causes."""

    problems: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finalised(Found):
    """What a finalised invoice was found to be, with the expected total."""

    expected_minor: int = 0


class Comparison:
    """
    The comparisons of the gate. On the draft: usage against summaries, all but usage lines against the expected
    invoice, the subscription's items against the contract. Once it is finalised: every line and the total.
    """

    def __init__(self, pool: Pool, door: StripeDoor, objects: Objects) -> None:
        self._pool, self._door, self._objects = pool, door, objects
        self._prices: dict[str, tuple[str, str]] = {}  # Stripe's price id -> (kind, item)

    async def usage(self, account: Account, row: PeriodRow) -> Found:
        """
        Differences between the frozen ledger and Stripe's summaries, one sentence for each meter; and the assumptions
        that refusals of its deliveries spoke against.
        """
        if row.is_first_invoice:
            return Found()
        window = periods.inner_minutes(row.period)
        terms = terms_of(account.contract)
        meters = billed_meters(terms, row.ledger)
        values = await periods.frozen_ledger(self._pool, account.customer, row.period, window)
        checks = []
        for meter, net in sorted(ledger_of(values, meters).items()):
            if meter not in meters:
                continue
            meter_id = await self._objects.meter(meter)
            summed = await self._door.usage.total(meter_id, account.stripe_customer, window.start, window.end)
            checks.append(MeterCheck(meter, net, summed))
        differing = [check.meter for check in checks if check.ledger != check.stripe]
        numbers = await deliveries.spoken_against(self._pool, account.customer, row.period.end, differing)
        unpriced = unpriced_problems(expected_of(account, row).unpriced)
        return Found((*unpriced, *usage_differences(checks)), numbers, causes.of_usage(checks))

    async def draft(self, account: Account, row: PeriodRow, invoice: Invoice) -> Found:
        """Differences of a draft, its usage lines left out; and of the subscription's items, from which they come."""
        terms = terms_of(account.contract)
        if wrong := _other_currency(invoice, terms):
            return Found(wrong)
        items = await self._expected_items(terms_at_stripe(terms, account.usage_lines))
        found = [await self.line(line, terms) for line in invoice.lines]
        wanted = as_shown(expected_of(account, row).lines)
        told = list(causes.of_lines(*billed_ahead(wanted, found, terms.meters)))
        problems = list(draft_differences(wanted, found, terms.meters))
        sums = Money(invoice.subtotal_minor, terms.currency), Money(invoice.total_minor, terms.currency)
        if sums[0] != sums[1]:
            problems.append(f"total: expected {sums[0]}, which its lines come to, found {sums[1]}")
            told += causes.of_totals(sums[0], *sums)
        prices = {price for price, _ in items.values()}
        problems += sorted(
            {f"a line has price {x.price}, which is not agreed" for x in invoice.lines if x.natural_key is None}
            - {f"a line has price {price}, which is not agreed" for price in prices}
        )
        if not row.is_first_invoice:
            subscription = await self._door.catalogue.read_subscription(account.stripe_subscription)
            problems += item_differences(items, subscription.items)
            told += causes.of_items(items, subscription.items)
        return Found(tuple(problems), draft_assumptions(wanted, found), tuple(told))

    async def _expected_items(self, terms: Terms) -> dict[str, tuple[str, int | None]]:
        """By a name for people: the price and quantity of each item that the subscription must have."""
        known = await links.ids(self._pool, "price")
        items: dict[str, tuple[str, int | None]] = {
            f"the price of meter {term.meter}": (known.get(metered_price_key(term, terms.currency), ""), None)
            for term in terms.metered
        }
        for term in terms.licensed:
            if term.quantity > 0:
                price = known.get(licensed_price_key(term, terms.currency), "")
                items[f"{term.quantity} of {term.item}"] = (price, term.quantity)
        return items

    async def finalised(self, account: Account, row: PeriodRow, invoice: Invoice) -> Finalised:
        """Differences between a finalised invoice and the one expected from contract and frozen ledger."""
        terms = terms_of(account.contract)
        whole = expected_of(account, row)
        wanted = whole.total.minor
        if wrong := _other_currency(invoice, terms):
            return Finalised(wrong, expected_minor=wanted)
        found = [await self.line(line, terms) for line in invoice.lines]
        lines = as_shown(whole.lines)
        problems = list(differences(lines, found))
        sums = {
            "subtotal": Money(invoice.subtotal_minor, terms.currency),
            "total": Money(invoice.total_minor, terms.currency),
        }
        problems += [
            f"{name}: expected {whole.total}, found {sums[name]}" for name in sums if sums[name] != whole.total
        ]
        told = (*causes.of_lines(lines, found), *causes.of_totals(whole.total, **sums))
        return Finalised(tuple(problems), broken_assumptions(lines, found, row.ledger or {}), told, wanted)

    async def expected_lines(self, account: Account, row: PeriodRow, lines: Sequence[InvoiceLine]) -> list[Line | None]:
        """Of each line on an invoice of Stripe the expected line that it shows, where it shows one."""
        terms = terms_of(account.contract)
        return matched(expected_of(account, row).lines, [await self.line(line, terms) for line in lines])

    async def line(self, line: InvoiceLine, terms: Terms) -> Line:
        """Stripe's line in our words; what we did not make is named so that nothing expected can equal it."""
        if line.natural_key is not None:
            return shown(line.natural_key, _money(line, terms.currency))
        kind, item = await self.item_of(line)
        return Line("advance" if kind == "advance" else "usage", item, line.quantity, _money(line, terms.currency))

    async def item_of(self, line: InvoiceLine) -> tuple[str, str]:
        """The kind and the item or meter of a line, by its price, or by the key of an item of ours."""
        if line.natural_key is not None:
            return stands_for(line.natural_key)
        if line.proration:
            return "proration", f"proration:{line.line_id}"
        if line.price is None:
            return "other", f"unpriced:{line.line_id}"
        if line.price not in self._prices:
            known = await links.ids(self._pool, "price")
            self._prices = {stripe_id: from_lookup_key(key) for key, stripe_id in known.items()}
        return self._prices.get(line.price, ("other", f"unknown:{line.price}"))


def expected_of(account: Account, row: PeriodRow) -> Expected:
    """The invoice that a period must have by the applied contract; what goes as items of ours has their keys."""
    whole = expected(terms_of(account.contract), row.period, row.usage, revision=account.contract.revision)
    return whole if account.usage_lines == "stripe" else replace(whole, lines=with_keys(whole.lines, ["usage"]))


def _other_currency(invoice: Invoice, terms: Terms) -> tuple[str, ...]:
    if invoice.currency.upper() == terms.currency.value:
        return ()
    return (f"the invoice is in {invoice.currency}, the contract in {terms.currency.value}",)


def _money(line: InvoiceLine, currency: Currency) -> Money:
    return Money(line.amount_minor, currency)
