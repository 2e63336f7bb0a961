"""Invoice items: loose amounts that a coming invoice takes up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.stripe.domain.amounts import whole
from sandbox.stripe.errors import absent, missing, refused, unsupported
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.drafts import total_up
from sandbox.stripe.resources.lines import loose_line, plain
from sandbox.stripe.resources.params import Params
from sandbox.stripe.state import Body, State


def create_item(state: State, params: Params) -> Body:
    """POST /v1/invoiceitems: an amount, or a price or decimal unit amount times a quantity; for a draft or the next."""
    p.only(
        params,
        "customer",
        "amount",
        "currency",
        "description",
        "metadata",
        "invoice",
        "subscription",
        "period",
        "quantity",
        "quantity_decimal",
        "unit_amount_decimal",
        "pricing",
        "discountable",
    )
    customer = state.get("customer", p.text(params, "customer"), param="customer")
    invoice = _draft(state, params)
    quantity = Decimal(str(params.get("quantity_decimal") or params.get("quantity") or "1"))
    amount, pricing, currency = _amount(state, params, quantity)
    period = params.get("period") or {}
    body: Body = {
        "id": state.new_id("invoiceitem"),
        "object": "invoiceitem",
        "amount": amount,
        "currency": currency,
        "customer": customer["id"],
        "customer_account": None,
        "date": state.now,
        "description": p.optional(params, "description"),
        "discountable": p.boolean(params, "discountable", True),
        "discounts": [],
        "frozen_fields": [],
        "invoice": invoice["id"] if invoice else None,
        "invoicing_rules": None,
        "livemode": False,
        "metadata": p.metadata(params),
        "net_amount": amount,
        "parent": None,
        "period": {"start": p.whole(period, "start", state.now), "end": p.whole(period, "end", state.now)},
        "pricing": pricing,
        "proration": False,
        "quantity": int(quantity),
        "quantity_decimal": plain(quantity),
        "tax_rates": [],
        "test_clock": customer["test_clock"],
        "_subscription": p.optional(params, "subscription"),
    }
    if body["_subscription"] is not None:
        state.get("subscription", body["_subscription"], param="subscription")
    state.put(body)
    state.announce("invoiceitem.created", body)
    if invoice is not None:
        invoice["lines"]["data"].insert(0, loose_line(state, invoice, body))
        total_up(state, invoice)
        state.put(invoice)
    return body


def _draft(state: State, params: Params) -> Body | None:
    id_ = p.optional(params, "invoice")
    if id_ is None:
        return None
    invoice = state.get("invoice", id_, param="invoice")
    if invoice["status"] != "draft" or invoice["customer"] != params["customer"]:
        raise refused("This invoice is no longer editable", code="invoice_not_editable", param="invoice")
    return invoice


def _amount(state: State, params: Params, quantity: Decimal) -> tuple[int, Body, str]:
    price_id = (params.get("pricing") or {}).get("price")
    if price_id is not None:
        price = state.objects["price"].get(price_id)
        if price is None:
            raise absent("price", price_id, param="pricing[price]")
        if price["billing_scheme"] != "per_unit" or price["type"] != "one_time":
            raise unsupported("pricing[price] of a recurring or tiered price")
        details = {"price": price_id, "product": price["product"]}
        pricing = {"type": "price_details", "price_details": details}
        unit = price["unit_amount_decimal"]
        return _priced(quantity, unit, pricing, price["currency"])
    currency = p.text(params, "currency").lower()
    unit = params.get("unit_amount_decimal")
    if unit not in (None, ""):
        return _priced(quantity, str(unit), {"type": "price_details"}, currency)
    amount = p.integer(params, "amount")
    if amount is None:
        raise missing("amount")
    return amount, {"type": "price_details", "unit_amount_decimal": str(amount)}, currency


def _priced(quantity: Decimal, unit: str, pricing: Body, currency: str) -> tuple[int, Body, str]:
    return whole(quantity * Decimal(unit)), {**pricing, "unit_amount_decimal": plain(Decimal(unit))}, currency


def list_items(state: State, params: Params) -> Body:
    """GET /v1/invoiceitems; `pending` are those that no invoice has taken up."""
    p.only(params, "limit", "starting_after", "ending_before", "customer", "invoice", "pending")
    rows: list[Any] = [row for row in state.all("invoiceitem") if not row.get("deleted")]
    for name in ("customer", "invoice"):
        if name in params:
            rows = [row for row in rows if row[name] == params[name]]
    if "pending" in params:
        wanted = p.boolean(params, "pending", True)
        rows = [row for row in rows if (row["invoice"] is None) == wanted]
    return p.page(rows, params, "/v1/invoiceitems")


def delete_item(state: State, id_: str, _: Params) -> Body:
    """DELETE /v1/invoiceitems/{id}: while no invoice has taken it up."""
    body = state.get("invoiceitem", id_)
    if body["invoice"] is not None:
        raise refused("This invoice item is attached to an invoice and can no longer be deleted.")
    body["deleted"] = True
    state.put(body)
    state.announce("invoiceitem.deleted", body)
    return {"id": id_, "object": "invoiceitem", "deleted": True}
