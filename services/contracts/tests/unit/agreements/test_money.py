"""What a change would do to the money, by hand: seats at 39 dollars, in a February of 28 days."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts_service.agreements.domain.money import Foreseen, foresee
from contracts_service.testing import after, asked

MID = "2026-02-15T12:00:00Z"  # 13.5 of 28 days are left
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 2, 15, 12, tzinfo=UTC)


def foreseen(command: dict[str, Any], **first: Any) -> Foreseen:
    return foresee(after([], **first), after([command], now=NOW, **first))


def test_a_sign_up_is_billed_on_its_first_day() -> None:
    found = foresee(None, after([], coupon="welcome"))

    assert (found.billing_day, found.before.minor, found.after.minor) == (datetime(2026, 2, 1, tzinfo=UTC), 0, 7605)
    assert [(line.kind, line.amount.minor) for line in found.lines] == [("advance", 11700), ("discount", -4095)]


def test_seats_within_a_period_are_prorated_and_paid_ahead() -> None:
    found = foreseen(asked("change_seats", at=MID, quantity=5))

    assert [(line.item, line.amount.minor) for line in found.proration] == [("basic_seat", -5641), ("basic_seat", 9402)]
    assert (found.billing_day, found.before.minor, found.after.minor) == (MARCH, 11700, 19500 + 3761)


def test_a_change_on_a_billing_day_is_on_that_days_invoice() -> None:
    found = foreseen(asked("change_seats", at="2026-03-01T00:00:00Z", quantity=5))

    assert (found.billing_day, found.proration, found.after.minor) == (MARCH, (), 19500)


def test_a_plan_changed_in_the_middle_gives_back_and_takes() -> None:
    found = foreseen(asked("change_plan", at=MID, plan="pro"))

    assert [(line.item, line.amount.minor) for line in found.proration] == [("basic_seat", -5641), ("pro_seat", 14320)]
    assert found.after.minor == 29700 - 5641 + 14320


@pytest.mark.parametrize(("month", "before"), [(3, 7605), (4, 7605), (5, 11700)])
def test_a_coupon_for_three_invoices_is_over_after_three(month: int, before: int) -> None:
    """The invoices of February, March and April have it, that of May does not."""
    command = asked("change_seats", at=f"2026-{month:02}-01T00:00:00Z", quantity=4)

    assert foreseen(command, coupon="welcome").before.minor == before


def test_within_a_trial_the_first_paid_day_is_what_changes() -> None:
    found = foreseen(asked("change_seats", at="2026-02-20T00:00:00Z", quantity=4), trial=True)

    assert found.billing_day == datetime(2026, 3, 15, tzinfo=UTC)
    early = foresee(
        after([], trial=True), after([asked("change_seats", at="2026-02-10T00:00:00Z", quantity=4)], trial=True)
    )
    assert (early.billing_day, early.before.minor, early.after.minor) == (
        datetime(2026, 2, 15, tzinfo=UTC),
        11700,
        15600,
    )


def test_a_minimum_is_on_the_invoice_that_ends_its_period() -> None:
    """Nothing is used, so all of it is the difference: from March on, billed on the first of April."""
    minimum = asked("set_minimum", at="2026-03-01T00:00:00Z", meter="resolution", amount_minor=5000)
    before = after([minimum])
    april = asked("change_seats", at="2026-04-01T00:00:00Z", quantity=4)
    found = foresee(before, after([minimum, april]))

    assert {(line.kind, line.amount.minor) for line in found.lines} == {("advance", 15600), ("shortfall", 5000)}
