"""Customers' balances: a ledger that only grows. Negative amounts are in the customer's favour."""

from __future__ import annotations

from sandbox.stripe.errors import absent, invalid, refused
from sandbox.stripe.resources import params as p
from sandbox.stripe.resources.params import Params
from sandbox.stripe.state import Body, State

KIND = "customer_balance_transaction"


def move(
    state: State,
    customer: Body,
    amount: int,
    type_: str,
    *,
    invoice: str | None = None,
    credit_note: str | None = None,
    description: str | None = None,
    metadata: Body | None = None,
) -> Body:
    """Change a customer's balance by an entry of its ledger."""
    before = customer["balance"]
    customer["balance"] = before + amount
    body: Body = {
        "id": state.new_id(KIND),
        "object": KIND,
        "amount": amount,
        "checkout_session": None,
        "created": state.now,
        "credit_note": credit_note,
        "currency": customer["currency"],
        "customer": customer["id"],
        "customer_account": None,
        "description": description,
        "ending_balance": customer["balance"],
        "invoice": invoice,
        "livemode": False,
        "metadata": metadata or {},
        "type": type_,
    }
    state.put(body)
    state.put(customer)
    state.announce("customer.updated", customer, {"balance": before})
    return body


def create_transaction(state: State, customer: str, params: Params) -> Body:
    """POST /v1/customers/{id}/balance_transactions: an adjustment."""
    p.only(params, "amount", "currency", "description", "metadata")
    owner = state.get("customer", customer, param="customer")
    amount, currency = p.whole(params, "amount", 0), p.text(params, "currency").lower()
    if amount == 0:
        raise invalid("amount", "The amount must not be 0.")
    if owner["currency"] not in (None, currency):
        raise refused("You cannot combine currencies on a single customer.", param="currency")
    owner["currency"] = currency
    text = p.optional(params, "description")
    return move(state, owner, amount, "adjustment", description=text, metadata=p.metadata(params))


def list_transactions(state: State, customer: str, params: Params) -> Body:
    """GET /v1/customers/{id}/balance_transactions."""
    p.only(params, "limit", "starting_after", "ending_before", "invoice", "created")
    state.get("customer", customer, param="customer")
    rows = [row for row in p.created_filter(state.all(KIND), params) if row["customer"] == customer]
    if "invoice" in params:
        rows = [row for row in rows if row["invoice"] == params["invoice"]]
    return p.page(rows, params, f"/v1/customers/{customer}/balance_transactions")


def retrieve_transaction(state: State, customer: str, id_: str, _: Params) -> Body:
    """GET /v1/customers/{id}/balance_transactions/{transaction}."""
    found = state.objects[KIND].get(id_)
    if found is None or found["customer"] != customer:
        raise absent(KIND, id_, param="transaction")
    return found


def update_transaction(state: State, customer: str, id_: str, params: Params) -> Body:
    """POST /v1/customers/{id}/balance_transactions/{transaction}: its words; amounts stand."""
    p.only(params, "description", "metadata")
    body = retrieve_transaction(state, customer, id_, params)
    if "description" in params:
        body["description"] = p.optional(params, "description")
    body["metadata"] = p.metadata(params, body)
    return state.put(body)
