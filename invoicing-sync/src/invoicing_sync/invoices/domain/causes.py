"""
What a difference between an invoice and its expectation probably comes from, in words, for whoever has to mend it.

Only the difference decides, so it is a guess and says so; the numbers themselves stand beside it in the case.

    found                                                     said
    as many units of an item or meter, at other amounts       its price was changed by hand
    another number of a licensed item                         its quantity was changed by hand
    fewer units of a meter, or no line of it                  usage is missing
    more units of a meter                                     usage came that is not of the ledger
    a price that is not ours, in place of an expected line    its price was changed by hand
    any other line that nobody expects                        an item was added by hand
    a proration                                               a quantity or an item was changed by hand in mid-term
    no line of a licensed item                                it was removed by hand
    another amount of an invoice item of ours, or no line     it was changed, or removed, by hand
    the lines agree, and the total does not                   a discount, a tax or a credit was added or removed by hand
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from event_schemas.values import Money
from invoicing_sync.invoices.domain.expected_invoice import Line, by_item, unequal
from invoicing_sync.invoices.domain.gate import MeterCheck
from invoicing_sync.invoices.domain.stages import StripeItem, unequal_items

FOREIGN = "unknown:"  # begins the item of a line whose price is none of ours; a meter has no colon in its name
PRORATION = "proration:"


def of_lines(expected: Iterable[Line], found: Iterable[Line]) -> tuple[str, ...]:
    """
    The causes of what differs between the lines of an invoice and the expected ones, each once.

    Lines of amount 0 are left out on both sides, as in the comparison.
    """
    missing, surplus = map(by_item, unequal(expected, found))
    both = missing.keys() & surplus.keys()
    told = [_changed(*key, before=_units(missing.pop(key)), after=_units(surplus.pop(key))) for key in both]
    for key in [key for key in surplus if key[1].startswith(FOREIGN)]:
        units = _units(surplus[key])
        replaced = next((other for other in missing if _units(missing[other]) == units), None)
        if replaced is not None:
            del missing[replaced], surplus[key]
            told.append(_price_changed(replaced[1]))
    told += (_removed(*key) for key in missing)
    told += (_added(*key) for key in surplus)
    return tuple(sorted(set(told)))


def of_totals(expected: Money, subtotal: Money, total: Money) -> tuple[str, ...]:
    """The cause where the lines come to what was expected and the total does not."""
    if subtotal != expected or total == expected:
        return ()
    way = "a discount was added" if total.minor < expected.minor else "a tax or a charge was added"
    return (f"{way} by hand: the lines come to {subtotal}, the total to {total}",)


def of_items(expected: Mapping[str, StripeItem], found: Iterable[StripeItem]) -> tuple[str, ...]:
    """The causes of what differs between a subscription's items and the contract, whose items have names for people."""
    return tuple(sorted(_of_items(*unequal_items(expected, found))))


def _of_items(missing: dict[str, StripeItem], surplus: list[StripeItem]) -> Iterator[str]:
    for name, (price, quantity) in missing.items():
        same_price = next((item for item in surplus if item[0] == price), None)
        same_quantity = next((item for item in surplus if item[1] == quantity), None)
        if same_price is not None:
            surplus.remove(same_price)
            yield f"the quantity was changed by hand on the subscription: {name} was agreed, {same_price[1]} is there"
        elif same_quantity is not None:
            surplus.remove(same_quantity)
            yield f"the price was changed by hand on the subscription: {name} is at {same_quantity[0]} there"
        else:
            yield f"an item was removed by hand from the subscription: {name}"
    for price, quantity in surplus:
        many = "" if quantity is None else f"{quantity} of "
        yield f"an item was added by hand to the subscription: {many}price {price}"


def of_usage(checks: Iterable[MeterCheck]) -> tuple[str, ...]:
    """The causes of what differs between the frozen ledger and Stripe's summaries, by meter."""
    return tuple(
        _changed("usage", check.meter, before=check.ledger, after=check.stripe)
        for check in checks
        if check.ledger != check.stripe
    )


def _changed(kind: str, item: str, *, before: Decimal, after: Decimal) -> str:
    if kind == "explicit":
        return f"the invoice item {item} was changed by hand"
    if before == after:
        return _price_changed(item)
    if kind == "advance":
        return f"the quantity of {item} was changed by hand"
    return _usage_missing(item) if after < before else _usage_surplus(item)


def _removed(kind: str, item: str) -> str:
    if kind == "explicit":
        return f"the invoice item {item} was removed by hand"
    return f"{item} was removed by hand" if kind == "advance" else _usage_missing(item)


def _added(kind: str, item: str) -> str:
    if kind == "proration" or item.startswith(PRORATION):
        return "a quantity or an item was changed by hand in mid-term, and Stripe prorated it"
    if kind == "usage" and ":" not in item:
        return _usage_surplus(item)
    return "an item was added by hand"


def _price_changed(item: str) -> str:
    return f"the price of {item} was changed by hand"


def _usage_missing(meter: str) -> str:
    return f"usage of {meter} is missing at Stripe"


def _usage_surplus(meter: str) -> str:
    return f"usage of {meter} came to Stripe that is not of the ledger"


def _units(lines: Iterable[Line]) -> Decimal:
    return sum((line.quantity for line in lines), Decimal(0))
