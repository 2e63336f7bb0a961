"""A contract of version 1 and the same one in version 2 are billed alike, by the terms of the door and by its own."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from event_schemas.contract_v2 import from_version_1
from event_schemas.contracts import Contract
from event_schemas.times import Period, month_after
from event_schemas.values import Currency
from invoicing_sync.contracts.convert import terms_of as gate_terms_of
from invoicing_sync.invoices.domain.expected_invoice import Expected, Line, expected
from pricing.agreed import terms_of
from pricing.engine import expected_invoice
from pricing.lines import Invoice, Kind
from pricing.usage import Used

AGREED_AT = datetime(2026, 1, 5, tzinfo=UTC)
prices = st.decimals(0, 200, places=4).map(lambda price: f"{abs(price):f}")
names = st.lists(st.sampled_from(["resolution", "sms", "seat", "copilot"]), unique=True, max_size=3)
anchors = st.integers(0, 90 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@st.composite
def some_price(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"scheme": "per_unit", "unit_price": draw(prices)}
    bounds = sorted(draw(st.sets(st.integers(1, 60), max_size=3)))
    return {"scheme": "graduated", "tiers": [{"up_to": b, "unit_price": draw(prices)} for b in [*bounds, None]]}


@st.composite
def some_contract(draw: st.DrawFn) -> Contract:
    anchor = draw(anchors)
    policy_from = anchor + timedelta(days=draw(st.integers(-40, 0)))
    policies = [policy_from, policy_from + timedelta(days=50)][: draw(st.integers(1, 2))]
    return Contract.model_validate(
        {
            "customer": "acme",
            "name": "Acme",
            "issuer": "settled-us",
            "channel": draw(st.sampled_from(["self_serve", "sales_led"])),
            "currency": draw(st.sampled_from(list(Currency))),
            "billing_anchor": anchor,
            "revision": draw(st.integers(1, 9)),
            "timeline": [{"effective_from": at, "policy": {"version": f"v{n}"}} for n, at in enumerate(policies)],
            "metered": [{"meter": name, "price": draw(some_price())} for name in draw(names)],
            "licensed": [
                {"item": name, "quantity": draw(st.integers(0, 50)), "unit_price": draw(prices)} for name in draw(names)
            ],
            "free_meters": ["chat"] if draw(st.booleans()) else [],
        }
    )


def as_the_gate_has_it(invoice: Invoice) -> Counter[Line]:
    kinds = {Kind.ADVANCE: "advance", Kind.USAGE: "usage"}
    return Counter(
        Line(kinds[line.kind], line.meter or line.item, line.quantity or Decimal(0), line.amount)  # type: ignore[arg-type]
        for line in invoice.lines
        if line.amount.minor
    )


@settings(max_examples=80, deadline=None)
@given(some_contract(), st.integers(0, 14), st.lists(st.integers(0, 200), min_size=4, max_size=4))
def test_both_versions_ask_for_the_same_money(contract: Contract, month: int, counts: list[int]) -> None:
    """Seen to fail when seats of version 2 began with the first policy, and when tiers lost their bounds."""
    billing_day = month_after(contract.billing_anchor, month)
    usage = dict(zip((price.meter for price in contract.metered), map(Decimal, counts), strict=False)) if month else {}
    converted = from_version_1(contract, agreed_at=AGREED_AT)
    terms = terms_of(converted)
    first = expected_invoice(terms, billing_day)
    invoice = expected_invoice(
        terms, billing_day, [Used(meter, first.ended, count) for meter, count in usage.items() if count]
    )

    gate = as_the_door_expects_it(contract, first.ended, usage)
    assert as_the_gate_has_it(invoice) == Counter(line for line in gate.lines if line.amount.minor)
    assert invoice.net == gate.total
    assert (invoice.unpriced, gate.unpriced) == ((), {})


def as_the_door_expects_it(contract: Contract, ended: Period, usage: dict[str, Decimal]) -> Expected:
    used = [Used(meter, ended, count) for meter, count in usage.items()]
    return expected(gate_terms_of(contract), ended, used, revision=contract.revision)


@settings(max_examples=40, deadline=None)
@given(some_contract())
def test_both_versions_name_the_same_customer_policies_and_free_meters(contract: Contract) -> None:
    converted = from_version_1(contract, agreed_at=AGREED_AT)
    (billing,) = converted.billing

    assert (converted.customer, converted.revision, converted.channel) == (
        contract.customer,
        contract.revision,
        contract.channel,
    )
    assert (billing.name, billing.issuer, billing.collection_method) == (
        contract.name,
        contract.issuer,
        contract.collection_method,
    )
    assert converted.timeline == contract.timeline
    assert [free.meter for free in converted.free_meters] == list(contract.free_meters)
