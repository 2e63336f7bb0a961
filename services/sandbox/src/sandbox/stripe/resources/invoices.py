"""Invoices: drafts whose metered lines follow the usage until they are finalised, and not a moment longer."""

from __future__ import annotations

from typing import Any

from sandbox.stripe.errors import StripeError, missing, no_address, refused
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.lines import Span, licensed_lines, loose_line, usage_lines, whole_cycle
from sandbox.stripe.resources.params import Params
from sandbox.stripe.state import Body, State

DRAFT_S = 3600  # a draft that advances by itself is finalised after an hour
HELD_UP_S = 72 * 3600  # and after this long where `invoice.created` was not answered
METHODS = ("charge_automatically", "send_invoice")
FAILING_CARD = "pm_card_chargeCustomerFail"  # Stripe's test card that can be attached and never pays
_OF_DRAFTS = ("description", "collection_method", "days_until_due", "due_date")  # parameters for drafts alone
_SHOWN_LINES = 10  # lines that come with the invoice; the others are listed


def open_first_invoice(state: State, subscription: Body, *, prorate: bool) -> Body | None:
    """
    The invoice of a new subscription: its licensed items for the period that runs; None where there is none.

    Flexible: a subscription without licensed items has no first invoice, and metered items no line on it. Classic:
    there is always one, with an empty line for each metered item.
    """
    items = subscription["items"]["data"]
    now = state.now
    period: Span = (items[0]["current_period_start"], items[0]["current_period_end"])
    is_stub = now < subscription["billing_cycle_anchor"]
    licensed = [item for item in items if "quantity" in item and (prorate or not is_stub)]
    metered = [] if subscription["billing_mode"]["type"] == "flexible" else [i for i in items if "quantity" not in i]
    if not licensed and not metered:
        return None
    invoice = _new(state, subscription, "subscription_create", (now, now))
    whole_s = whole_cycle(subscription) if is_stub else None
    for item in reversed(items):
        if item in licensed:
            invoice["lines"]["data"] += licensed_lines(state, invoice, item, period, whole_s=whole_s)
        elif item in metered:
            invoice["lines"]["data"] += usage_lines(state, invoice, item, (now, now))
    _keep_new(state, subscription, invoice)
    if subscription["collection_method"] == "charge_automatically":
        finalise(state, invoice)
        if invoice["status"] == "open":
            subscription["status"] = "incomplete"
    return invoice


def open_cycle_invoice(state: State, subscription: Body, *, ended: Span, coming: Span) -> Body:
    """The draft at a period's end: usage of the ended period, licensed items of the coming one, loose items first."""
    invoice = _new(state, subscription, "subscription_cycle", ended)
    _take_loose_items(state, subscription, invoice)
    for item in reversed(subscription["items"]["data"]):
        if "quantity" in item:
            invoice["lines"]["data"] += licensed_lines(state, invoice, item, coming)
        else:
            invoice["lines"]["data"] += usage_lines(state, invoice, item, ended)
    return _keep_new(state, subscription, invoice)


def open_last_invoice(state: State, subscription: Body, *, ended: Span) -> Body | None:
    """The draft at a subscription's end: usage that was not billed yet, and loose items; None where neither is."""
    invoice = _new(state, subscription, "subscription_cycle", ended)
    _take_loose_items(state, subscription, invoice)
    for item in reversed(subscription["items"]["data"]):
        if "quantity" not in item:
            invoice["lines"]["data"] += usage_lines(state, invoice, item, ended)
    return _keep_new(state, subscription, invoice) if invoice["lines"]["data"] else None


def _take_loose_items(state: State, subscription: Body, invoice: Body) -> None:
    """Pending invoice items are always included in flexible mode, newest first."""
    for item in state.all("invoiceitem"):
        mine = item["customer"] == invoice["customer"] and item["currency"] == invoice["currency"]
        if mine and item["invoice"] is None and item["_subscription"] in (None, subscription["id"]):
            if item.get("deleted"):
                continue
            item["invoice"] = invoice["id"]
            state.put(item)
            invoice["lines"]["data"].append(loose_line(state, invoice, item))


def reread(state: State, invoice: Body) -> Body:
    """A draft as a reading shows it: with the usage counted so far where drafts are fresh, else as it was made."""
    return refresh(state, invoice) if state.switches.draft_usage == "fresh" else invoice


def refresh(state: State, invoice: Body) -> Body:
    """A draft's metered lines as the usage counted so far makes them; a finalised invoice stays as it is."""
    if invoice["status"] != "draft" or not any("_usage" in line for line in invoice["lines"]["data"]):
        return invoice
    subscription = state.objects["subscription"][_subscription_of(invoice)]
    items = {item["id"]: item for item in subscription["items"]["data"]}
    known = {_place(line): line["id"] for line in invoice["lines"]["data"] if "_usage" in line}
    lines: list[Body] = []
    done: set[str] = set()
    for line in invoice["lines"]["data"]:
        if "_usage" not in line:
            lines.append(line)
            continue
        item_id = line["parent"]["subscription_item_details"]["subscription_item"]
        if item_id not in done:
            done.add(item_id)
            lines += usage_lines(state, invoice, items[item_id], (line["period"]["start"], line["period"]["end"]))
    for line in lines:
        if "_usage" in line:
            line["id"] = known.get(_place(line), line["id"])
    invoice["lines"]["data"] = lines
    return total_up(state, invoice)


def _place(line: Body) -> tuple[Any, ...]:
    return (line["parent"]["subscription_item_details"]["subscription_item"], line["_tier"])


def _subscription_of(invoice: Body) -> str:
    return str(invoice["parent"]["subscription_details"]["subscription"])


def _new(state: State, subscription: Body, reason: str, period: Span) -> Body:
    customer = state.objects["customer"][subscription["customer"]]
    id_ = state.new_id("invoice")
    send = subscription["collection_method"] == "send_invoice"
    advances = subscription["pause_collection"] is None or state.switches.kept_drafts == "advance"
    return {
        "id": id_,
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
        "auto_advance": advances,
        "automatic_tax": {
            "enabled": False,
            "liability": None,
            "status": None,
            "disabled_reason": None,
            "provider": None,
        },
        "automatically_finalizes_at": state.now + DRAFT_S if advances else None,
        "billing_reason": reason,
        "collection_method": subscription["collection_method"],
        "created": state.now,
        "currency": subscription["currency"],
        "custom_fields": None,
        "customer": customer["id"],
        "customer_account": None,
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": None,
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": state.now + subscription["days_until_due"] * 86_400 if send else None,
        "effective_at": None,
        "ending_balance": None,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": {"object": "list", "data": [], "has_more": False, "url": f"/v1/invoices/{id_}/lines"},
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": None,
        "on_behalf_of": None,
        "parent": {
            "quote_details": None,
            "type": "subscription_details",
            "subscription_details": {"metadata": subscription["metadata"], "subscription": subscription["id"]},
        },
        "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
        "period_end": period[1],
        "period_start": period[0],
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
        "test_clock": subscription["test_clock"],
        "total": 0,
        "total_discount_amounts": [],
        "total_excluding_tax": 0,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": None,
    }


def _keep_new(state: State, subscription: Body, invoice: Body) -> Body:
    total_up(state, invoice)
    state.put(invoice)
    subscription["latest_invoice"] = invoice["id"]
    state.put(subscription)
    event = state.announce("invoice.created", shown_invoice(invoice))
    if not state.pending.get(event["id"]):
        invoice["webhooks_delivered_at"] = state.now  # nobody has to be told
    invoice["_created_event"] = event["id"]
    return invoice


def total_up(state: State, invoice: Body) -> Body:
    """Sum the lines; the customer's balance lowers (or raises) what is due."""
    total = sum(line["amount"] for line in invoice["lines"]["data"])
    for name in ("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax"):
        invoice[name] = total
    invoice["starting_balance"] = state.objects["customer"][invoice["customer"]]["balance"]
    invoice["amount_due"] = max(total + invoice["starting_balance"], 0)
    invoice["amount_remaining"] = invoice["amount_due"] - invoice["amount_paid"]
    return invoice


def shown_invoice(invoice: Body) -> Body:
    """An invoice as an answer or event shows it: its first ten lines, without the sandbox's own marks."""
    lines = [shown_line(line) for line in invoice["lines"]["data"]]
    shown = {key: value for key, value in invoice.items() if not key.startswith("_")}
    shown["lines"] = {**invoice["lines"], "data": lines[:_SHOWN_LINES], "has_more": len(lines) > _SHOWN_LINES}
    return shown


def shown_line(line: Body) -> Body:
    """A line without the sandbox's own marks."""
    return {key: value for key, value in line.items() if not key.startswith("_")}


def finalise(state: State, invoice: Body) -> None:
    """draft to open (to paid where nothing is due): number and amounts are frozen, later usage is on no invoice."""
    if state.switches.finalised_usage == "recounted":
        refresh(state, invoice)
    total_up(state, invoice)
    customer = state.objects["customer"][invoice["customer"]]
    invoice["number"] = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
    customer["next_invoice_sequence"] += 1
    left = invoice["total"] + customer["balance"]
    customer["balance"] = min(left, 0)
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
        _collect(state, invoice)


def _collect(state: State, invoice: Body) -> None:
    """What Stripe does with an invoice that advances by itself."""
    if invoice["collection_method"] == "charge_automatically":
        _charge(state, invoice)
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
    subscription = state.objects["subscription"][_subscription_of(invoice)]
    if subscription["status"] in ("incomplete", "past_due") and subscription["latest_invoice"] == invoice["id"]:
        before = {"status": subscription["status"]}
        subscription["status"] = "active"
        state.put(subscription)
        state.announce("customer.subscription.updated", subscription, before)


def _charge(state: State, invoice: Body) -> bool:
    """Try the customer's payment method, which pays unless it is Stripe's test card that fails; none fails too."""
    method = _method(state, invoice)
    invoice["attempted"] = True
    invoice["attempt_count"] += 1
    if method not in (None, FAILING_CARD):
        settle(state, invoice)
        state.announce("invoice.payment_succeeded", shown_invoice(invoice))
        return True
    state.put(invoice)
    state.announce("invoice.payment_failed", shown_invoice(invoice))
    subscription = state.objects["subscription"][_subscription_of(invoice)]
    if subscription["status"] == "active" and invoice["billing_reason"] == "subscription_cycle":
        subscription["status"] = "past_due"
        state.put(subscription)
        state.announce("customer.subscription.updated", subscription, {"status": "active"})
    return False


def _method(state: State, invoice: Body) -> str | None:
    method: str | None = state.objects["customer"][invoice["customer"]]["invoice_settings"]["default_payment_method"]
    return method


def retrieve_invoice(state: State, id_: str, _: Params) -> Body:
    """GET /v1/invoices/{id}."""
    return state.get("invoice", id_)


def update_invoice(state: State, id_: str, params: Params) -> Body:
    """POST /v1/invoices/{id}: `auto_advance` and metadata; of a draft also description and how it is collected."""
    p.only(params, "auto_advance", "metadata", *_OF_DRAFTS)
    invoice = state.get("invoice", id_)
    before = {key: invoice[key] for key in params if key in invoice}
    if params.keys() & set(_OF_DRAFTS) and invoice["status"] != "draft":
        raise refused("Finalized invoices can't be updated in this way.", code="invoice_not_editable")
    _update_collection(state, invoice, params)
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
        _collect(state, invoice)
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
    elif not _charge(state, invoice):
        if _method(state, invoice) is not None:
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
    pause = state.objects["subscription"][_subscription_of(invoice)]["pause_collection"]
    if pause is not None and state.switches.kept_collection == "refused":
        raise refused("Collection of this invoice's subscription is paused.")


def void_invoice(state: State, id_: str, _: Params) -> Body:
    """POST /v1/invoices/{id}/void: as if it had never been; its number stays."""
    return _leave_open(state, id_, "void", "voided_at", "invoice.voided", frm=("open", "uncollectible"))


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
        rows = [row for row in rows if _subscription_of(row) == params["subscription"]]
    return p.page(rows, params, "/v1/invoices")


def list_lines(state: State, id_: str, params: Params) -> Body:
    """GET /v1/invoices/{id}/lines."""
    p.only(params, "limit", "starting_after", "ending_before")
    invoice = reread(state, state.get("invoice", id_))
    return p.page([shown_line(line) for line in invoice["lines"]["data"]], params, f"/v1/invoices/{id_}/lines")


def due(state: State, invoice: Body) -> int | None:
    """
    When a draft is finalised by itself: an hour after its `invoice.created` was answered, or three days after it was
    made. So whoever is told of a draft always has an hour to take `auto_advance` away, also where time moves in steps.
    """
    if invoice["status"] != "draft" or not invoice["auto_advance"]:
        return None
    at: int = invoice["automatically_finalizes_at"]
    if not state.pending.get(invoice["_created_event"]) and invoice["_created_event"] not in state.given_up:
        return max(at, (invoice["webhooks_delivered_at"] or 0) + DRAFT_S)
    held_until: int = invoice["created"] + HELD_UP_S
    return max(at, held_until)
