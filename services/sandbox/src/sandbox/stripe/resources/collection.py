"""From draft to open to paid: finalising, sending, charging."""

from __future__ import annotations

from sandbox.stripe.domain.credits import apply_balance
from sandbox.stripe.resources.balances import move
from sandbox.stripe.resources.drafts import refresh, total_up
from sandbox.stripe.resources.invoice_shape import shown_invoice, subscription_of
from sandbox.stripe.state import Body, State

FAILING_CARD = "pm_card_chargeCustomerFail"  # Stripe's test card that can be attached and never pays


def finalise(state: State, invoice: Body) -> None:
    """draft to open (to paid where nothing is due): number and amounts are frozen, later usage is on no invoice."""
    if state.switches.finalised_usage == "recounted":
        refresh(state, invoice)
    total_up(state, invoice)
    customer = state.objects["customer"][invoice["customer"]]
    invoice["number"] = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
    customer["next_invoice_sequence"] += 1
    _, balance = apply_balance(invoice["total"], customer["balance"])
    if balance != customer["balance"]:
        move(state, customer, balance - customer["balance"], "applied_to_invoice", invoice=invoice["id"])
    invoice["ending_balance"] = customer["balance"]
    invoice["status"] = "open"
    invoice["effective_at"] = invoice["status_transitions"]["finalized_at"] = state.now
    invoice["automatically_finalizes_at"] = None
    invoice["hosted_invoice_url"] = f"https://invoice.stripe.com/i/acct_sandbox/{invoice['id']}"
    invoice["invoice_pdf"] = f"https://pay.stripe.com/invoice/acct_sandbox/{invoice['id']}/pdf"
    state.put(customer)
    state.put(invoice)
    state.announce("invoice.finalized", shown_invoice(invoice))
    if invoice["amount_due"] == 0:
        settle(state, invoice)
    elif invoice["auto_advance"] or state.switches.finalising == "collects":
        collect(state, invoice)


def collect(state: State, invoice: Body) -> None:
    """What Stripe does with an invoice that advances by itself."""
    if invoice["collection_method"] == "charge_automatically":
        charge(state, invoice)
    else:
        state.announce("invoice.sent", shown_invoice(invoice))


def settle(state: State, invoice: Body, *, out_of_band: bool = False) -> None:
    """open to paid."""
    if out_of_band:
        invoice["amount_paid_off_stripe"] = invoice["amount_remaining"]
    invoice["amount_paid"], invoice["amount_remaining"] = invoice["amount_due"], 0
    invoice["status"], invoice["attempted"], invoice["auto_advance"] = "paid", True, False
    invoice["status_transitions"]["paid_at"] = state.now
    state.put(invoice)
    state.announce("invoice.paid", shown_invoice(invoice))
    subscription = state.objects["subscription"][subscription_of(invoice)]
    if subscription["status"] in ("incomplete", "past_due") and subscription["latest_invoice"] == invoice["id"]:
        before = {"status": subscription["status"]}
        subscription["status"] = "active"
        state.put(subscription)
        state.announce("customer.subscription.updated", subscription, before)


def charge(state: State, invoice: Body) -> bool:
    """Try the customer's payment method, which pays unless it is Stripe's test card that fails; none fails too."""
    method = payment_method(state, invoice)
    invoice["attempted"] = True
    invoice["attempt_count"] += 1
    if method not in (None, FAILING_CARD):
        settle(state, invoice)
        state.announce("invoice.payment_succeeded", shown_invoice(invoice))
        return True
    state.put(invoice)
    state.announce("invoice.payment_failed", shown_invoice(invoice))
    subscription = state.objects["subscription"][subscription_of(invoice)]
    if subscription["status"] == "active" and invoice["billing_reason"] == "subscription_cycle":
        subscription["status"] = "past_due"
        state.put(subscription)
        state.announce("customer.subscription.updated", subscription, {"status": "active"})
    return False


def payment_method(state: State, invoice: Body) -> str | None:
    method: str | None = state.objects["customer"][invoice["customer"]]["invoice_settings"]["default_payment_method"]
    return method
