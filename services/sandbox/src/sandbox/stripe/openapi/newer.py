"""What API version 2026-10-28.endive has and the document of 2026-05-27.dahlia has not yet. Each entry is used."""

from __future__ import annotations

# Fields of answers, by the `object` that carries them.
RESPONSE_FIELDS: dict[str, frozenset[str]] = {
    "invoice": frozenset({"status_details"}),
    "invoiceitem": frozenset({"frozen_fields", "invoicing_rules"}),
    "product": frozenset({"tax_details"}),
    "subscription": frozenset({"status_details"}),
    "subscription_item": frozenset({"current_trial"}),
}

# Event types of thin destinations are not in the document; these two are delivered.
THIN_EVENTS = frozenset({"v1.billing.meter.error_report_triggered", "v1.billing.meter.no_meter_found"})
