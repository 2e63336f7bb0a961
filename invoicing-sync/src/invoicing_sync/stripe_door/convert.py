"""Between Stripe's JSON and our values. Pure: reading may fail with ValueError or KeyError, writing may not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from event_schemas.times import parse_instant, period_containing
from event_schemas.values import EXACT, Currency, decimal_text
from invoicing_sync.contracts.domain.terms import LicensedTerm, MeteredTerm, Terms
from invoicing_sync.stripe_door.wire import Event, Invoice, InvoiceLine, MeterEvent, MeterProblem, Subscription, Summary

NATURAL_KEY = "settled_key"  # the metadata in which Stripe keeps the key of an invoice item of ours
SUMMARY_PLACES = Decimal("1e-12")  # a meter value has at most 12 decimals; the summary comes as a float


def instant(seconds: int) -> datetime:
    """Unix seconds as a UTC instant."""
    return datetime.fromtimestamp(seconds, UTC)


def seconds(at: datetime) -> int:
    """Whole seconds since 1970, cut off: an event stays in the minute, hour and period it happened in."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)


# --- writing ---------------------------------------------------------------------------------------------------------


def to_wire_meter_event(event: MeterEvent) -> dict[str, Any]:
    """Parameters of `POST /v1/billing/meter_events`; payload values are strings."""
    return {
        "event_name": event.event_name,
        "identifier": event.identifier,
        "timestamp": seconds(event.at),
        "payload": {"stripe_customer_id": event.stripe_customer, "value": decimal_text(event.value)},
    }


def to_wire_minor(unit_price: Decimal, currency: Currency) -> str:
    """A unit price in minor units as Stripe's decimal string, exact."""
    return decimal_text(unit_price.scaleb(currency.minor_digits, EXACT))


def metered_price_key(term: MeteredTerm, currency: Currency) -> str:
    """The lookup key of a metered price, derived from its content: other content is another price."""
    content = [term.scheme, [[tier.up_to, decimal_text(tier.unit_price)] for tier in term.tiers]]
    return f"settled.usage.{term.meter}.{currency.value.lower()}.{digest(content)}"


def licensed_price_key(term: LicensedTerm, currency: Currency) -> str:
    """The lookup key of a licensed price, derived from its content."""
    return f"settled.advance.{term.item}.{currency.value.lower()}.{digest([decimal_text(term.unit_price)])}"


def from_lookup_key(lookup_key: str) -> tuple[str, str]:
    """The kind (`usage` or `advance`) and the meter or item that a lookup key of ours names."""
    _, kind, item, _, _ = lookup_key.split(".")
    return kind, item


def to_wire_metered_price(term: MeteredTerm, currency: Currency, *, product: str, meter_id: str) -> dict[str, Any]:
    """Parameters of `POST /v1/prices` for a monthly metered price."""
    params: dict[str, Any] = {
        "currency": currency.value.lower(),
        "product": product,
        "lookup_key": metered_price_key(term, currency),
        "recurring": {"interval": "month", "usage_type": "metered", "meter": meter_id},
        "metadata": {"settled_meter": term.meter},
    }
    if term.scheme == "per_unit":
        return params | {"billing_scheme": "per_unit", "unit_amount_decimal": _tier_price(term, 0, currency)}
    tiers = [
        {"up_to": "inf" if tier.up_to is None else tier.up_to, "unit_amount_decimal": _tier_price(term, i, currency)}
        for i, tier in enumerate(term.tiers)
    ]
    return params | {"billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": tiers}


def _tier_price(term: MeteredTerm, index: int, currency: Currency) -> str:
    return to_wire_minor(term.tiers[index].unit_price, currency)


def to_wire_licensed_price(term: LicensedTerm, currency: Currency, *, product: str) -> dict[str, Any]:
    """Parameters of `POST /v1/prices` for a monthly licensed price."""
    return {
        "currency": currency.value.lower(),
        "product": product,
        "lookup_key": licensed_price_key(term, currency),
        "recurring": {"interval": "month", "usage_type": "licensed"},
        "billing_scheme": "per_unit",
        "unit_amount_decimal": to_wire_minor(term.unit_price, currency),
        "metadata": {"settled_item": term.item},
    }


def to_wire_customer(customer: str, name: str, email: str | None) -> dict[str, Any]:
    """Parameters of `POST /v1/customers`, new or not; without an address the one at Stripe stays."""
    address = {} if email is None else {"email": email}
    return {"name": name, **address, "metadata": {"customer": customer}}


def to_wire_subscription(
    terms: Terms, *, customer: str, stripe_customer: str, prices: Mapping[str, str], now: datetime, days_until_due: int
) -> dict[str, Any]:
    """
    Parameters of `POST /v1/subscriptions`: monthly from the contract's billing anchor, sent invoices, flexible mode.

    An anchor ahead starts the first paid period there and bills nothing before it. An anchor behind backdates the
    start to the period that runs, so that its usage is billed; what is paid in advance starts with the next one.
    `prices` maps lookup keys to ids.
    """
    items: list[dict[str, Any]] = [
        {"price": prices[licensed_price_key(term, terms.currency)], "quantity": term.quantity}
        for term in terms.licensed
        if term.quantity > 0
    ]
    items += [{"price": prices[metered_price_key(term, terms.currency)]} for term in terms.metered]
    params: dict[str, Any] = {
        "customer": stripe_customer,
        "currency": terms.currency.value.lower(),
        "items": items,
        "collection_method": "send_invoice",
        "days_until_due": days_until_due,
        "billing_mode": {"type": "flexible"},
        "metadata": {"customer": customer},
        "expand": ["latest_invoice"],
    }
    return params | _anchored(terms.billing_anchor, now)


def _anchored(anchor: datetime, now: datetime) -> dict[str, Any]:
    if seconds(anchor) == seconds(now):
        return {}
    if anchor > now:
        return {"billing_cycle_anchor": seconds(anchor), "proration_behavior": "none"}
    running = period_containing(anchor, now)
    return {
        "backdate_start_date": seconds(running.start),
        "billing_cycle_anchor": seconds(running.end),
        "proration_behavior": "none",
    }


def to_wire_keep_drafts(keep: bool) -> dict[str, Any]:
    """Parameters of `POST /v1/subscriptions/{id}`: whether its invoices wait as drafts; an empty string ends it."""
    return {"pause_collection": {"behavior": "keep_as_draft"} if keep else ""}


def to_wire_collection(method: str, days_until_due: int) -> dict[str, Any]:
    """Parameters by which a subscription, or a draft, changes how it is collected."""
    days = {"days_until_due": days_until_due} if method == "send_invoice" else {}
    return {"collection_method": method, **days}


def key_of(kind: str, natural_key: str, params: Mapping[str, Any], attempt: int) -> str:
    """An Idempotency-Key that holds every parameter, so that other parameters are another call. At most 255 long."""
    return f"settled:{kind}:{digest([natural_key, params])}:{attempt}"


def digest(content: object) -> str:
    """The end of a lookup key: the same for the same content."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


# --- reading ---------------------------------------------------------------------------------------------------------


def from_wire_invoice(raw: Mapping[str, Any]) -> Invoice:
    """An invoice with the lines that came along."""
    details = ((raw.get("parent") or {}).get("subscription_details")) or {}
    lines = raw.get("lines") or {"data": [], "has_more": True}
    return Invoice(
        invoice_id=raw["id"],
        stripe_customer=_id(raw["customer"]),
        subscription=_id(details.get("subscription")) or None,
        billing_reason=raw.get("billing_reason") or "",
        status=raw.get("status") or "draft",
        number=raw.get("number"),
        currency=raw["currency"],
        period_start=instant(raw["period_start"]),
        period_end=instant(raw["period_end"]),
        subtotal_minor=int(raw["subtotal"]),
        total_minor=int(raw["total"]),
        due_minor=int(raw.get("amount_due") or 0),
        credited_minor=_credited(raw),
        auto_advance=bool(raw.get("auto_advance")),
        collection_method=raw.get("collection_method") or "",
        lines=tuple(from_wire_line(line) for line in lines["data"]),
        lines_complete=not lines.get("has_more"),
        remaining_minor=int(raw.get("amount_remaining") or 0),
    )


def _credited(raw: Mapping[str, Any]) -> int:
    names = ("pre_payment_credit_notes_amount", "post_payment_credit_notes_amount")
    return sum(int(raw.get(name) or 0) for name in names)


def from_wire_line(raw: Mapping[str, Any]) -> InvoiceLine:
    """One line; the quantity is the decimal one, since the integer cuts decimals off."""
    pricing = raw.get("pricing") or {}
    price = (pricing.get("price_details") or {}).get("price")
    parent = raw.get("parent") or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    quantity = raw.get("quantity_decimal")
    return InvoiceLine(
        line_id=raw["id"],
        price=_id(price) or None,
        amount_minor=int(raw["amount"]),
        quantity=Decimal(str(raw.get("quantity") or 0 if quantity is None else quantity)),
        description=raw.get("description") or "",
        period_start=instant(raw["period"]["start"]),
        period_end=instant(raw["period"]["end"]),
        proration=bool(details.get("proration")),
        natural_key=(raw.get("metadata") or {}).get(NATURAL_KEY) or None,
        loose=bool(parent.get("invoice_item_details")),
        discounted_minor=sum(int(off["amount"]) for off in raw.get("discount_amounts") or ()),
    )


def from_wire_subscription(raw: Mapping[str, Any]) -> Subscription:
    """A subscription; all of its items share one monthly period here."""
    item = raw["items"]["data"][0]
    return Subscription(
        subscription_id=raw["id"],
        customer=_id(raw["customer"]),
        current_period_start=instant(item["current_period_start"]),
        current_period_end=instant(item["current_period_end"]),
        latest_invoice=_id(raw.get("latest_invoice")) or None,
        items=tuple((_id(item["price"]), item.get("quantity")) for item in raw["items"]["data"]),
    )


def from_wire_event(raw: Mapping[str, Any]) -> Event:
    """A snapshot event, from a list or a webhook's body."""
    return Event(str(raw["id"]), str(raw["type"]), instant(int(raw["created"])), dict(raw))


def from_wire_thin_event(raw: Mapping[str, Any]) -> Event:
    """A thin event of a list, cut down to the notice that a webhook carries."""
    notice = {name: value for name, value in raw.items() if name not in ("data", "changes")}
    return Event(str(raw["id"]), str(raw["type"]), created_of(raw), notice)


def created_of(raw: Mapping[str, Any]) -> datetime:
    """When an event was made: unix seconds in snapshots, ISO 8601 in thin events."""
    created = raw["created"]
    return instant(created) if isinstance(created, int) else parse_instant(str(created))


def from_wire_summary(raw: Mapping[str, Any]) -> Summary:
    """One window; the float is read by its shortest text and cut to the 12 decimals that a value may have."""
    value = Decimal(str(raw["aggregated_value"])).quantize(SUMMARY_PLACES, context=EXACT)
    return Summary(instant(raw["start_time"]), instant(raw["end_time"]), Decimal(decimal_text(value)))


def from_wire_meter_problems(raw: Mapping[str, Any]) -> tuple[MeterProblem, ...]:
    """The errors of a thin report, one for each code."""
    related = raw.get("related_object") or {}
    reason = (raw.get("data") or {}).get("reason") or {}
    return tuple(
        MeterProblem(
            meter=related.get("id"),
            code=str(kind.get("code")),
            count=int(kind.get("error_count") or 0),
            samples=tuple(_samples(kind.get("sample_errors") or ())),
        )
        for kind in reason.get("error_types") or ()
    )


def _samples(raw: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    for sample in raw:
        identifier = (sample.get("request") or {}).get("identifier")
        if identifier:
            yield str(identifier), str(sample.get("error_message") or "")


def _id(value: Any) -> str:
    """The id of an object that may be expanded; empty where there is none."""
    if value is None:
        return ""
    return str(value["id"]) if isinstance(value, Mapping) else str(value)
