"""What a caller may do with an invoice."""

from __future__ import annotations

from typing import Any

from sandbox.stripe.errors import StripeError, missing, no_address, refused
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.balances import move
from sandbox.stripe.resources.collection import charge, collect, finalise, payment_method, settle
from sandbox.stripe.resources.discounts import attach, read
from sandbox.stripe.resources.drafts import reread, total_up
from sandbox.stripe.resources.invoice_shape import DRAFT_S, shown_invoice, shown_line, subscription_of
from sandbox.stripe.resources.params import Params
from sandbox.stripe.state import Body, State

METHODS = ("charge_automatically", "send_invoice")
_OF_DRAFTS = (
    "description",
    "collection_method",
    "days_until_due",
    "due_date",
    "discounts",
)  # parameters for drafts alone


def retrieve_invoice(state: State, id_: str, _: Params) -> Body:
    """GET /v1/invoices/{id}."""
    return state.get("invoice", id_)


def update_invoice(state: State, id_: str, params: Params) -> Body:
    """POST /v1/invoices/{id}: `auto_advance`, metadata; of a draft also description, discounts, collection."""
    p.only(params, "auto_advance", "metadata", *_OF_DRAFTS)
    invoice = state.get("invoice", id_)
    before = {key: invoice[key] for key in params if key in invoice}
    if params.keys() & set(_OF_DRAFTS) and invoice["status"] != "draft":
        raise refused("Finalized invoices can't be updated in this way.", code="invoice_not_editable")
    discounts = read(state, params["discounts"], invoice["currency"]) if "discounts" in params else None
    _update_collection(state, invoice, params)
    if discounts is not None:
        invoice["discounts"] = attach(state, discounts, customer=invoice["customer"], invoice=id_)
        total_up(state, invoice)
    if "auto_advance" in params:
        invoice["auto_advance"] = p.boolean(params, "auto_advance", True)
        if invoice["status"] == "draft":
            invoice["automatically_finalizes_at"] = state.now + DRAFT_S if invoice["auto_advance"] else None
    invoice["metadata"] = p.metadata(params, invoice)
    if "description" in params:
        invoice["description"] = p.optional(params, "description")
    reread(state, invoice)
    state.put(invoice)
    state.announce("invoice.updated", shown_invoice(invoice), before)
    handed_over = params.get("auto_advance") == "true" and invoice["status"] == "open"
    if handed_over and state.switches.handed_over == "collects":
        collect(state, invoice)
    return invoice


def _update_collection(state: State, invoice: Body, params: Params) -> None:
    """How a draft will be collected; one that is sent has a day on which it is due."""
    if not params.keys() & {"collection_method", "days_until_due", "due_date"}:
        return
    method = p.one_of(params, "collection_method", METHODS, invoice["collection_method"])
    days = p.integer(params, "days_until_due")
    due_date = invoice["created"] + days * 86_400 if days is not None else p.integer(params, "due_date")
    if method == "charge_automatically":
        if due_date is not None:
            raise refused("`due_date` is only valid for invoices that are sent.", param="due_date")
    elif due_date is None and (due_date := invoice["due_date"]) is None:
        raise missing("days_until_due")
    invoice["collection_method"], invoice["due_date"] = method, due_date


def _require_address(state: State, invoice: Body) -> None:
    sends = invoice["collection_method"] == "send_invoice"
    if sends and not state.objects["customer"][invoice["customer"]]["email"]:
        raise no_address()


def finalize_invoice(state: State, id_: str, params: Params) -> Body:
    """POST /v1/invoices/{id}/finalize."""
    p.only(params, "auto_advance")
    invoice = state.get("invoice", id_)
    if invoice["status"] != "draft":
        raise refused(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.", code="invoice_not_editable"
        )
    _require_address(state, invoice)
    invoice["auto_advance"] = p.boolean(params, "auto_advance", invoice["auto_advance"])
    finalise(state, invoice)
    return invoice


def pay_invoice(state: State, id_: str, params: Params) -> Body:
    """POST /v1/invoices/{id}/pay: out of band, or by the customer's payment method."""
    p.only(params, "paid_out_of_band", "off_session")
    invoice = state.get("invoice", id_)
    if invoice["status"] == "paid":
        raise refused("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] == "draft":
        finalise(state, invoice)
    if invoice["status"] not in ("open", "uncollectible"):
        raise refused("This invoice can no longer be paid.", code="invoice_not_editable")
    _be_open_to_collection(state, invoice)
    if p.boolean(params, "paid_out_of_band", False):
        settle(state, invoice, out_of_band=True)
    elif not charge(state, invoice):
        if payment_method(state, invoice) is not None:
            declined = "Your card was declined."
            raise StripeError(402, declined, type_="card_error", code="card_declined", stored=True)
        raise refused(
            "There is no `default_payment_method` set on this Customer or Invoice. Please set a default payment method."
        )
    return invoice


def send_invoice(state: State, id_: str, _: Params) -> Body:
    """POST /v1/invoices/{id}/send: a mail with the invoice, again if need be; a draft is finalised."""
    invoice = state.get("invoice", id_)
    if invoice["collection_method"] != "send_invoice":
        raise refused("You can only manually send an invoice if its collection method is 'send_invoice'.")
    if invoice["status"] in ("void", "uncollectible"):
        raise refused("This invoice can no longer be sent.", code="invoice_not_editable")
    _require_address(state, invoice)
    if invoice["status"] == "draft":
        finalise(state, invoice)
    _be_open_to_collection(state, invoice)
    state.announce("invoice.sent", shown_invoice(invoice))
    return invoice


def _be_open_to_collection(state: State, invoice: Body) -> None:
    """Refuse to collect while the subscription keeps its drafts, where the switch stands so."""
    pause = state.objects["subscription"][subscription_of(invoice)]["pause_collection"]
    if pause is not None and state.switches.kept_collection == "refused":
        raise refused("Collection of this invoice's subscription is paused.")


def void_invoice(state: State, id_: str, _: Params) -> Body:
    """POST /v1/invoices/{id}/void: as if it had never been; its number stays, balance that it used returns."""
    invoice = _leave_open(state, id_, "void", "voided_at", "invoice.voided", frm=("open", "uncollectible"))
    used = (invoice["ending_balance"] or 0) - invoice["starting_balance"]
    if used:
        move(state, state.objects["customer"][invoice["customer"]], -used, "unapplied_from_invoice", invoice=id_)
    return invoice


def mark_uncollectible(state: State, id_: str, _: Params) -> Body:
    """POST /v1/invoices/{id}/mark_uncollectible: bad debt; it can still be paid or voided."""
    at, event = "marked_uncollectible_at", "invoice.marked_uncollectible"
    return _leave_open(state, id_, "uncollectible", at, event, frm=("open",))


def _leave_open(state: State, id_: str, to: str, at: str, event: str, *, frm: tuple[str, ...]) -> Body:
    invoice = state.get("invoice", id_)
    if invoice["status"] not in frm:
        raise refused(f"You can only pass in {' or '.join(frm)} invoices.", code="invoice_not_editable")
    invoice["status"], invoice["auto_advance"] = to, False
    invoice["status_transitions"][at] = state.now
    state.put(invoice)
    state.announce(event, shown_invoice(invoice))
    return invoice


def list_invoices(state: State, params: Params) -> Body:
    """GET /v1/invoices."""
    p.only(
        params,
        "limit",
        "starting_after",
        "ending_before",
        "customer",
        "status",
        "subscription",
        "created",
        "collection_method",
    )
    rows: list[Any] = list(p.created_filter(state.all("invoice"), params))
    for name in ("customer", "status", "collection_method"):
        if name in params:
            rows = [row for row in rows if row[name] == params[name]]
    if "subscription" in params:
        rows = [row for row in rows if subscription_of(row) == params["subscription"]]
    return p.page(rows, params, "/v1/invoices")


def list_lines(state: State, id_: str, params: Params) -> Body:
    """GET /v1/invoices/{id}/lines."""
    p.only(params, "limit", "starting_after", "ending_before")
    invoice = reread(state, state.get("invoice", id_))
    return p.page([shown_line(line) for line in invoice["lines"]["data"]], params, f"/v1/invoices/{id_}/lines")
