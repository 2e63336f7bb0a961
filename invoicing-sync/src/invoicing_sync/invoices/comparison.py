"""Reads Stripe's numbers of one period, in both stages, and says what stands between them and ours. Only reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from event_schemas.contract_v2 import ContractV2
from event_schemas.contracts import Contract
from event_schemas.values import Currency, Money
from invoicing_sync.contracts.convert import terms_of
from invoicing_sync.contracts.domain.agreement import Agreement
from invoicing_sync.contracts.domain.plan.at_stripe import Told
from invoicing_sync.contracts.domain.plan.findings import CODES, discount_given, item_findings
from invoicing_sync.contracts.domain.terms import Terms
from invoicing_sync.contracts.domain.usage_lines import terms_at_stripe
from invoicing_sync.contracts.objects import Objects
from invoicing_sync.contracts.store import operations
from invoicing_sync.contracts.store.contracts import Account
from invoicing_sync.invoices.domain import causes
from invoicing_sync.invoices.domain.expected_invoice import Expected, Line, differences
from invoicing_sync.invoices.domain.explicit import as_shown, matched, shown, stands_for
from invoicing_sync.invoices.domain.gate import MeterCheck, ledger_of, usage_differences
from invoicing_sync.invoices.domain.stages import (
    billed_ahead,
    broken_assumptions,
    draft_assumptions,
    draft_differences,
    item_differences,
)
from invoicing_sync.invoices.domain.unpriced import billed_meters, unpriced_problems
from invoicing_sync.invoices.expecting import Expecting, Gone
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
class Drafted(Found):
    """What a draft was found to be, with the lines that its invoice must have."""

    lines: tuple[Line, ...] = ()


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
        self.expecting = Expecting(pool)
        self._prices: dict[str, tuple[str, str]] = {}  # Stripe's price id -> (kind, item)

    async def usage(self, account: Account, row: PeriodRow) -> Found:
        """
        Differences between the frozen ledger and Stripe's summaries, one sentence for each meter; and the assumptions
        that refusals of its deliveries spoke against.
        """
        if row.is_first_invoice:
            return Found()
        window = periods.inner_minutes(row.period)
        agreement = account.agreement
        meters = billed_meters(agreement.meters, agreement.free, row.ledger)
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
        unpriced = unpriced_problems((await self.expecting.of(account, row)).unpriced)
        return Found((*unpriced, *usage_differences(checks)), numbers, causes.of_usage(checks))

    async def draft(self, account: Account, row: PeriodRow, invoice: Invoice) -> Drafted:
        """Differences of a draft, its usage lines left out; and of the subscription's items, from which they come."""
        agreement = account.agreement
        if wrong := _other_currency(invoice, agreement.currency):
            return Drafted(wrong)
        if waits := await self.expecting.waits_for(account, row):
            return Drafted(waits)
        found = [await self.line(line, agreement) for line in invoice.lines]
        lines = (await self.expected(account, row, invoice.lines)).lines
        wanted = as_shown(lines)
        told = list(causes.of_lines(*billed_ahead(wanted, found, agreement.meters)))
        problems = list(draft_differences(wanted, found, agreement.meters))
        sums = Money(invoice.subtotal_minor, agreement.currency), Money(invoice.total_minor, agreement.currency)
        if sums[0] != sums[1]:
            problems.append(f"total: expected {sums[0]}, which its lines come to, found {sums[1]}")
            told += causes.of_totals(sums[0], *sums)
        contract = account.contract
        of_items = (
            await self._planned_items(account, contract)
            if isinstance(contract, ContractV2)
            else await self._agreed_items(account, contract, row, invoice)
        )
        numbers = draft_assumptions(wanted, found)
        return Drafted((*problems, *of_items.problems), numbers, (*told, *of_items.causes), lines)

    async def _agreed_items(self, account: Account, contract: Contract, row: PeriodRow, invoice: Invoice) -> Found:
        """Prices of lines, and the subscription's items, that a contract of version 1 does not have."""
        items = await self._expected_items(terms_at_stripe(terms_of(contract), account.usage_lines))
        prices = {price for price, _ in items.values()}
        problems = sorted(
            {f"a line has price {x.price}, which is not agreed" for x in invoice.lines if x.natural_key is None}
            - {f"a line has price {price}, which is not agreed" for price in prices}
        )
        if row.is_first_invoice:
            return Found(tuple(problems))
        subscription = await self._door.catalogue.read_subscription(account.stripe_subscription)
        problems += item_differences(items, subscription.items)
        return Found(tuple(problems), causes=causes.of_items(items, subscription.items))

    async def _planned_items(self, account: Account, contract: ContractV2) -> Found:
        """What a person changed among the subscription's items, by what Stripe was told of them, or took off them."""
        told = await operations.told_last(self._pool, account.customer) or Told()
        has = await self._door.state.subscription(account.stripe_subscription, told)
        if has is None or has.ended:
            return Found()
        found = list(item_findings(told.items, has.items, touched=set()))
        found += discount_given(account.customer, "the subscription", has.discounts)
        causes_ = tuple(f"{CODES[one.code]}, by hand: {one.subject}" for one in found)
        return Found(tuple(one.sentence for one in found), causes=causes_)

    async def expected(self, account: Account, row: PeriodRow, lines: Sequence[InvoiceLine]) -> Expected:
        """The invoice that a period must have, beside what its lines tell of items that went."""
        return await self.expecting.of(account, row, await self._gone(account, lines))

    async def _gone(self, account: Account, lines: Sequence[InvoiceLine]) -> list[Gone]:
        found: list[Gone] = []
        for line in lines:
            if line.loose and line.natural_key is None:
                kind, item = await self.item_of(line)
                if kind == "usage":
                    found.append((item, line.quantity, _money(line, account.agreement.currency)))
        return found

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
        currency = account.agreement.currency
        whole = await self.expected(account, row, invoice.lines)
        wanted = whole.total.minor
        if wrong := _other_currency(invoice, currency):
            return Finalised(wrong, expected_minor=wanted)
        found = [await self.line(line, account.agreement) for line in invoice.lines]
        lines = as_shown(whole.lines)
        problems = list(differences(lines, found))
        sums = {"subtotal": Money(invoice.subtotal_minor, currency), "total": Money(invoice.total_minor, currency)}
        problems += [
            f"{name}: expected {whole.total}, found {sums[name]}" for name in sums if sums[name] != whole.total
        ]
        told = (*causes.of_lines(lines, found), *causes.of_totals(whole.total, **sums))
        return Finalised(tuple(problems), broken_assumptions(lines, found, row.ledger or {}), told, wanted)

    async def expected_lines(self, account: Account, row: PeriodRow, lines: Sequence[InvoiceLine]) -> list[Line | None]:
        """Of each line on an invoice of Stripe the expected line that it shows, where it shows one."""
        wanted = (await self.expected(account, row, lines)).lines
        return matched(wanted, [await self.line(line, account.agreement) for line in lines])

    async def line(self, line: InvoiceLine, agreement: Agreement) -> Line:
        """Stripe's line in our words; what we did not make is named so that nothing expected can equal it."""
        if line.natural_key is not None:
            return shown(line.natural_key, _money(line, agreement.currency))
        kind, item = await self.item_of(line)
        amount = _money(line, agreement.currency)
        if line.proration and agreement.version_2 is not None and line.price is not None:
            return Line("proration", (await self._sold(line.price))[1], line.quantity, amount)
        return Line("advance" if kind == "advance" else "usage", item, line.quantity, amount)

    async def item_of(self, line: InvoiceLine) -> tuple[str, str]:
        """The kind and the item or meter of a line, by its price, or by the key of an item of ours."""
        if line.natural_key is not None:
            return stands_for(line.natural_key)
        if line.proration:
            return "proration", f"proration:{line.line_id}"
        if line.price is None:
            return "other", f"unpriced:{line.line_id}"
        return await self._sold(line.price)

    async def _sold(self, price: str) -> tuple[str, str]:
        """What a price of ours is for."""
        if price not in self._prices:
            known = await links.ids(self._pool, "price")
            self._prices = {stripe_id: from_lookup_key(key) for key, stripe_id in known.items()}
        return self._prices.get(price, ("other", f"unknown:{price}"))


def _other_currency(invoice: Invoice, currency: Currency) -> tuple[str, ...]:
    if invoice.currency.upper() == currency.value:
        return ()
    return (f"the invoice is in {invoice.currency}, the contract in {currency.value}",)


def _money(line: InvoiceLine, currency: Currency) -> Money:
    return Money(line.amount_minor, currency)
