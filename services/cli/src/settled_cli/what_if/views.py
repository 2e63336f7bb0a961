"""What a draft came to, for people, spreadsheets and scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from event_schemas.times import iso
from event_schemas.values import Currency, decimal_text
from settled_cli.sheets import major
from settled_cli.tables import Column, fitting
from settled_cli.what_if.domain.reckoning import Item, Side, Sum, Tried, sums
from settled_cli.what_if.trying import Answer

SHEET = (
    *("customer", "period_start", "period_end", "item", "quantity_before", "quantity_after", "amount_before"),
    *("amount_after", "difference", "currency"),
)
MOST = 20  # customers of a currency in a table for people: those whose money moves most
WAYS = 10  # in which a policy turns conversations, the most frequent first
TOLD = 8  # sentences of one kind
NONE = Item(Decimal(0), 0)


def facts(answer: Answer) -> dict[str, Any]:
    """All of it for scripts: amounts in minor units, quantities as decimal strings."""
    return {
        "draft": answer.name,
        "customers": [_customer(one) for one in answer.tried],
        "sums": [
            {
                "currency": currency.value,
                "customers": of.customers,
                "units_before": decimal_text(of.units_before),
                "units_after": decimal_text(of.units_after),
                "before_minor": of.before,
                "after_minor": of.after,
                "difference_minor": of.after - of.before,
            }
            for currency, of in sums(answer.tried).items()
        ],
        "decided": answer.decided.as_page() if answer.decided else None,
        "left_out": [{"customer": one.customer, "why": one.why} for one in answer.left_out],
        "decided_otherwise": [{"customer": customer, "why": why} for customer, why in answer.otherwise],
    }


def _customer(one: Tried) -> dict[str, Any]:
    return {
        "customer": one.customer,
        "currency": one.currency.value,
        "period_start": iso(one.period.start),
        "period_end": iso(one.period.end),
        "before": _side(one.before),
        "after": _side(one.after),
        "difference_minor": one.difference,
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "units": {meter: decimal_text(net) for meter, net in side.units.items()},
        "unpriced": {meter: decimal_text(net) for meter, net in side.unpriced.items()},
        "items": [
            {"item": key, "quantity": decimal_text(item.quantity), "amount_minor": item.minor}
            for key, item in side.items.items()
        ],
        "total_minor": side.minor,
    }


def sheet_rows(answer: Answer) -> list[dict[str, Any]]:
    """One row for each customer and item of either side; their amounts add up to the invoices before taxes."""
    rows = []
    for one in answer.tried:
        for key in one.items:
            before, after = one.before.items.get(key, NONE), one.after.items.get(key, NONE)
            rows.append(
                {
                    "customer": one.customer,
                    "period_start": iso(one.period.start),
                    "period_end": iso(one.period.end),
                    "item": key,
                    "quantity_before": before.quantity,
                    "quantity_after": after.quantity,
                    "amount_before": major(before.minor, one.currency),
                    "amount_after": major(after.minor, one.currency),
                    "difference": major(after.minor - before.minor, one.currency),
                    "currency": one.currency.value,
                }
            )
    return rows


def view(answer: Answer, *, width: int) -> RenderableType:
    """The draft for people: one customer by item, more than one by customer, each currency with its sum."""
    parts: list[RenderableType] = [Text(f"What if: {answer.name}", style="bold"), Text()]
    if len(answer.tried) == 1:
        parts.append(_one(answer.tried[0], width=width))
    else:
        for currency, of in sums(answer.tried).items():
            parts.append(_many(currency, of, [t for t in answer.tried if t.currency is currency], width=width))
    if answer.decided is not None and answer.decided.turned:
        parts.append(_turned(answer, width=width))
    return Group(*parts, *(Text(sentence) for sentence in sentences(answer)))


def _many(currency: Currency, of: Sum, tried: Sequence[Tried], *, width: int) -> RenderableType:
    shown = sorted(tried, key=lambda one: (-abs(one.difference), one.customer))[:MOST]
    rows = [_of_sides(one.customer, one) for one in shown]
    rest = f", the {MOST} that move most shown" if len(tried) > MOST else ""
    units = of.units_before, of.units_after
    rows.append(_row(f"all {of.customers:,}", currency, units, (of.before, of.after)))
    title = f"{currency.value}, {of.customers:,} customer{'' if of.customers == 1 else 's'}{rest}"
    return fitting(title, _columns("customer", rows), rows, width=width)


def _columns(first: str, rows: Sequence[dict[str, Any]]) -> list[Column]:
    """Units twice only where a policy moves them."""
    moved = any(row["units"] != row["then"] for row in rows)
    then = [Column("then", "units then", justify="right")] if moved else []
    return [
        Column("name", first),
        Column("units", justify="right"),
        *then,
        Column("before", justify="right"),
        Column("after", justify="right"),
        Column("difference", justify="right"),
        Column("percent", "%", justify="right", drop=1),
    ]


def _row(name: str, currency: Currency, units: tuple[Decimal, Decimal], minor: tuple[int, int]) -> dict[str, Any]:
    """A row of what something comes to, before and after."""
    (was, then), (before, after) = units, minor
    return {
        "name": name,
        "units": quantity(was),
        "then": quantity(then),
        "before": amount(before, currency),
        "after": amount(after, currency),
        "difference": signed(after - before, currency),
        "percent": percent(before, after),
    }


def _of_sides(name: str, one: Tried) -> dict[str, Any]:
    was, then = (sum(side.units.values(), Decimal(0)) for side in (one.before, one.after))
    return _row(name, one.currency, (was, then), (one.before.minor, one.after.minor))


def _one(one: Tried, *, width: int) -> RenderableType:
    rows = []
    for key in one.items:
        before, after = one.before.items.get(key, NONE), one.after.items.get(key, NONE)
        rows.append(_row(key, one.currency, (before.quantity, after.quantity), (before.minor, after.minor)))
    total = _of_sides("before taxes", one) | {"units": "", "then": ""}
    days = f"{iso(one.period.start)[:10]} to {iso(one.period.end)[:10]}"
    title = f"{one.customer}, {days}, in {one.currency.value}"
    return fitting(title, _columns("item", rows), [*rows, total], width=width)


def _turned(answer: Answer, *, width: int) -> RenderableType:
    assert answer.decided is not None
    columns = (
        Column("meter"),
        Column("units", justify="right"),
        Column("why", "by the contract's policy, and by the draft", wraps=True),
    )
    rows = [
        {
            "meter": one["meter"],
            "units": f"{one['units']:+,}",
            "why": f"{one['before_in_words']}\n→ {one['after_in_words']}",
        }
        for one in answer.decided.as_page()["turned"][:WAYS]
    ]
    title = f"What the policy turns, of {answer.decided.conversations:,} conversations"
    return fitting(title, columns, rows, width=width)


def sentences(answer: Answer) -> list[str]:
    """What has to be known beside the numbers."""
    told = []
    if answer.decided is not None and not answer.decided.turned:
        told.append(f"The policy turns none of {answer.decided.conversations:,} conversations.")
    if answer.decided is not None and (more := len(answer.decided.turned) - WAYS) > 0:
        told.append(f"and {more} more way{'' if more == 1 else 's'}, each with an example: --json has all.")
    told += _unpriced(answer.tried)
    reasons: dict[str, list[str]] = {}
    for one in answer.left_out:
        reasons.setdefault(one.why, []).append(one.customer)
    for why, whose in reasons.items():
        told.append(f"Left out: {whose[0]}{f' and {len(whose) - 1:,} more' if len(whose) > 1 else ''}: {why}.")
    for customer, sentence in answer.otherwise[:TOLD]:
        told.append(
            f"{customer} was decided otherwise at the freeze: {sentence}; only what the draft moves is counted."
        )
    if len(answer.otherwise) > TOLD:
        told.append(f"and {len(answer.otherwise) - TOLD:,} more: --json has all.")
    return [*told, "Before taxes, as of each period's freeze. Nothing was written."]


def _unpriced(tried: Iterable[Tried]) -> list[str]:
    units: Counter[str] = Counter()
    whose: Counter[str] = Counter()
    for one in tried:
        for meter, net in one.after.unpriced.items():
            units[meter] += net  # type: ignore[assignment]  # exact decimals
            whose[meter] += 1
    return [
        f"Without a price under the draft, on no invoice: {units[meter]:,f} of {meter} with {whose[meter]:,} "
        f"customer{'' if whose[meter] == 1 else 's'}. Give it a price, or name it under free."
        for meter in sorted(units)
    ]


def quantity(value: Decimal) -> str:
    """Units with their thousands apart."""
    return f"{Decimal(decimal_text(value)):,f}"


def amount(minor: int, currency: Currency) -> str:
    """An amount without its currency, which stands above the table."""
    return f"{major(minor, currency):,f}"


def signed(minor: int, currency: Currency) -> str:
    """A difference with its sign; nothing where there is none."""
    return f"{major(minor, currency):+,f}" if minor else ""


def percent(before: int, after: int) -> str:
    """By how much, to a tenth; nothing where there is no base."""
    return f"{Decimal(after - before) * 100 / Decimal(before):+.1f}" if before > 0 and before != after else ""
