"""Invoice items: loose amounts that a coming invoice takes up."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.stripe.domain.amounts import whole
from sandbox.stripe.errors import absent, invalid, missing, refused, unsupported
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.catalogue import THREE_DECIMALS
from sandbox.stripe.resources.discounts import attach, read
from sandbox.stripe.resources.drafts import total_up
from sandbox.stripe.resources.invoice_shape import shown_invoice
from sandbox.stripe.resources.lines import loose_line, plain
from sandbox.stripe.resources.params import Params
from sandbox.stripe.state import Body, State

_PRICING = ("quantity", "quantity_decimal", "unit_amount_decimal", "pricing")


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
        "discounts",
    )
    customer = state.get("customer", p.text(params, "customer"), param="customer")
    invoice = _draft(state, params)
    subscription = p.optional(params, "subscription")
    if subscription is not None:
        state.get("subscription", subscription, param="subscription")
    quantity = _quantity(params)
    amount, pricing, currency = _amount(state, params, quantity)
    _be_payable(state, currency, amount)
    if invoice is not None and invoice["currency"] != currency:
        raise refused("The currency of an invoice item must be that of its invoice.", param="currency")
    discounts = read(state, params.get("discounts", ""), currency)
    body = new_item(
        state,
        customer,
        amount=amount,
        currency=currency,
        quantity=quantity,
        pricing=pricing,
        period=_period(params, (state.now, state.now)),
        subscription=subscription,
        description=p.optional(params, "description"),
        discountable=p.boolean(params, "discountable", True),
        metadata=p.metadata(params),
    )
    body["discounts"] = attach(state, discounts, customer=customer["id"], invoice_item=body["id"])
    if invoice is not None:
        _put_on(state, invoice, body)
    return body


def new_item(
    state: State,
    customer: Body,
    *,
    amount: int,
    currency: str,
    quantity: Decimal,
    pricing: Body,
    period: tuple[int, int],
    subscription: str | None,
    description: str | None,
    discountable: bool = True,
    metadata: Body | None = None,
    proration: Body | None = None,
) -> Body:
    """
    Keep a pending invoice item. `proration` is what it prorates: `subscription_item`, and `credited_items` of a credit.
    """
    body: Body = {
        "id": state.new_id("invoiceitem"),
        "object": "invoiceitem",
        "amount": amount,
        "currency": currency,
        "customer": customer["id"],
        "customer_account": None,
        "date": state.now,
        "description": description,
        "discountable": discountable,
        "discounts": [],
        "frozen_fields": [],
        "invoice": None,
        "invoicing_rules": None,
        "livemode": False,
        "metadata": metadata or {},
        "net_amount": amount,
        "parent": None,
        "period": {"start": period[0], "end": period[1]},
        "pricing": pricing,
        "proration": proration is not None,
        "quantity": int(quantity),
        "quantity_decimal": plain(quantity),
        "tax_rates": [],
        "test_clock": customer["test_clock"],
        "_subscription": subscription,
    }
    if proration is not None:
        details = {"subscription": subscription, "subscription_item": proration["subscription_item"]}
        body["parent"] = {"type": "subscription_details", "subscription_details": details}
        body["proration_details"] = {"credited_items": proration["credited_items"], "discount_amounts": []}
    state.put(body)
    state.announce("invoiceitem.created", body)
    return body


def _put_on(state: State, invoice: Body, body: Body) -> None:
    """The item's line goes onto a draft."""
    body["invoice"] = invoice["id"]
    invoice["lines"]["data"].insert(0, loose_line(state, invoice, body))
    _changed(state, invoice, body)


def _changed(state: State, invoice: Body, item: Body) -> None:
    before = {"total": invoice["total"], "amount_due": invoice["amount_due"]}
    total_up(state, invoice)
    state.put(invoice)
    state.put(item)
    state.announce("invoice.updated", shown_invoice(invoice), before)


def _quantity(params: Params) -> Decimal:
    given = str(params.get("quantity_decimal") or params.get("quantity") or "1")
    try:
        return Decimal(given)
    except InvalidOperation:
        raise invalid("quantity_decimal", f"Invalid decimal: {given}", code="parameter_invalid_decimal") from None


def _period(params: Params, known: tuple[int, int]) -> tuple[int, int]:
    given = params.get("period") or {}
    start, end = p.whole(given, "start", known[0]), p.whole(given, "end", known[1])
    if end < start:
        raise invalid("period[end]", "The period's end must not lie before its start.")
    return start, end


def _be_payable(state: State, currency: str, amount: int) -> None:
    if state.switches.three_decimals == "tens" and currency in THREE_DECIMALS and amount % 10:
        raise invalid("amount", "Amounts in a three-decimal currency must end in 0.")


def update_item(state: State, id_: str, params: Params) -> Body:
    """POST /v1/invoiceitems/{id}: while it is pending, or on a draft."""
    p.only(params, "amount", "description", "discountable", "discounts", "metadata", "period", *_PRICING)
    body = state.get("invoiceitem", id_)
    invoice = _own_draft(state, body, "changed")
    if body["proration"] and params.keys() & {"amount", "discountable", *_PRICING}:
        raise refused("You cannot change the amount of a proration.", param="amount")
    start, end = _period(params, (body["period"]["start"], body["period"]["end"]))
    changed: Body = {**_repriced(state, body, params), "period": {"start": start, "end": end}}
    if "description" in params:
        changed["description"] = p.optional(params, "description")
    changed["discountable"] = p.boolean(params, "discountable", body["discountable"])
    changed["metadata"] = p.metadata(params, body)
    if "discounts" in params:
        found = read(state, params["discounts"], body["currency"])
        changed["discounts"] = attach(state, found, customer=body["customer"], invoice_item=id_)
    body.update(changed)
    state.put(body)
    if invoice is not None:
        place = _line_of(invoice, id_)
        known_id = invoice["lines"]["data"][place]["id"]
        invoice["lines"]["data"][place] = {**loose_line(state, invoice, body), "id": known_id}
        _changed(state, invoice, body)
    return body


def _repriced(state: State, item: Body, params: Params) -> Body:
    """The fields that follow from another amount, unit price or quantity; what is not given stays."""
    if not params.keys() & {"amount", *_PRICING}:
        return {}
    known = {"currency": item["currency"], "quantity_decimal": item["quantity_decimal"], **params}
    if not params.keys() & {"amount", "unit_amount_decimal", "pricing"}:
        known["unit_amount_decimal"] = (item["pricing"] or {}).get("unit_amount_decimal")
    if "quantity" in params and "quantity_decimal" not in params:
        del known["quantity_decimal"]
    quantity = _quantity(known)
    amount, pricing, currency = _amount(state, known, quantity)
    _be_payable(state, currency, amount)
    numbers = {"quantity": int(quantity), "quantity_decimal": plain(quantity)}
    return {"amount": amount, "net_amount": amount, "pricing": pricing, **numbers}


def _own_draft(state: State, item: Body, done: str) -> Body | None:
    """The draft that an item is on; None while it is pending. Refused once it is on a finalised invoice."""
    if item["invoice"] is None:
        return None
    invoice = state.objects["invoice"][item["invoice"]]
    if invoice["status"] != "draft":
        raise refused(
            f"This invoice item is attached to an invoice and can no longer be {done}.", code="invoice_not_editable"
        )
    return invoice


def _line_of(invoice: Body, item_id: str) -> int:
    """The place of an item's line on its invoice."""
    return next(place for place, line in enumerate(invoice["lines"]["data"]) if line.get("_item") == item_id)


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
    """DELETE /v1/invoiceitems/{id}: while it is pending, or on a draft."""
    body = state.get("invoiceitem", id_)
    invoice = _own_draft(state, body, "deleted")
    if invoice is not None:
        del invoice["lines"]["data"][_line_of(invoice, id_)]
        _changed(state, invoice, body)
    body["deleted"] = True
    state.put(body)
    state.announce("invoiceitem.deleted", body)
    return {"id": id_, "object": "invoiceitem", "deleted": True}
