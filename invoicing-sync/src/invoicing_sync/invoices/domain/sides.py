"""
Of each line of the engine's invoice: whether Stripe makes it, or it goes onto the draft as an item of ours.

    advance            Stripe, where it was told the item at its own price and this quantity before the billing day
    usage              Stripe, where it was told the meter's one item at its own price for the whole period
    proration          Stripe, where a call told it to prorate that change, to this amount
    all else           ours: discounts, commitments, overage, shortfalls, drawdowns, prior periods

What Stripe makes and the engine does not ask for is taken back by an item of ours, so the total is always the engine's.
What was told decides, never what the draft shows: a person's change stays a difference. Only usage that Stripe bills
as it takes an item away (A33, A34) is read off the invoice, and taken back whatever it is: its amounts are ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pricing.lines as engine
from event_schemas.contract_v2 import ContractV2
from event_schemas.contract_v2.items import LicensedItem
from event_schemas.times import Period, iso
from event_schemas.values import Money
from invoicing_sync.contracts.domain.agreement import Agreement
from invoicing_sync.contracts.domain.plan.at_stripe import Told, ToldItem
from invoicing_sync.contracts.domain.plan.operations import ChangeItems
from invoicing_sync.contracts.domain.plan.wanted import AT_ZERO_TIERS, is_new_year, wanted_items
from invoicing_sync.invoices.domain.engine import Sums
from invoicing_sync.invoices.domain.expected_invoice import Line, LineKind, Reason, from_engine, reason_of
from pricing.agreed import price_of, terms_of
from pricing.amounts import major, money
from pricing.engine import expected_invoice
from pricing.models import priced
from pricing.usage import NOTHING_BEFORE, BilledBefore, Used

PRORATIONS: Mapping[engine.Kind, str] = {engine.Kind.PRORATION_CREDIT: "credit", engine.Kind.PRORATION_DEBIT: "debit"}
KEY_PART = 400  # a natural key has 500 characters


def prorations_of(contract: ContractV2, what: ChangeItems) -> list[dict[str, Any]]:
    """The lines that a call makes Stripe put onto its next invoice, as they are stored."""
    if what.proration == "none":
        return []
    day, changed = contract.period_of(what.at).end, {change.key for change in what.changes}
    return [
        {
            "item": line.item,
            "side": PRORATIONS[line.kind],
            "at": iso(what.at),
            "quantity": str(line.quantity),
            "minor": line.amount.minor,
        }
        for line in expected_invoice(terms_of(contract), day).lines
        if line.kind in PRORATIONS and line.item in changed and line.at == what.at
    ]


def sided(
    agreement: Agreement, invoice: engine.Invoice, told: Told, prorations: Sequence[Mapping[str, Any]]
) -> tuple[Line, ...]:
    """
    The lines that the invoice must show: those of Stripe without a key, those of ours with theirs.

    Args:
        told: what Stripe had been told when it made the draft.
        prorations: the lines that calls of the ended period make Stripe put there.
    """
    contract = agreement.version_2
    assert contract is not None  # version 1 has no other lines than Stripe's
    ahead = _ahead(_with_seats_taken_back(contract), invoice, told)
    usage = _usage_at_stripe(contract, invoice, told)
    pending = {(one["item"], one["side"], one["at"]): one for one in prorations}
    lines: list[Line] = []
    for line in invoice.lines:
        said = line_of(agreement, line)
        if (line.kind is engine.Kind.ADVANCE and ahead.get(line.item) == invoice_quantity(invoice, line.item)) or (
            line.kind is engine.Kind.USAGE and line.item in usage and line.why.clause == f"items.{line.item}"
        ):
            lines.append(said)
        elif line.kind in PRORATIONS and line.at is not None:
            key = (line.item, PRORATIONS[line.kind], iso(line.at))
            found = pending.get(key)
            if found is not None and found["minor"] == line.amount.minor:
                del pending[key]
                lines.append(said)
            else:
                lines.append(_ours(said, line))
        elif line.amount.minor:
            lines.append(_ours(said, line))
    lines += _not_asked_for(agreement, contract, invoice, ahead, pending.values())
    return _named_apart(lines)


def taken_back(agreement: Agreement, gone: Iterable[tuple[str, Decimal, Money]]) -> tuple[Line, ...]:
    """
    Usage that Stripe billed because an item went, and the items of ours that take it back.

    Args:
        gone: the lines of the invoice, as (meter, quantity, amount).
    """
    lines: list[Line] = []
    for meter, quantity, amount in sorted(gone, key=lambda one: (one[0], one[1], one[2].minor)):
        if amount.minor:
            lines += _both("usage", meter, quantity, amount, f"taken_back/{meter}/gone", "Stripe's count until a call")
    return _named_apart(lines)


def invoice_quantity(invoice: engine.Invoice, item: str) -> Decimal:
    """The units of an item that the invoice asks for ahead."""
    found = (line.quantity for line in invoice.lines if line.item == item and line.kind is engine.Kind.ADVANCE)
    return sum((quantity for quantity in found if quantity is not None), Decimal(0))


def _own_prices(contract: ContractV2) -> dict[str, str]:
    """By item the lookup key of its own price; those that stand at price 0 have none."""
    return {item.key: item.price.lookup_key for item in wanted_items(contract) if item.price.tiers != AT_ZERO_TIERS}


def _with_seats_taken_back(contract: ContractV2) -> ContractV2:
    """As if no licensed item had been taken back: Stripe may have billed it ahead before it heard of that."""
    items = tuple(
        item.model_copy(update={"withdrawn_in": None}) if isinstance(item, LicensedItem) else item
        for item in contract.items
    )
    return contract.model_copy(update={"items": items})


def _is_own(said: ToldItem | None, own: str | None) -> bool:
    return said is not None and own is not None and said.price == own


def _ahead(contract: ContractV2, invoice: engine.Invoice, told: Told) -> dict[str, Decimal]:
    """The quantities that Stripe bills ahead on this day, of items at their own prices."""
    day = invoice.billing_day
    if told.billed_from is not None and day < told.billed_from:
        return {}
    if told.cancel_at is not None and told.cancel_at <= day:
        return {}  # the subscription ends, and nothing begins
    own, new_year = _own_prices(contract), is_new_year(contract, told, day)
    due = {
        item.key for item in contract.items if isinstance(item, LicensedItem) and (new_year or item.rhythm != "year")
    }
    return {
        key: Decimal(said.quantity)
        for key, said in told.items.items()
        if key in due and said.quantity and _is_own(said, own.get(key))
    }


def _usage_at_stripe(contract: ContractV2, invoice: engine.Invoice, told: Told) -> frozenset[str]:
    """The metered items whose usage Stripe prices: the only one of its meter in the period, and no trial."""
    trial = contract.trial
    if trial is not None and invoice.ended.start < trial.until:
        return frozenset()
    own, items = _own_prices(contract), dict[str, set[str]]()
    for line in invoice.lines:
        if line.kind in (engine.Kind.USAGE, engine.Kind.OVERAGE, engine.Kind.INCLUDED):
            items.setdefault(line.meter, set()).add(line.item)
    return frozenset(
        key for keys in items.values() if len(keys) == 1 for key in keys if _is_own(told.items.get(key), own.get(key))
    )


def _not_asked_for(
    agreement: Agreement,
    contract: ContractV2,
    invoice: engine.Invoice,
    ahead: Mapping[str, Decimal],
    pending: Iterable[Mapping[str, Any]],
) -> Iterable[Line]:
    """What Stripe makes by what it was told, and the engine does not ask for any more."""
    prices = {item.key: item.price for item in contract.items}
    for key, quantity in ahead.items():
        if quantity == invoice_quantity(invoice, key):
            continue
        name = agreement.name_of(key)
        for place, charge in enumerate(priced(price_of(prices[key]), quantity).charges):
            amount = money(charge.exact, contract.currency)
            yield from _both(
                "advance", name, charge.quantity, amount, f"taken_back/{name}/{key}.advance.{place}", "as it was told"
            )
    for one in pending:
        name, amount = agreement.name_of(one["item"]), Money(one["minor"], contract.currency)
        where = f"taken_back/{name}/{one['item']}.{one['side']}.{one['at']}"
        yield from _both("proration", name, Decimal(one["quantity"]), amount, where, "as it was told to prorate")


def _both(kind: LineKind, name: str, quantity: Decimal, amount: Money, key: str, source: str) -> list[Line]:
    back = Money(-amount.minor, amount.currency)
    why = Reason(
        clause=f"items.{name}",
        quantity=f"{quantity:f}, {source}",
        price_version="",
        formula=f"{amount} that Stripe bills, taken back",
        exact=major(back),
        rounding="exact",
    )
    return [Line(kind, name, quantity, amount), Line("taken_back", name, quantity, back, why, key)]


def line_of(agreement: Agreement, line: engine.Line) -> Line:
    """In the gate's words; named by its meter, or by the product that is paid ahead."""
    why = reason_of(line, clause=line.why.clause)
    kind: LineKind = "proration" if line.kind in PRORATIONS else line.kind.value  # type: ignore[assignment]
    quantity = Decimal(1) if line.quantity is None else line.quantity
    return Line(kind, line.meter or agreement.name_of(line.item), quantity, line.amount, why)


def _ours(said: Line, line: engine.Line) -> Line:
    """The line with its natural key: `{kind}/{meter or product}/{item}.{clause}.{tier, instant or side}`."""
    parts = [line.item, line.why.clause.removeprefix("items.").replace("/", "-"), line.tier, _at(line.at)]
    parts.append(PRORATIONS.get(line.kind, ""))
    rest = ".".join(dict.fromkeys(part for part in parts if part))
    return replace(said, key=f"{said.kind}/{said.item}/{rest[:KEY_PART]}")


def _at(at: datetime | None) -> str:
    return "" if at is None else iso(at)


def _named_apart(lines: Iterable[Line]) -> tuple[Line, ...]:
    """No two of an invoice's items have one key."""
    count: Counter[str] = Counter()
    found = []
    for line in lines:
        count[line.key] += 1
        again = line.key and count[line.key] > 1
        found.append(replace(line, key=f"{line.key}.{count[line.key]}") if again else line)
    return tuple(found)


def lines_of(
    agreement: Agreement, period: Period, usage: Iterable[Used], before: BilledBefore = NOTHING_BEFORE
) -> tuple[Line, ...]:
    """The lines of a period's invoice, whoever makes them."""
    invoice = engine_invoice(agreement, period, usage, before)
    if agreement.version_2 is None:
        return from_engine(invoice).lines
    return tuple(line_of(agreement, line) for line in invoice.lines)


def engine_invoice(
    agreement: Agreement, period: Period, usage: Iterable[Used], before: BilledBefore = NOTHING_BEFORE
) -> engine.Invoice:
    """The engine's invoice of the billing day on which a period ends."""
    return expected_invoice(agreement.terms, period.end, Sums(agreement.terms, period, usage).billable(), before)
