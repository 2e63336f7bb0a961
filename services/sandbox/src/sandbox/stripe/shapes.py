"""How kept objects are shown: without secrets, with the parts that Stripe leaves out left out."""

from __future__ import annotations

from sandbox.stripe.resources.catalogue import without_tiers
from sandbox.stripe.resources.coupons import is_valid, without_products
from sandbox.stripe.resources.drafts import reread
from sandbox.stripe.resources.invoice_shape import shown_invoice
from sandbox.stripe.state import Body, State


def shown(state: State, body: Body, *, created: bool = False) -> Body:
    """An object or list as an answer shows it. `created`: secrets are shown, this once."""
    if isinstance(body.get("data"), list) and "id" not in body:
        return {**body, "data": [shown(state, row) for row in body["data"]]}
    kind = body.get("object")
    if kind == "invoice" and body.get("_preview"):
        return shown_invoice(body)
    if kind == "invoice":
        return shown_invoice(reread(state, body))
    if kind == "price":
        return without_tiers(body)
    if kind == "coupon" and "duration" in body:
        return {**without_products(body), "valid": is_valid(state, body)}
    if kind == "event":
        return {**body, "pending_webhooks": len(state.pending.get(body["id"], ()))}
    if kind == "webhook_endpoint" and not created and "url" in body:
        return {key: value for key, value in body.items() if key not in ("secret", "_rolled")}
    if kind == "v2.core.event_destination" and not created and "webhook_endpoint" in body:
        shown_body = {key: value for key, value in body.items() if not key.startswith("_")}
        return {**shown_body, "webhook_endpoint": {"url": body["webhook_endpoint"]["url"]}}
    return {key: value for key, value in body.items() if not key.startswith("_")}
