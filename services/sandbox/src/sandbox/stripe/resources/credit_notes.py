"""Credit notes: they lower what is open of an invoice first; the rest is refunded, credited, or settled outside."""

from __future__ import annotations

from sandbox.stripe.domain.credits import split
from sandbox.stripe.errors import invalid, missing, refused
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.balances import move
from sandbox.stripe.resources.collection import settle
from sandbox.stripe.resources.credit_note_lines import read_lines
from sandbox.stripe.resources.invoice_shape import shown_invoice
from sandbox.stripe.resources.params import Params
from sandbox.stripe.state import Body, State

_REASONS = ("duplicate", "fraudulent", "order_change", "product_unsatisfactory")
_SHARES = ("refund_amount", "credit_amount", "out_of_band_amount")
_KNOWN = ("invoice", "amount", "lines", "memo", "metadata", "reason", "effective_at", "email_type", *_SHARES)


def create_credit_note(state: State, params: Params) -> Body:
    """POST /v1/credit_notes."""
    p.only(params, *_KNOWN)
    body = _draw_up(state, params)
    invoice = state.objects["invoice"][body["invoice"]]
    customer = state.objects["customer"][body["customer"]]
    if body["_credit"]:
        entry = move(state, customer, -body["_credit"], "credit_note", invoice=invoice["id"], credit_note=body["id"])
        body["customer_balance_transaction"] = entry["id"]
    if body["_refund"]:
        refund = _refund(state, body)
        body["refunds"] = [{"refund": refund["id"], "amount_refunded": body["_refund"], "type": "refund"}]
    _mark(invoice, body, 1)
    state.put(body)
    state.announce("credit_note.created", body)
    _tell(state, invoice, body["pre_payment_amount"])
    return body


def preview(state: State, params: Params) -> Body:
    """GET /v1/credit_notes/preview: what would be made; nothing is kept."""
    p.only(params, *_KNOWN)
    return _draw_up(state, params)


def preview_lines(state: State, params: Params) -> Body:
    """GET /v1/credit_notes/preview/lines."""
    p.only(params, *_KNOWN, "limit", "starting_after", "ending_before")
    lines = _draw_up(state, params)["lines"]["data"]
    return p.page(lines, params, "/v1/credit_notes/preview/lines")


def _draw_up(state: State, params: Params) -> Body:
    invoice = state.get("invoice", p.text(params, "invoice"), param="invoice")
    if invoice["status"] not in ("open", "paid", "uncollectible"):
        raise refused("You can only create credit notes for open, paid or uncollectible invoices.", param="invoice")
    lines = read_lines(state, invoice, params.get("lines"))
    asked = p.integer(params, "amount")
    if asked is None and not lines:
        raise missing("amount")
    total = sum(line["amount"] - line["discount_amount"] for line in lines) if lines else asked or 0
    if asked not in (None, total):
        raise invalid("amount", f"The amount must equal the sum of the lines, {total}.")
    credited = invoice["pre_payment_credit_notes_amount"] + invoice["post_payment_credit_notes_amount"]
    left = invoice["total"] - credited
    if not 0 < total <= left:
        raise refused(f"A credit note of this invoice takes an amount from 1 to {left}.", param="amount")
    before, after = split(total, invoice["amount_remaining"])
    shares = {name: p.whole(params, name, 0) for name in _SHARES}
    if sum(shares.values()) != after or min(shares.values()) < 0:
        raise refused(
            f"The sum of credit_amount, refund_amount and out_of_band_amount must equal the credit note's post payment "
            f"amount, {after}.",
            param="amount",
        )
    if shares["refund_amount"] > invoice["amount_paid"] - invoice["amount_paid_off_stripe"]:
        raise refused("There is no payment that could be refunded by so much.", param="refund_amount")
    body = _shape(state, invoice, lines, total, params)
    body["pre_payment_amount"], body["post_payment_amount"] = before, after
    body["type"] = "mixed" if before and after else "pre_payment" if before else "post_payment"
    body["out_of_band_amount"] = shares["out_of_band_amount"] or None
    body["_credit"], body["_refund"] = shares["credit_amount"], shares["refund_amount"]
    return body


def _shape(state: State, invoice: Body, lines: list[Body], total: int, params: Params) -> Body:
    id_ = state.new_id("credit_note")
    number = 1 + sum(note["invoice"] == invoice["id"] for note in state.objects["credit_note"].values())
    sums: dict[str, int] = {}
    for off in (off for line in lines for off in line["discount_amounts"]):
        sums[off["discount"]] = sums.get(off["discount"], 0) + off["amount"]
    return {
        "id": id_,
        "object": "credit_note",
        "amount": total,
        "amount_shipping": 0,
        "created": state.now,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "customer_account": None,
        "customer_balance_transaction": None,
        "discount_amount": sum(sums.values()),
        "discount_amounts": [{"amount": cut, "discount": discount} for discount, cut in sums.items()],
        "effective_at": p.whole(params, "effective_at", state.now),
        "invoice": invoice["id"],
        "lines": {"object": "list", "data": lines, "has_more": False, "url": f"/v1/credit_notes/{id_}/lines"},
        "livemode": False,
        "memo": p.optional(params, "memo"),
        "metadata": p.metadata(params),
        "number": f"{invoice['number']}-CN-{number:02d}",
        "pdf": f"https://pay.stripe.com/credit_notes/acct_sandbox/{id_}/pdf",
        "pretax_credit_amounts": [],
        "reason": p.one_of(params, "reason", _REASONS) if "reason" in params else None,
        "refunds": [],
        "shipping_cost": None,
        "status": "issued",
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "total": total,
        "total_excluding_tax": total,
        "total_taxes": [],
        "voided_at": None,
    }


def _mark(invoice: Body, note: Body, sign: int) -> None:
    """What a note changes on its invoice; with -1 it is undone."""
    invoice["pre_payment_credit_notes_amount"] += sign * note["pre_payment_amount"]
    invoice["post_payment_credit_notes_amount"] += sign * note["post_payment_amount"]
    invoice["amount_due"] -= sign * note["pre_payment_amount"]
    invoice["amount_remaining"] -= sign * note["pre_payment_amount"]
    credited = invoice.setdefault("_credited", {})
    for line in note["lines"]["data"]:
        if "invoice_line_item" in line:
            credited[line["invoice_line_item"]] = credited.get(line["invoice_line_item"], 0) + sign * line["amount"]


def _tell(state: State, invoice: Body, lowered: int) -> None:
    state.put(invoice)
    before = {"amount_due": invoice["amount_due"] + lowered, "amount_remaining": invoice["amount_remaining"] + lowered}
    state.announce("invoice.updated", shown_invoice(invoice), before)
    if lowered > 0 and invoice["amount_remaining"] == 0:
        settle(state, invoice)


def _refund(state: State, note: Body) -> Body:
    body: Body = {
        "id": state.new_id("refund"),
        "object": "refund",
        "amount": note["_refund"],
        "balance_transaction": None,
        "charge": None,
        "created": state.now,
        "currency": note["currency"],
        "metadata": {},
        "payment_intent": None,
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
    state.put(body)
    state.announce("refund.created", body)
    return body


def update_credit_note(state: State, id_: str, params: Params) -> Body:
    """POST /v1/credit_notes/{id}: its memo and metadata."""
    p.only(params, "memo", "metadata")
    body = state.get("credit_note", id_)
    before = {key: body[key] for key in params if key in body}
    if "memo" in params:
        body["memo"] = p.optional(params, "memo")
    body["metadata"] = p.metadata(params, body)
    state.put(body)
    state.announce("credit_note.updated", body, before)
    return body


def void_credit_note(state: State, id_: str, _: Params) -> Body:
    """POST /v1/credit_notes/{id}/void: while its invoice is open; the amount is due again."""
    body = state.get("credit_note", id_)
    invoice = state.objects["invoice"][body["invoice"]]
    if body["status"] == "void" or invoice["status"] != "open":
        raise refused("You can only void issued credit notes of open invoices.")
    body["status"], body["voided_at"] = "void", state.now
    _mark(invoice, body, -1)
    state.put(body)
    state.announce("credit_note.voided", body)
    _tell(state, invoice, -body["pre_payment_amount"])
    return body


def list_credit_notes(state: State, params: Params) -> Body:
    """GET /v1/credit_notes, of a customer or an invoice."""
    p.only(params, "limit", "starting_after", "ending_before", "customer", "invoice", "created")
    rows = list(p.created_filter(state.all("credit_note"), params))
    for name in ("customer", "invoice"):
        if name in params:
            rows = [row for row in rows if row[name] == params[name]]
    return p.page(rows, params, "/v1/credit_notes")


def list_lines(state: State, id_: str, params: Params) -> Body:
    """GET /v1/credit_notes/{id}/lines."""
    p.only(params, "limit", "starting_after", "ending_before")
    body = state.get("credit_note", id_)
    return p.page(body["lines"]["data"], params, f"/v1/credit_notes/{id_}/lines")
