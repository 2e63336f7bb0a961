"""Credit notes on Stripe's wire, both ways."""

from __future__ import annotations

from event_schemas.values import Currency
from invoicing_sync.invoices.domain.issuing import NoteLine
from invoicing_sync.stripe_door.credit_notes import from_wire_credit_note, to_wire_credit_note


def test_a_note_names_lines_of_its_invoice_and_lines_of_its_own_and_where_the_money_goes() -> None:
    lines = [NoteLine("outcome", 99, "il_1"), NoteLine("outcome", 5, None)]

    params = to_wire_credit_note(
        "credit:acme:0:1", invoice_id="in_1", lines=lines, paid_minor=104, paid="balance", memo="October"
    )

    assert params == {
        "invoice": "in_1",
        "memo": "October",
        "metadata": {"settled_credit_note": "credit:acme:0:1"},
        "credit_amount": 104,
        "lines": [
            {"type": "invoice_line_item", "invoice_line_item": "il_1", "amount": 99},
            {"type": "custom_line_item", "description": "October: outcome", "quantity": 1, "unit_amount": 5},
        ],
    }


def test_what_only_lowers_an_open_invoice_names_no_balance() -> None:
    params = to_wire_credit_note("k", invoice_id="in_1", lines=[], paid_minor=0, paid="balance", memo="")

    assert not {"credit_amount", "refund_amount"} & params.keys()


def test_what_goes_back_the_way_it_was_paid_is_a_refund() -> None:
    params = to_wire_credit_note("k", invoice_id="in_1", lines=[], paid_minor=98, paid="refund", memo="")

    assert (params["refund_amount"], "credit_amount" in params) == (98, False)


def test_a_note_is_read_with_what_went_elsewhere_and_lines_after_their_discounts() -> None:
    raw = {
        "id": "cn_1",
        "number": "X-1",
        "metadata": {},
        "status": "issued",
        "currency": "usd",
        "total": 90,
        "pre_payment_amount": 30,
        "post_payment_amount": 60,
        "customer_balance_transaction": "cbtxn_1",
        "out_of_band_amount": 5,
        "refunds": [{"amount_refunded": 10}],
    }
    lines = [{"invoice_line_item": "il_1", "amount": 100, "discount_amounts": [{"amount": 10}]}]

    note = from_wire_credit_note(raw, lines)

    assert (note.key, note.currency, note.amount_minor) == (None, Currency.USD, 90)
    assert (note.lowered_minor, note.after_minor, note.balance) == (30, 60, True)
    assert (note.refunded_minor, note.elsewhere_minor) == (10, 5)
    assert note.lines == (("il_1", 90),)
