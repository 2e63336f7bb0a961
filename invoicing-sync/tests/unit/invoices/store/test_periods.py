"""A period's usage as it is stored and read again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from event_schemas.times import Period
from invoicing_sync.invoices.store.periods import from_row, to_row_used
from pricing.usage import Used

OCTOBER = Period(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
HALVES = (
    Used("resolution", Period(OCTOBER.start, OCTOBER.start + timedelta(days=9)), Decimal(5), Decimal("1.5")),
    Used("resolution", Period(OCTOBER.start + timedelta(days=9), OCTOBER.end), Decimal(0), Decimal(0)),
)


def a_row(**changes: Any) -> Any:
    fields = {
        "customer": "acme",
        "number": 0,
        "period_start": OCTOBER.start,
        "period_end": OCTOBER.end,
        "freeze_at": OCTOBER.end,
        "state": "complete",
        "ledger": {"resolution": "3.5", "unused": "0", "odd": "-1"},
        "used": [to_row_used(used) for used in HALVES],
        "invoice_id": None,
        "attempt": 1,
        "differs_since": None,
        "revision": 1,
        "finalised_at": None,
    }
    return fields | changes


@pytest.mark.parametrize(
    ("changes", "usage"),
    [
        ({}, HALVES),
        ({"used": None}, (Used("resolution", OCTOBER, Decimal("3.5")),)),  # completed before the parts were kept
        ({"used": None, "ledger": None}, ()),  # not complete
        ({"period_start": OCTOBER.end}, ()),  # a first invoice
    ],
)
def test_an_invoice_is_expected_from_the_parts_that_were_kept(changes: dict[str, Any], usage: tuple[Used, ...]) -> None:
    assert from_row(a_row(**changes)).usage == usage
