"""What the engine says to a golden case, in the form of the case's `expected`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from event_schemas.times import EPOCH, Period, month_after
from event_schemas.values import Currency, round_line
from pricing.corrections import Correction, Document, correction
from pricing.engine import expected_invoice
from pricing.golden.case import Case, Table
from pricing.golden.form import Fields, credit_note_form, in_order, invoice_form, number
from pricing.lines import Invoice, Kind
from pricing.prices import PerUnit
from pricing.terms import Licensed, Proration, QuantityFrom, Taxes, Terms
from pricing.usage import NOTHING_BEFORE, BilledBefore, Used

Agree = Callable[[Terms], Terms]


def answer(
    raw: Mapping[str, Any], tables: Mapping[str, Table], *, agree: Agree = lambda terms: terms
) -> tuple[Fields, Fields]:
    """
    What is expected of a case and what the engine says, in one form: equal when every field agrees.

    Lines are compared whole, as multisets; of an invoice and a case exactly the fields that the file gives. The engine
    bills by what `agree` makes of the case's terms, such as the terms of the contract that says them.
    """
    expected = _in_form(raw["expected"])
    said = _by_day(raw, agree) if "charge_days" in raw["inputs"] else _invoices(Case(raw, tables, agree))
    return expected, _only(expected, said)


def rounding_point(point: Mapping[str, Any]) -> int:
    """The integer that an exact value in minor units becomes, through the one rounding."""
    return round_line(Decimal(point["exact"]), Currency.JPY).minor


def _in_form(expected: Mapping[str, Any]) -> Fields:
    form, labels = dict(expected), ("variant",)  # a name for readers
    if "invoices" in form:
        form["invoices"] = [
            {key: in_order(value) if key == "lines" else value for key, value in invoice.items() if key not in labels}
            for invoice in form["invoices"]
        ]
    return form


def _only(expected: Fields, said: Fields) -> Fields:
    """`said`, without what the file is silent about."""
    kept = {key: said.get(key) for key in expected}
    if "invoices" in expected and len(said["invoices"]) == len(expected["invoices"]):
        kept["invoices"] = [
            {key: got.get(key) for key in wanted}
            for wanted, got in zip(expected["invoices"], said["invoices"], strict=True)
        ]
    return kept


def _invoices(case: Case) -> Fields:
    before, invoices, forms = NOTHING_BEFORE, list[Invoice](), list[Fields]()
    for day in case.billing_days:
        usage = case.usage(day)
        before = replace(before, owed=_owed(case, invoices))
        for taxes in case.taxes():
            invoices.append(expected_invoice(case.terms, day, usage, before, taxes=taxes))
            left = _credits_left(case, before.plus(invoices[-1]))
            forms.append(invoice_form(invoices[-1], credits_left=left))
        before = before.plus(invoices[-1])
    return {
        "invoices": forms,
        "points": [_point(case, point) for point in case.raw["expected"].get("points", ())],
        "proration": _proration(invoices),
        "records": _records(invoices[0]),
        "invoice_discount_total": -sum(line.amount.minor for line in invoices[0].lines if line.whole_invoice),
        **_credit_notes(case, invoices[0]),
    }


def _credits_left(case: Case, before: BilledBefore) -> int | None:
    return next((c.amount.minor - before.prepaid_drawn.get(c.key, 0) for c in case.terms.prepaid), None)


def _owed(case: Case, invoices: list[Invoice]) -> tuple[Correction, ...]:
    """The case's late entries, once their period is billed."""
    owed = []
    for late in case.inputs.get("late", ()):
        for invoice in invoices[-1:]:
            if f"{invoice.ended.start:%Y-%m}" == late["event_period"]:
                usage = (*case.usage(invoice.billing_day), Used(late["item"], invoice.ended, Decimal(late["qty"])))
                after = expected_invoice(case.terms, invoice.billing_day, usage)
                owed.append(correction(invoice, after))
    return tuple(one for one in owed if one.document is Document.PRIOR_PERIOD)


def _credit_notes(case: Case, invoice: Invoice) -> Fields:
    (taxes, *_) = case.taxes()
    usage, notes, stands = list(case.usage(invoice.billing_day)), list[Fields](), invoice
    for late in case.inputs.get("late_reversals", ()):
        usage[0] = replace(usage[0], reversed=usage[0].reversed + late["qty"])
        after = expected_invoice(case.terms, invoice.billing_day, usage, taxes=taxes)
        notes.append(credit_note_form(correction(stands, after), late["noted"]))
        stands = after
    if not notes:
        return {}
    left = invoice.total.minor + sum(note["total"] for note in notes)
    at_once = f"invoice_rated_at_{number(usage[0].charged - usage[0].reversed)}"
    return {"credit_notes": notes, "check": {"invoice_less_notes": left, at_once: stands.total.minor}}


def _point(case: Case, point: Mapping[str, Any]) -> Fields:
    """The usage lines of one quantity, on the case's first billing day."""
    (used,) = case.usage(case.billing_days[0])
    invoice = expected_invoice(case.terms, case.billing_days[0], [replace(used, charged=Decimal(point["qty"]))])
    said: Fields = {"qty": point["qty"], "amount": invoice.net.minor}
    if "packs" in point:
        said["packs"] = sum(line.packs or 0 for line in invoice.lines)
    if "unit" in point:
        (line,) = invoice.lines
        said["unit"] = f"{line.unit_price:f}"
    return said


def _proration(invoices: list[Invoice]) -> Fields | None:
    factors = [line.factor for invoice in invoices for line in invoice.lines if line.factor is not None]
    if not factors:
        return None
    return {"seconds_left": factors[0].left // 1_000_000, "seconds_in_period": factors[0].whole // 1_000_000}


def _records(invoice: Invoice) -> Fields:
    return {
        "charged": number(sum((meter.on_lines for meter in invoice.account), Decimal(0))),
        "recorded_not_charged": number(sum((meter.under_cap for meter in invoice.account), Decimal(0))),
    }


def _by_day(raw: Mapping[str, Any], agree: Agree) -> Fields:
    """X02: one seat bought with so many days left, and one given back with so many, in a period of 30 days."""
    given = raw["inputs"]
    anchor = next(
        start
        for start in (month_after(EPOCH, number) for number in range(12))
        if (month_after(start, 1) - start).days == given["days_in_period"]
    )
    whole = given["days_in_period"]

    def amount(kind: Kind, days: int, before: int, after: int) -> int:
        at = anchor + timedelta(days=whole - days)
        timeline = (QuantityFrom(anchor, before), QuantityFrom(at, after))
        seat = Licensed("seat", PerUnit(Decimal(given["unit"])), timeline, anchor)
        terms = Terms(Currency(raw["currency"]), anchor, (seat,), proration=Proration(given["proration"]))
        invoice = expected_invoice(
            agree(terms), Period(anchor, month_after(anchor, 1)).end, (), BilledBefore(), taxes=Taxes()
        )
        return sum(line.amount.minor for line in invoice.lines if line.kind is kind)

    return {
        "charge": amount(Kind.PRORATION_DEBIT, given["charge_days"], 0, 1),
        "credit": amount(Kind.PRORATION_CREDIT, given["credit_days"], 1, 0),
    }
