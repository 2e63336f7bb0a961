"""What `!transform` begins with: a payment or a credit memo of an invoice, before the body adds to it."""

from __future__ import annotations

from sandbox.documents import Body
from sandbox.netsuite.records.book import Book
from sandbox.netsuite.records.reading import Given
from sandbox.netsuite.records.rules.applying import remaining

TARGETS = {"invoice": ("customerPayment", "creditMemo")}
_COPIED = ("item", "quantity", "rate", "amount", "description", "revRecStartDate", "revRecEndDate")


def begun(book: Book, invoice: Body, target: str, given: Given) -> Given:
    """What the new record is given: the invoice's own values, with those of the body in their place."""
    left = remaining(book, invoice)
    apply = [{"doc": invoice["id"], "line": 0, "apply": True, "amount": left}]
    common = {name: invoice[name] for name in ("subsidiary", "currency", "exchangeRate")}
    if target == "customerPayment":
        where: Body = {} if given.fields.get("account") else {"undepFunds": True}
        own = {"customer": invoice["entity"], "arAcct": invoice["account"], "payment": left, **where}
        lines = {"apply": apply}
    else:
        own = {"entity": invoice["entity"], "account": invoice["account"]}
        copied = [{name: line[name] for name in _COPIED if name in line} for line in invoice["lines"]["item"]]
        lines = {"item": copied, "apply": apply}
    return Given({**common, **own, **given.fields}, {**lines, **given.lines}, given.ignored)
