"""What Stripe's refusal to finalise, send or charge an invoice means; see assumptions/domain/catalogue.py."""

from __future__ import annotations

PAYMENT_REQUIRED = 402  # Stripe: the parameters were valid, the request failed
# Codes by which the customer's way to pay is at fault, and Stripe goes on with its own retries and mails.
_OF_PAYMENTS = ("card_", "payment_", "invoice_payment_intent_", "authentication_required", "insufficient_funds")


def is_failed_payment(status: int, code: str, sentence: str) -> bool:
    """
    Whether a charge was refused by the payment method, or for want of one; else Stripe did not try to charge.

    Stripe has no code for an invoice whose customer has no method: its sentence names `default_payment_method`.
    """
    return status == PAYMENT_REQUIRED or code.startswith(_OF_PAYMENTS) or "payment_method" in sentence


def of_collecting(code: str, sentence: str, *, keeps_drafts: bool) -> tuple[str, ...]:
    """
    What a refusal to finalise, send or charge an invoice speaks against: A4, while its subscription keeps its drafts.

    Two reasons are known to be others: the invoice is not any more what it was, or its customer has no address (A8).
    """
    is_other = code.startswith("invoice_") or sentence.startswith("Missing email")
    return ("A4",) if keeps_drafts and not is_other else ()


def of_finalising_outside(billing_reason: str, *, keeps_drafts: bool) -> tuple[str, ...]:
    """
    What an invoice speaks against that was finalised and not by us, unless a person did it.

    One that is made with its subscription was to wait for an hour (A6); any other for us, while drafts are kept (A3).
    """
    if billing_reason == "subscription_create":
        return ("A6",)
    return ("A3",) if keeps_drafts else ()
