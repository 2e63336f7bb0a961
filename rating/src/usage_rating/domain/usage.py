"""Which entries the reports of one product record ask for."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from usage_rating.domain.entries import Wanted
from usage_rating.domain.outcome import Decision
from usage_rating.domain.policy import ContractTimeline
from usage_rating.domain.signal import Report

REPORTED = "reported"


def decide_usage(reports: Sequence[Report], meter: str, timeline: ContractTimeline | None) -> Decision:
    """
    The entries that a record's reports ask for: its quantity, and each correction as a reversal and a new charge.

    The original is the earliest report that corrects none (by time, source, id); a further one reports the same record
    again and charges nothing. Corrections count in their own order, as soon as the original that they lead back to is
    there; all of them keep the original's `effective_at`, since the record happened then.

    Args:
        reports: sorted and unique by identity, all of one record and meter.
        timeline: None where the customer has no contract yet. The policy in force at the original is named as the
            entries' version, and decides nothing else.

    Source: design rule 4 (business key) and the contract of the `usage` event.
    """
    if timeline is None:
        return Decision((), "pending", "no_contract", None)
    original = next((report for report in reports if not report.corrects), None)
    if original is None:
        return Decision((), "pending", "original_missing", None)
    policy = timeline.at(original.at)
    if policy is None:
        return Decision((), "not_chargeable", "no_contract_in_force", None)
    known = {report.identity for report in reports}
    wanted: list[Wanted] = []
    _append_charge(wanted, meter, original.at, original, policy.version)
    for correction in reports:
        if correction.corrects and correction.corrects in known:
            _append_reversal(wanted, meter, correction)
            _append_charge(wanted, meter, original.at, correction, policy.version)
    charged = bool(wanted) and wanted[-1].op == "charge"
    return Decision(tuple(wanted), "charged" if charged else "not_chargeable", "reported" if charged else "zero", None)


def _append_charge(wanted: list[Wanted], meter: str, effective_at: int, report: Report, version: str) -> None:
    if Decimal(report.quantity) == 0:
        return
    wanted.append(
        Wanted(
            "charge",
            meter,
            effective_at,
            report.at,
            version,
            how=REPORTED,
            quantity=report.quantity,
            signals=(report.identity,),
        )
    )


def _append_reversal(wanted: list[Wanted], meter: str, correction: Report) -> None:
    if not wanted or wanted[-1].op == "reverse":
        return
    standing = wanted[-1]
    wanted.append(
        Wanted(
            "reverse",
            meter,
            standing.effective_at,
            correction.at,
            standing.policy_version,
            reason="corrected",
            quantity=standing.quantity,
            signals=(correction.identity,),
        )
    )
