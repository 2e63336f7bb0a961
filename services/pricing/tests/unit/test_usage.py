"""What was used and what was billed before."""

from datetime import timedelta
from decimal import Decimal

from pricing.engine import expected_invoice
from pricing.testing import DAY, on, outcomes, seats, some_terms, used
from pricing.usage import BilledBefore, used_at


def test_an_entry_is_a_span_of_one_microsecond() -> None:
    entry = used_at("outcome", on(9), Decimal(1))

    assert (entry.span.start, entry.span.end - entry.span.start) == (on(9), timedelta(microseconds=1))


def test_entries_one_by_one_and_summed_give_one_invoice() -> None:
    terms = some_terms(outcomes())
    entries = [used_at("outcome", on(day), Decimal(1)) for day in range(1, 29)]

    assert expected_invoice(terms, DAY, entries) == expected_invoice(terms, DAY, [used(28)])


def test_the_next_invoice_finds_what_this_one_left() -> None:
    invoice = expected_invoice(some_terms(seats(until=on(15))), DAY, (), BilledBefore((on(1),), 10, {"c": 5}))

    after = BilledBefore((on(1),), 10, {"c": 5}).plus(invoice)

    assert (after.invoice_days, after.customer_credit, dict(after.prepaid_drawn)) == ((on(1), DAY), 3010, {"c": 5})
