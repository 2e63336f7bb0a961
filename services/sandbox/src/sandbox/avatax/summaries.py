"""What a document's details come to: for each jurisdiction, tax and rate, and for each type of tax."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

Body = dict[str, Any]


def summary_of(lines: Sequence[Mapping[str, Any]]) -> list[Body]:
    """One row for each jurisdiction, tax and rate, in the order in which they are met."""
    rows: dict[tuple[str, ...], Body] = {}
    for line in lines:
        for detail in line["details"]:
            key = tuple(
                str(detail[name]) for name in ("country", "region", "jurisType", "jurisCode", "taxName", "rate")
            )
            row = rows.setdefault(key, _empty_row(detail))
            for of_row, of_detail in _SUMMED:
                row[of_row] += detail[of_detail]
    return list(rows.values())


_SUMMED = (
    ("taxable", "taxableAmount"),
    ("tax", "tax"),
    ("taxCalculated", "taxCalculated"),
    ("nonTaxable", "nonTaxableAmount"),
    ("exemption", "exemptAmount"),
)
_KEPT = ("country", "region", "jurisCode", "jurisName", "stateAssignedNo", "taxType", "taxName", "rateType", "rate")


def _empty_row(detail: Mapping[str, Any]) -> Body:
    nothing = {of_row: Decimal(0) for of_row, _ in _SUMMED}
    kept = {name: detail[name] for name in _KEPT}
    return {**kept, "jurisType": detail["jurisdictionType"], "taxAuthorityType": 45, **nothing}


def by_tax_type(body: Body) -> list[Body]:
    """The sums of the summary for each type of tax."""
    rows: dict[str, Body] = {}
    for each in body["summary"]:
        empty = {"taxType": each["taxType"], "totalTaxable": 0, "totalExempt": 0, "totalNonTaxable": 0, "totalTax": 0}
        row = rows.setdefault(each["taxType"], empty)
        row["totalTaxable"] += each["taxable"]
        row["totalExempt"] += each["exemption"]
        row["totalNonTaxable"] += each["nonTaxable"]
        row["totalTax"] += each["tax"]
    return list(rows.values())
