"""What an hourly sum says about one effect that never got an answer."""

from __future__ import annotations

from decimal import Decimal

import pytest

from invoicing_sync.usage.domain.unclear import Verdict, judge


@pytest.mark.parametrize(
    ("known", "value", "summed", "verdict"),
    [
        ("5", "1", "6", Verdict.COUNTED),
        ("5", "1", "5", Verdict.NOT_COUNTED),
        ("5", "1", "7", Verdict.UNDECIDED),
        ("5", "-1", "4", Verdict.COUNTED),
        ("5", "-1", "5", Verdict.NOT_COUNTED),
        ("0", "1", "0", Verdict.NOT_COUNTED),
    ],
)
def test_the_sum_with_it_or_without_it_decides(known: str, value: str, summed: str, verdict: Verdict) -> None:
    assert judge(known=Decimal(known), value=Decimal(value), summed=Decimal(summed)) is verdict
