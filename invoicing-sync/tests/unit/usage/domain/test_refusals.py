"""Which assumptions the refusal of a usage call speaks against."""

from __future__ import annotations

from decimal import Decimal

import pytest

from invoicing_sync.usage.domain.refusals import of_cancelling, of_event

UNNAMED = "invalid_request_error"


class TestAMeterEvent:
    @pytest.mark.parametrize(
        ("code", "value", "in_doubt", "numbers"),
        [
            ("meter_event_invalid_value", "0.25", False, ("A22",)),
            ("meter_event_invalid_value", "-1.5", True, ("A22",)),
            ("meter_event_invalid_value", "3", False, ()),  # a whole number is refused for something else
            ("meter_event_invalid_value", "3.00", True, ()),
            (UNNAMED, "1", True, ("A19",)),
            (UNNAMED, "1", False, ()),  # never sent before: Stripe cannot know it
            ("timestamp_too_far_in_past", "1", True, ()),
            ("archived_meter", "1", True, ()),
        ],
    )
    def test_speaks_against(self, code: str, value: str, in_doubt: bool, numbers: tuple[str, ...]) -> None:
        assert of_event(code, Decimal(value), in_doubt=in_doubt) == numbers


class TestCancelling:
    def test_what_may_be_cancelled_already_and_is_not_found(self) -> None:
        assert of_cancelling("resource_missing", in_doubt=True) == ("A21",)

    def test_what_was_never_tried_before(self) -> None:
        assert of_cancelling("resource_missing", in_doubt=False) == ()

    def test_what_is_too_old_to_be_cancelled(self) -> None:
        assert of_cancelling(UNNAMED, in_doubt=True) == ()
