"""What Stripe's refusal to finalise, send or charge an invoice means."""

from __future__ import annotations

import pytest

from invoicing_sync.invoices.domain.refusals import is_failed_payment, of_collecting, of_finalising_outside

PAUSED = "Collection of this invoice's subscription is paused."
NO_METHOD = "There is no `default_payment_method` set on this Customer or Invoice."
UNNAMED = "invalid_request_error"


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (402, "card_declined", "Your card was declined."),
        (402, "a_code_of_tomorrow", "It did not work."),
        (400, UNNAMED, NO_METHOD),
        (400, "payment_intent_authentication_failure", "The customer was asked and did not answer."),
        (400, "invoice_payment_intent_requires_action", "This payment requires additional user action."),
    ],
)
def test_a_payment_that_fails_is_the_customers(status: int, code: str, sentence: str) -> None:
    assert is_failed_payment(status, code, sentence)


@pytest.mark.parametrize("sentence", [PAUSED, "Payment collection is paused."])
def test_a_charge_that_was_not_tried_is_no_failed_payment(sentence: str) -> None:
    assert not is_failed_payment(400, UNNAMED, sentence)


@pytest.mark.parametrize(
    ("code", "sentence", "keeps_drafts", "numbers"),
    [
        (UNNAMED, PAUSED, True, ("A4",)),
        (UNNAMED, PAUSED, False, ()),
        ("invoice_not_editable", "This invoice can no longer be sent.", True, ()),
        (UNNAMED, "Missing email. In order to create invoices that are sent to the customer, …", True, ()),
    ],
)
def test_a_refusal_to_collect_speaks_against(
    code: str, sentence: str, keeps_drafts: bool, numbers: tuple[str, ...]
) -> None:
    assert of_collecting(code, sentence, keeps_drafts=keeps_drafts) == numbers


def test_an_invoice_that_somebody_else_finalised_speaks_against() -> None:
    assert of_finalising_outside("subscription_create", keeps_drafts=True) == ("A6",)
    assert of_finalising_outside("subscription_cycle", keeps_drafts=True) == ("A3",)
    assert of_finalising_outside("subscription_cycle", keeps_drafts=False) == ()
