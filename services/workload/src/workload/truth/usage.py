"""What the reports of one product record are worth."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any


def worth(reports: Sequence[dict[str, Any]]) -> tuple[int, Decimal] | None:
    """(moment, quantity) of a record: the earliest original's moment, the last known correction's quantity."""
    by_identity = {(r["source"], r["id"]): r for r in reports}
    ordered = sorted(by_identity.values(), key=lambda r: (r["at"], r["source"], r["id"]))
    originals = [r for r in ordered if "corrects" not in r["data"]]
    if not originals:
        return None
    last = originals[0]
    for report in ordered:
        target = report["data"].get("corrects")
        if target and (target["source"], target["id"]) in by_identity:
            last = report
    return originals[0]["at"], Decimal(last["data"]["quantity"])
