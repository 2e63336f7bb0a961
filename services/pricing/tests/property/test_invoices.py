"""
What holds of every invoice and of every chain of corrections, over random terms of every kind in five currencies.

Each test says for which planted faults it was seen to fail.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from event_schemas.contract_v2 import ContractRefused, ContractV2, read_contract
from event_schemas.values import Currency, Money, round_line
from pricing.agreed import terms_of
from pricing.checking import contradictions
from pricing.corrections import Document, correction
from pricing.engine import expected_invoice
from pricing.golden import written
from pricing.lines import Invoice, Kind
from pricing.prices import Flat, Graduated, Included, Package, PerUnit, Tier, Volume
from pricing.terms import (
    Allowance,
    Commitment,
    CommitmentBilling,
    Discount,
    HardLimit,
    Licensed,
    Metered,
    Minimum,
    PrepaidCredit,
    Proration,
    QuantityFrom,
    Rhythm,
    Scope,
    Taxes,
    TaxRate,
    TaxRounding,
    Terms,
)
from pricing.testing import DAY, FEBRUARY, on
from pricing.usage import BilledBefore, Used, used_at

instants = st.integers(0, 28 * 24 * 4 - 1).map(lambda quarter: FEBRUARY.start + timedelta(minutes=15 * quarter))
prices = st.decimals(0, 30, places=5)
METERS = ("outcome", "sms")


def some(examples: int) -> settings:
    """So many examples, however long a busy machine takes to draw them: terms of every kind are large."""
    return settings(deadline=None, max_examples=examples, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Given:
    """All that an invoice is asked of."""

    terms: Terms
    usage: tuple[Used, ...]
    before: BilledBefore
    taxes: Taxes

    def invoice(self, usage: Sequence[Used] | None = None, before: BilledBefore | None = None) -> Invoice:
        return expected_invoice(
            self.terms, DAY, self.usage if usage is None else usage, before or self.before, taxes=self.taxes
        )


@st.composite
def some_price(draw: st.DrawFn) -> Any:
    bounds = sorted(draw(st.sets(st.integers(1, 60), max_size=3)))
    tiers = tuple(
        Tier(bound, draw(prices), draw(st.sampled_from([Decimal(0), Decimal(3)]))) for bound in [*bounds, None]
    )
    return draw(
        st.sampled_from(
            [
                PerUnit(draw(prices)),
                Graduated(tiers),
                Volume(tiers),
                Package(draw(st.integers(1, 20)), draw(prices), draw(st.integers(0, 30))),
                Flat(draw(prices)),
                Included(),
            ]
        )
    )


@st.composite
def some_metered(draw: st.DrawFn, meter: str) -> list[Metered]:
    """One item, or two of which one ends where the other begins, or a gap between them."""
    if draw(st.booleans()):
        return [Metered(meter, meter, draw(some_price()), on(1))]
    end, start = sorted((draw(instants), draw(instants)))
    if draw(st.booleans()):
        start = end
    old = Metered(f"{meter}-old", meter, draw(some_price()), on(1, 1), end)
    return [old, Metered(f"{meter}-new", meter, draw(some_price()), start)]


@st.composite
def some_licensed(draw: st.DrawFn, key: str) -> Licensed:
    timeline = {on(1): draw(st.integers(0, 9))} | draw(st.dictionaries(instants, st.integers(0, 9), max_size=3))
    price = draw(some_price().filter(lambda price: not isinstance(price, Included)))
    return Licensed(
        key,
        price,
        tuple(QuantityFrom(at, quantity) for at, quantity in sorted(timeline.items())),
        on(1),
        draw(st.one_of(st.none(), instants.filter(lambda at: at > on(1)))),
        draw(st.sampled_from(list(Rhythm))),
    )


@st.composite
def some_discounts(draw: st.DrawFn, keys: list[str], currency: Currency) -> tuple[Discount, ...]:
    found = []
    for place, item in enumerate(draw(st.lists(st.sampled_from([*keys, None]), unique=True, max_size=3))):
        percent = draw(st.one_of(st.none(), st.decimals("0.1", 100, places=1)))
        amount = Money(draw(st.integers(1, 5000)), currency) if percent is None else None
        scope = Scope.INVOICE if item is None else Scope.ITEM
        found.append(Discount(f"d{place}", scope, item, percent, amount, invoices=draw(st.sampled_from([None, 1, 2]))))
    return tuple(found)


@st.composite
def some_clauses(draw: st.DrawFn, keys: list[str], metered: list[str], currency: Currency) -> dict[str, Any]:
    meter = st.sampled_from(METERS)
    units = st.integers(0, 40)
    clauses: dict[str, Any] = {"discounts": draw(some_discounts(keys, currency))}
    if draw(st.booleans()):
        ramp = (QuantityFrom(on(1), draw(units)), QuantityFrom(DAY, draw(units)))
        bill = draw(st.sampled_from(list(CommitmentBilling)))
        clauses["commitments"] = (Commitment("c", draw(meter), draw(prices), currency, ramp, bill),)
    if draw(st.booleans()):
        clauses["minimums"] = (Minimum("m", draw(meter), Money(draw(st.integers(1, 90_000)), currency)),)
    clauses["allowances"] = tuple(
        Allowance(f"a{place}", draw(meter), draw(units), draw(st.one_of(st.none(), instants)))
        for place in range(draw(st.integers(0, 2)))
    )
    if draw(st.booleans()):
        clauses["limits"] = (HardLimit("l", draw(meter), draw(units), draw(st.one_of(st.none(), instants))),)
    clauses["prepaid"] = tuple(
        PrepaidCredit(
            f"p{place}", Money(draw(st.integers(1, 30_000)), currency), draw(st.sampled_from([None, metered]))
        )
        for place in range(draw(st.integers(0, 2)))
    )
    return clauses


def an_entry(meter: str, at: datetime, charged: int, reversed_: int) -> Used:
    return used_at(meter, at, Decimal(max(charged, reversed_)), Decimal(min(charged, reversed_)))


entries = st.builds(
    an_entry, st.sampled_from([*METERS, "chat", "fax"]), instants, st.integers(0, 60), st.integers(0, 5)
)


@st.composite
def some_taxes(draw: st.DrawFn, keys: list[str]) -> Taxes:
    rates = [("a", None), ("b", tuple(keys[:1]))][: draw(st.integers(0, 2))]
    percents = st.decimals(0, 25, places=2)
    return Taxes(
        tuple(TaxRate(name, draw(percents), items) for name, items in rates), draw(st.sampled_from(list(TaxRounding)))
    )


@st.composite
def given_all(draw: st.DrawFn) -> Given:
    currency = draw(st.sampled_from(list(Currency)))
    items = [draw(some_licensed(key)) for key in ("seat", "addon")[: draw(st.integers(0, 2))]]
    metered = [item for meter in METERS for item in draw(some_metered(meter))]
    keys = [item.key for item in (*items, *metered)]
    terms = Terms(
        currency,
        on(1),
        (*items, *metered),
        **draw(some_clauses(keys, [item.key for item in metered], currency)),
        free_meters=("chat",),
        proration=draw(st.sampled_from(list(Proration))),
        card_step=draw(st.sampled_from([1, 10])),
    )
    drawn = {credit.key: draw(st.integers(0, credit.amount.minor)) for credit in terms.prepaid}
    before = BilledBefore((on(1),), draw(st.integers(0, 50_000)), drawn)
    return Given(terms, tuple(draw(st.lists(entries, min_size=1, max_size=8))), before, draw(some_taxes(keys)))


everything = given_all().filter(
    lambda given: all(found.code == "minimum_beside_commitment" for found in contradictions(given.terms))
)


@some(60)
@given(everything)
def test_parts_sum_to_wholes(given_: Given) -> None:
    """
    Seen to fail when an invoice discount was rounded per item, when customer credit paid more than the total, and when
    a tax row counted lines that its rate does not cover.
    """
    invoice = given_.invoice()
    total = invoice.net.minor + sum(row.amount.minor for row in invoice.tax)
    credit = given_.before.customer_credit

    assert invoice.net.minor == sum(line.amount.minor for line in invoice.lines)
    assert invoice.total.minor == total
    assert invoice.amount_due.minor == max(total, 0) + invoice.balance_applied.minor >= 0
    assert invoice.customer_credit_after.minor == credit + invoice.balance_applied.minor + max(-total, 0) >= 0
    assert invoice.payable == invoice.amount_due + invoice.payment_rounding
    assert abs(invoice.payment_rounding.minor) < given_.terms.card_step
    for row, rate in zip(invoice.tax, given_.taxes.rates, strict=True):
        assert row.base.minor == sum(
            line.amount.minor for line in invoice.lines if rate.items is None or line.item in rate.items
        )


@some(60)
@given(everything)
def test_every_line_is_its_exact_amount_rounded_once(given_: Given) -> None:
    """Seen to fail when a price was rounded before it was multiplied, and when a proration rounded its factor."""
    for line in given_.invoice().lines:
        assert line.amount == round_line(line.why.exact, given_.terms.currency), line


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 5000), min_size=1, max_size=8),
    st.decimals("0.1", 100, places=1),
    st.sampled_from(list(Currency)),
)
def test_an_invoice_discount_is_rounded_once_and_its_shares_sum_to_it(
    amounts: list[int], percent: Decimal, currency: Currency
) -> None:
    """Seen to fail when each share was rounded by itself."""
    unit = Decimal(1).scaleb(-currency.minor_digits)
    items = [Metered(f"i{place}", f"m{place}", PerUnit(unit), on(1)) for place in range(len(amounts))]
    usage = [Used(f"m{place}", FEBRUARY, Decimal(amount)) for place, amount in enumerate(amounts)]
    discount = Discount("d", Scope.INVOICE, percent=percent)

    invoice = expected_invoice(Terms(currency, on(1), tuple(items), (discount,)), DAY, usage)

    shares = [-line.amount.minor for line in invoice.lines if line.whole_invoice]
    assert sum(shares) == int(Fraction(percent) * sum(amounts) / 100 + Fraction(1, 2))
    assert sum(amounts) - sum(shares) == invoice.net.minor >= 0


@some(200)
@given(everything)
def test_every_unit_that_was_charged_is_accounted_for(given_: Given) -> None:
    """
    Against the entries as given. Seen to fail when units above a limit were dropped, when free units of a
    package were forgotten, and when a meter without an item was passed over.
    """
    invoice = given_.invoice()
    told = {meter.meter: meter for meter in invoice.account}

    charged, reversed_ = Counter[str](), Counter[str]()
    for used in given_.usage:
        charged[used.meter] += used.charged  # type: ignore[assignment]  # decimals count as well
        reversed_[used.meter] += used.reversed  # type: ignore[assignment]
    assert {meter: units for meter, units in charged.items() if units} == {m: a.charged for m, a in told.items()}
    for meter, account in told.items():
        on_lines = [line for line in invoice.lines if line.meter == meter]
        covered = sum(line.quantity or 0 for line in on_lines if line.kind is Kind.INCLUDED)
        billed = sum(line.quantity or 0 for line in on_lines if line.kind in (Kind.USAGE, Kind.OVERAGE))
        by_price = account.in_price + account.in_allowance + account.in_commitment - covered  # shown on no line
        assert account.net == charged[meter] - reversed_[meter]
        assert account.net == billed + covered + by_price + account.under_cap + account.free + account.unpriced
    assert told["fax"].unpriced == told["fax"].net if "fax" in told else True
    assert told["chat"].free == told["chat"].net if "chat" in told else True


@some(60)
@given(everything, st.randoms(use_true_random=False))
def test_the_order_of_entries_does_not_matter(given_: Given, random: Any) -> None:
    """Seen to fail when what became of a part of a period hung on the entry that came first."""
    shuffled = list(given_.usage)
    random.shuffle(shuffled)

    assert given_.invoice(shuffled) == given_.invoice()


@some(60)
@given(everything, st.data())
def test_corrections_in_any_order_come_to_the_period_rated_at_once(given_: Given, data: st.DataObject) -> None:
    """
    Late charges and reversals of a closed period, one by one, in any order, after a later invoice has drawn on the
    prepaid credits too: invoice and corrections sum to the period rated with all of them, item by item, tax included.

    Seen to fail when a correction left out what a discount changes, when its total was not that of its items, and when
    a period rated again had only the prepaid credit that is left today, without what it drew itself.
    """
    late = data.draw(st.permutations([*given_.usage, *data.draw(st.lists(entries, min_size=1, max_size=4))]))
    billed = late[: data.draw(st.integers(0, len(late)))]
    elsewhere = {
        credit.key: data.draw(st.integers(given_.before.prepaid_drawn[credit.key], credit.amount.minor))
        for credit in given_.terms.prepaid
    }
    first = given_.invoice(billed)
    drawn = Counter(given_.before.prepaid_drawn) + Counter(first.drawn)
    for credit, total in elsewhere.items():  # what a later invoice has drawn
        drawn[credit] = max(drawn[credit], total)
    pool, stands = given_.before.reopened(first, drawn_by_now=drawn), first
    corrections = []
    for so_far in accumulate(late[len(billed) :], lambda before, used: [*before, used], initial=list(billed)):
        reopened = given_.before.reopened(stands, drawn_by_now=drawn)
        after = given_.invoice(so_far, reopened)
        corrections.append(correction(stands, after))
        drawn.update(corrections[-1].prepaid)
        stands = after

    at_once = given_.invoice(late, pool)
    assert first.total.minor + sum(c.total.minor for c in corrections) == at_once.total.minor
    assert first.net.minor + sum(c.net.minor for c in corrections) == at_once.net.minor
    for prepaid in given_.terms.prepaid:
        assert 0 <= drawn[prepaid.key] <= prepaid.amount.minor  # no credit pays more than it holds
    for item in {line.item for line in (*first.lines, *at_once.lines)}:
        changed = sum(d.net.minor for c in corrections for d in c.items if d.item == item)
        assert by_item(first)[item] + changed == by_item(at_once)[item]
    for one in corrections:
        assert (one.document is Document.CREDIT_NOTE) == (one.total.minor < 0)


def by_item(invoice: Invoice) -> Counter[str]:
    sums = Counter[str]()
    for line in invoice.lines:
        sums[line.item] += line.amount.minor
    return sums


@some(60)
@given(everything)
def test_a_correction_of_nothing_is_nothing(given_: Given) -> None:
    again = correction(given_.invoice(), given_.invoice())

    assert (again.document, again.items, again.tax, again.net.minor) == (Document.NOTHING, (), (), 0)


@some(60)
@given(everything, st.integers(1, 4))
def test_a_limit_is_never_passed(given_: Given, factor: int) -> None:
    """Seen to fail when each part of a period had the whole limit."""
    whole = replace(given_.terms, limits=(HardLimit("l", "outcome", 20),))
    usage = [replace(used, charged=used.charged * factor, reversed=used.reversed) for used in given_.usage]

    for meter in expected_invoice(whole, DAY, usage, given_.before).account:
        if meter.meter == "outcome":
            assert meter.on_lines + meter.in_price + meter.in_allowance + meter.in_commitment <= 20


def as_agreed(terms: Terms) -> Terms:
    """The terms of the contract that says them, through JSON."""
    contract = read_contract(json.loads(json.dumps(written(terms))))
    assert isinstance(contract, ContractV2)
    return terms_of(contract)


def without_versions(invoice: Invoice) -> Invoice:
    """Where a price came from in the catalogue is the contract's to say: these terms say nothing."""
    lines = (replace(line, why=replace(line.why, price_version="")) for line in invoice.lines)
    return replace(invoice, lines=tuple(lines))


@some(60)
@given(given_all().filter(lambda given: not contradictions(given.terms)))
def test_a_contract_can_say_all_that_can_be_billed(given_: Given) -> None:
    """
    Seen to fail when a tier's flat fee, a pack's free units, and the first step of a ramp were left out of the terms.
    """
    agreed = replace(given_, terms=as_agreed(given_.terms))

    assert without_versions(agreed.invoice()) == without_versions(given_.invoice())


def an_entry_of(quantity: int) -> tuple[QuantityFrom, ...]:
    return (QuantityFrom(on(1), quantity),)


SEAT = Licensed("one", PerUnit(Decimal(1)), an_entry_of(1), on(1))
FAULTS: list[dict[str, Any]] = [
    {},
    {"items": (replace(SEAT, quantities=an_entry_of(-1)),)},
    {"items": (replace(SEAT, quantities=an_entry_of(10**9)),)},
    {"items": (replace(SEAT, until=on(1)),)},
    {"items": (SEAT, SEAT)},
    {"items": (replace(SEAT, price=Included()),)},
    {"items": (replace(SEAT, term_anchor=on(2)),)},
    {"items": (replace(SEAT, price=Volume((Tier(5, Decimal(1)),))),)},
    {"items": (replace(SEAT, price=Graduated((Tier(5, Decimal(1)), Tier(5, Decimal(1)), Tier(None, Decimal(1))))),)},
    {"items": (Metered("two", "outcome", PerUnit(Decimal(1)), on(1)),)},
    {"free_meters": ("sms",)},
    {"discounts": (Discount("d", Scope.INVOICE, percent=Decimal(101)),)},
    {"discounts": (Discount("d", Scope.ITEM, item="fax", percent=Decimal(1)),)},
    {"discounts": (Discount("d", Scope.INVOICE, percent=Decimal(1), start=on(1), invoices=3),) * 2},
    {"limits": (HardLimit("l", "fax", 1),)},
    {"limits": (HardLimit("l", "sms", 1), HardLimit("m", "sms", 1, on(5)))},
    {"minimums": (Minimum("m", "outcome", Money(5, Currency.USD), on(5)),)},
    {"prepaid": (PrepaidCredit("p", Money(5, Currency.USD), ("seat",)),)},
    {"commitments": (Commitment("c", "sms", Decimal(1), Currency.EUR, an_entry_of(1), CommitmentBilling.ADVANCE),)},
]


@pytest.mark.parametrize("fault", FAULTS)
@some(4)
@given(given_all())
def test_the_schema_refuses_what_the_engine_cannot_bill_and_nothing_else(fault: dict[str, Any], given_: Given) -> None:
    """
    What is taken can be billed, and what is refused is refused for a reason that the engine has too.

    Seen to fail when the schema let two limits of one meter, a tier table with an end, and a 101 % discount pass.
    """
    added = {"items": (*given_.terms.items, *fault["items"])} if "items" in fault else fault
    terms = replace(given_.terms, **added)
    found = {one.code for one in contradictions(terms)}

    try:
        as_agreed(terms)
        refused = set[str]()
    except ContractRefused as error:
        refused = {one.code for one in error.flaws}

    assert bool(refused) == bool(found)
    assert refused & found or not found
