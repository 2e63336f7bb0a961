"""The surface in use: which method and path is carried out by which function."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.stripe.resources import (
    balances,
    catalogue,
    coupons,
    credit_notes,
    customers,
    invoice_items,
    invoices,
    meters,
    notices,
    previews,
    subscription_items,
    subscriptions,
    test_clocks,
    usage,
)
from sandbox.stripe.resources.params import Params
from sandbox.stripe.state import Body, State

Handler = Callable[..., Body]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method and path. `path` is written as in the OpenAPI document."""

    method: str
    path: str
    handler: Handler

    def run(self, state: State, ids: tuple[str, ...], params: Params) -> Body:
        """Carry it out. Raises StripeError."""
        return self.handler(state, *ids, params)


def _deactivate(state: State, id_: str, params: Params) -> Body:
    return meters.switch_meter(state, id_, params, active=False)


def _reactivate(state: State, id_: str, params: Params) -> Body:
    return meters.switch_meter(state, id_, params, active=True)


def _get(kind: str) -> Handler:
    def retrieve(state: State, id_: str, params: Params) -> Body:
        return state.get(kind, id_)

    return retrieve


METER_EVENTS = "/v1/billing/meter_events"  # has its own short way, in `meter_route.py`

OPERATIONS: tuple[Operation, ...] = tuple(
    Operation(method, path, handler)
    for method, path, handler in (
        ("POST", "/v1/billing/meters", meters.create_meter),
        ("GET", "/v1/billing/meters", meters.list_meters),
        ("GET", "/v1/billing/meters/{id}", _get("billing.meter")),
        ("POST", "/v1/billing/meters/{id}", meters.update_meter),
        ("POST", "/v1/billing/meters/{id}/deactivate", _deactivate),
        ("POST", "/v1/billing/meters/{id}/reactivate", _reactivate),
        ("GET", "/v1/billing/meters/{id}/event_summaries", usage.list_summaries),
        ("POST", "/v1/billing/meter_event_adjustments", usage.create_adjustment),
        ("POST", "/v1/customers", customers.create_customer),
        ("GET", "/v1/customers", customers.list_customers),
        ("GET", "/v1/customers/{customer}", customers.retrieve_customer),
        ("POST", "/v1/customers/{customer}", customers.update_customer),
        ("DELETE", "/v1/customers/{customer}", customers.delete_customer),
        ("POST", "/v1/customers/{customer}/balance_transactions", balances.create_transaction),
        ("GET", "/v1/customers/{customer}/balance_transactions", balances.list_transactions),
        ("GET", "/v1/customers/{customer}/balance_transactions/{transaction}", balances.retrieve_transaction),
        ("POST", "/v1/customers/{customer}/balance_transactions/{transaction}", balances.update_transaction),
        ("POST", "/v1/products", catalogue.create_product),
        ("GET", "/v1/products", catalogue.list_products),
        ("GET", "/v1/products/{id}", _get("product")),
        ("POST", "/v1/products/{id}", catalogue.update_product),
        ("POST", "/v1/prices", catalogue.create_price),
        ("GET", "/v1/prices", catalogue.list_prices),
        ("GET", "/v1/prices/{price}", _get("price")),
        ("POST", "/v1/prices/{price}", catalogue.update_price),
        ("POST", "/v1/subscriptions", subscriptions.create_subscription),
        ("GET", "/v1/subscriptions", subscriptions.list_subscriptions),
        ("GET", "/v1/subscriptions/{subscription_exposed_id}", _get("subscription")),
        ("POST", "/v1/subscriptions/{subscription_exposed_id}", subscriptions.update_subscription),
        ("DELETE", "/v1/subscriptions/{subscription_exposed_id}", subscriptions.cancel_subscription),
        ("POST", "/v1/subscription_items", subscription_items.create),
        ("GET", "/v1/subscription_items", subscription_items.list_items),
        ("GET", "/v1/subscription_items/{item}", subscription_items.retrieve),
        ("POST", "/v1/subscription_items/{item}", subscription_items.update),
        ("DELETE", "/v1/subscription_items/{item}", subscription_items.delete),
        ("POST", "/v1/coupons", coupons.create_coupon),
        ("GET", "/v1/coupons", coupons.list_coupons),
        ("GET", "/v1/coupons/{coupon}", _get("coupon")),
        ("POST", "/v1/coupons/{coupon}", coupons.update_coupon),
        ("DELETE", "/v1/coupons/{coupon}", coupons.delete_coupon),
        ("GET", "/v1/invoices", invoices.list_invoices),
        ("POST", "/v1/invoices/create_preview", previews.create_preview),
        ("GET", "/v1/invoices/{invoice}", invoices.retrieve_invoice),
        ("POST", "/v1/invoices/{invoice}", invoices.update_invoice),
        ("GET", "/v1/invoices/{invoice}/lines", invoices.list_lines),
        ("POST", "/v1/invoices/{invoice}/finalize", invoices.finalize_invoice),
        ("POST", "/v1/invoices/{invoice}/pay", invoices.pay_invoice),
        ("POST", "/v1/invoices/{invoice}/send", invoices.send_invoice),
        ("POST", "/v1/invoices/{invoice}/void", invoices.void_invoice),
        ("POST", "/v1/invoices/{invoice}/mark_uncollectible", invoices.mark_uncollectible),
        ("POST", "/v1/invoiceitems", invoice_items.create_item),
        ("GET", "/v1/invoiceitems", invoice_items.list_items),
        ("GET", "/v1/invoiceitems/{invoiceitem}", _get("invoiceitem")),
        ("POST", "/v1/invoiceitems/{invoiceitem}", invoice_items.update_item),
        ("DELETE", "/v1/invoiceitems/{invoiceitem}", invoice_items.delete_item),
        ("POST", "/v1/credit_notes", credit_notes.create_credit_note),
        ("GET", "/v1/credit_notes", credit_notes.list_credit_notes),
        ("GET", "/v1/credit_notes/preview", credit_notes.preview),
        ("GET", "/v1/credit_notes/preview/lines", credit_notes.preview_lines),
        ("GET", "/v1/credit_notes/{id}", _get("credit_note")),
        ("POST", "/v1/credit_notes/{id}", credit_notes.update_credit_note),
        ("POST", "/v1/credit_notes/{id}/void", credit_notes.void_credit_note),
        ("GET", "/v1/credit_notes/{credit_note}/lines", credit_notes.list_lines),
        ("POST", "/v1/test_helpers/test_clocks", test_clocks.create_clock),
        ("GET", "/v1/test_helpers/test_clocks", test_clocks.list_clocks),
        ("GET", "/v1/test_helpers/test_clocks/{test_clock}", _get("test_helpers.test_clock")),
        ("POST", "/v1/test_helpers/test_clocks/{test_clock}/advance", test_clocks.advance_clock),
        ("DELETE", "/v1/test_helpers/test_clocks/{test_clock}", test_clocks.delete_clock),
        ("GET", "/v1/events", notices.list_events),
        ("GET", "/v1/events/{id}", _get("event")),
        ("POST", "/v1/webhook_endpoints", notices.create_endpoint),
        ("GET", "/v1/webhook_endpoints", notices.list_endpoints),
        ("GET", "/v1/webhook_endpoints/{webhook_endpoint}", _get("webhook_endpoint")),
        ("DELETE", "/v1/webhook_endpoints/{webhook_endpoint}", notices.delete_endpoint),
        ("POST", "/v2/core/event_destinations", notices.create_destination),
        ("GET", "/v2/core/event_destinations", notices.list_destinations),
        ("GET", "/v2/core/event_destinations/{id}", _get("v2.core.event_destination")),
        ("DELETE", "/v2/core/event_destinations/{id}", notices.delete_destination),
        ("GET", "/v2/core/events", notices.list_thin_events),
        ("GET", "/v2/core/events/{id}", _get("v2.core.event")),
    )
)

_PATTERNS = [(op, re.compile(re.sub(r"\{[^}]+\}", "([^/]+)", op.path) + r"\Z")) for op in OPERATIONS]


def find(method: str, path: str) -> tuple[Operation, tuple[str, ...]] | None:
    """The operation of a request, and the ids in its path."""
    for operation, pattern in _PATTERNS:
        if operation.method == method and (match := pattern.match(path)):
            return operation, match.groups()
    return None


def describe(operation: Operation) -> dict[str, Any]:
    """An operation by its method and path."""
    return {"method": operation.method, "path": operation.path}
