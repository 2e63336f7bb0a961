"""An invoice as Stripe lays it out."""

from __future__ import annotations

from sandbox.stripe.resources.lines import Span
from sandbox.stripe.state import Body, State

DRAFT_S = 3600  # a draft that advances by itself is finalised after an hour
_SHOWN_LINES = 10  # lines that come with the invoice; the others are listed


def new_invoice(state: State, subscription: Body, reason: str, period: Span) -> Body:
    """A draft of a subscription without lines; not kept yet."""
    customer = state.objects["customer"][subscription["customer"]]
    id_ = state.new_id("invoice")
    send = subscription["collection_method"] == "send_invoice"
    advances = subscription["pause_collection"] is None or state.switches.kept_drafts == "advance"
    return {
        **_blank(),
        "id": id_,
        "auto_advance": advances,
        "automatically_finalizes_at": state.now + DRAFT_S if advances else None,
        "billing_reason": reason,
        "collection_method": subscription["collection_method"],
        "created": state.now,
        "currency": subscription["currency"],
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_tax_exempt": customer["tax_exempt"],
        "due_date": state.now + subscription["days_until_due"] * 86_400 if send else None,
        "lines": {"object": "list", "data": [], "has_more": False, "url": f"/v1/invoices/{id_}/lines"},
        "parent": {
            "quote_details": None,
            "type": "subscription_details",
            "subscription_details": {"metadata": subscription["metadata"], "subscription": subscription["id"]},
        },
        "period_end": period[1],
        "period_start": period[0],
        "test_clock": subscription["test_clock"],
    }


def _blank() -> Body:
    """What no new draft has yet, or the sandbox never has."""
    return {
        "object": "invoice",
        "account_country": "US",
        "account_name": "Sandbox",
        "account_tax_ids": None,
        "amount_due": 0,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_remaining": 0,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "automatic_tax": {
            "enabled": False,
            "liability": None,
            "status": None,
            "disabled_reason": None,
            "provider": None,
        },
        "custom_fields": None,
        "customer_account": None,
        "customer_shipping": None,
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "effective_at": None,
        "ending_balance": None,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": None,
        "on_behalf_of": None,
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": "draft",
        "status_details": None,
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subtotal": 0,
        "subtotal_excluding_tax": 0,
        "total": 0,
        "total_discount_amounts": [],
        "total_excluding_tax": 0,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": None,
    }


def subscription_of(invoice: Body) -> str:
    """The id of the subscription that an invoice bills."""
    return str(invoice["parent"]["subscription_details"]["subscription"])


def shown_invoice(invoice: Body) -> Body:
    """An invoice as an answer or event shows it: its first ten lines, without the sandbox's own marks."""
    lines = [shown_line(line) for line in invoice["lines"]["data"]]
    shown = {key: value for key, value in invoice.items() if not key.startswith("_")}
    shown["lines"] = {**invoice["lines"], "data": lines[:_SHOWN_LINES], "has_more": len(lines) > _SHOWN_LINES}
    return shown


def shown_line(line: Body) -> Body:
    """A line without the sandbox's own marks."""
    return {key: value for key, value in line.items() if not key.startswith("_")}
