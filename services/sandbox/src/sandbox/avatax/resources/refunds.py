"""`POST …/refund`: a ReturnInvoice that gives back what a committed sale charged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sandbox.avatax import errors
from sandbox.avatax.account import Company
from sandbox.avatax.calculation import calculate
from sandbox.avatax.desk import Answer, Call, Desk, found_document
from sandbox.avatax.documents import document, with_sums
from sandbox.avatax.domain.currencies import rounded
from sandbox.avatax.domain.refunds import refunded, tax_only
from sandbox.avatax.fields import Fields
from sandbox.avatax.request import Override, new_code, read_document
from sandbox.avatax.resources.recording import record
from sandbox.avatax.state import Body

REFUND_TYPES = ("Full", "Partial", "TaxOnly", "Percentage")
WHOLE = Decimal(100)


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund as it was sent."""

    code: str
    day: date
    type: str
    percentage: Decimal | None
    lines: list[str] | None
    reference: str


def refund(desk: Desk, call: Call) -> Answer:
    """The refund, committed at once."""
    asked = _read(call.fields(desk))
    by_date = _flag(call, "useTaxDateOverride")
    company, original = found_document(desk, call)
    if original["type"] != "SalesInvoice":
        why = f"The document is a {original['type']}, only a SalesInvoice can be refunded."
        message = "Document type is not valid for refund."
        raise errors.state(400, "InvalidDocumentTypeForRefund", 702, message, why)
    if original["status"] != "Committed":
        why = f"The document status is {original['status']}, we can only process refund on committed document."
        message = "Document is not in a status to process refund"
        raise errors.state(400, "InvalidDocumentStatusForRefund", 700, message, why)
    _require_fitting(asked, original)
    if company.sst and not by_date and _in_sst_states(desk, original):
        message = "Only a TaxDate override is allowed."
        why = "Streamlined Sales Tax states take no tax amount override: set useTaxDateOverride."
        raise errors.state(400, "OnlyTaxDateOverrideIsAllowed", 1302, message, why)
    body = _at_its_day(desk, company, asked, original) if by_date else _exactly(asked, original)
    if desk.answers.over_refund == "refused":
        _require_left(desk, original, body)
    return Answer(record(desk, body, commit=True), document=True, status=201)


def _flag(call: Call, name: str) -> bool:
    text = call.ask(name)
    if text is not None and text.lower() not in ("true", "false"):
        raise errors.malformed(name, text, "Boolean")
    return text is not None and text.lower() == "true"


def _read(fields: Fields) -> Refund:
    day = fields.day("refundDate", required=True)
    type_ = fields.choice("refundType", REFUND_TYPES, "RefundType", required=True)
    assert day is not None
    assert type_ is not None
    asked = Refund(
        code=fields.text("refundTransactionCode") or new_code(),
        day=day,
        type=type_,
        percentage=fields.amount("refundPercentage"),
        lines=fields.texts("refundLines"),
        reference=fields.text("referenceCode", most=1024) or "",
    )
    fields.end()
    return asked


def _require_fitting(asked: Refund, original: Body) -> None:
    """Type, percentage and lines must go together. Raises AvaTaxError, numbers 701 to 709."""
    percentage, lines = asked.percentage, asked.lines
    if asked.type == "TaxOnly" and percentage is not None:
        message = "If refund type is TaxOnly, refund percentage should be null"
        raise errors.state(400, "RefundPercentageForTaxOnly", 706, message, f"{message}.")
    if asked.type == "Percentage" and percentage is None:
        message = "Refund percentage is missing."
        raise errors.state(400, "RefundPercentageMissing", 709, message, "Please provide the refundPercentage.")
    if percentage is not None and not 0 <= percentage <= WHOLE:
        message = "Provide percentage for refund is out of range."
        raise errors.state(400, "RefundPercentageOutOfRange", 708, message, f"Provided percentage is: {percentage}.")
    odd = (asked.type == "Full" and percentage not in (None, WHOLE)) or (
        asked.type == "Partial" and percentage is not None and percentage < 1
    )
    if odd:
        why = (
            f"The refund type is {asked.type}, but the refund percentage is {percentage}. For full refund, the refund "
            "percentage must be null or 100, while for partial refund, the percentage must be between 1 and 100."
        )
        message = "Refund type and refund percentage are mismatch."
        raise errors.state(400, "RefundTypeAndPercentageMismatch", 701, message, why)
    if asked.type == "Partial" and not lines:
        why = f"For refund type {asked.type}, refund lines should be specified"
        message = "For Partial refund, refund lines cannot be null"
        raise errors.state(400, "RefundLinesRequired", 704, message, why)
    if asked.type != "Partial" and lines:
        why = (
            f"There are {len(lines)} lines for refund, and the refund type is {asked.type}. "
            "If refund type is full, refund lines should be null."
        )
        message = "Lines for refund do not match with refund type"
        raise errors.state(400, "RefundTypeAndLineMismatch", 703, message, why)
    known = {line["lineNumber"] for line in original["lines"]}
    for number in lines or ():
        if number not in known:
            message = f"The specified line {number} for refund is out of range."
            why = "The Specified line does not exist in original transaction."
            raise errors.state(400, "LineNoOutOfRange", 707, message, why)


def _exactly(asked: Refund, original: Body) -> Body:
    """By tax amounts: what was charged comes back, whatever has changed since."""
    chosen = [line for line in original["lines"] if not asked.lines or line["lineNumber"] in asked.lines]
    currency, day = original["currencyCode"], asked.day.isoformat()
    whole = asked.type == "TaxOnly"
    lines = tax_only(chosen, currency) if whole else refunded(chosen, _percentage(asked), currency)
    for line in lines:
        line |= {"reportingDate": day, "taxOverrideType": "TaxAmount", "taxOverrideAmount": line["tax"]}
        line |= {"taxOverrideReason": _reason(original)}
    told = {"code": asked.code, "type": "ReturnInvoice", "date": day, "locked": False}
    fresh = {"adjustmentReason": "NotAdjusted", "adjustmentDescription": ""}
    return with_sums({**original, **told, **fresh, **_refers(asked, original), "lines": lines})


def _at_its_day(desk: Desk, company: Company, asked: Refund, original: Body) -> Body:
    """By tax date: calculated anew as of the original's tax date, with the company's profile of today."""
    if asked.type == "TaxOnly":
        raise errors.unsupported("a TaxOnly refund with useTaxDateOverride")
    sent = read_document(Fields(original["_model"], strict=False), most_lines=desk.most_lines)
    share = _percentage(asked) / 100
    lines = tuple(
        replace(line, amount=-rounded(line.amount * share, sent.currency), override=None)
        for line in sent.lines
        if not asked.lines or line.number in asked.lines
    )
    override = Override("TaxDate", _reason(original), day=date.fromisoformat(original["taxDate"]))
    made = replace(sent, type="ReturnInvoice", day=asked.day, lines=lines, override=override)
    body = document(
        made,
        calculate(made, company, desk.table, desk.answers),
        code=asked.code,
        company_id=original["companyId"],
        zero_rated_exempt=desk.answers.zero_rated == "exempt",
    )
    return {**body, **_refers(asked, original), "_model": original["_model"]}


def _percentage(asked: Refund) -> Decimal:
    return WHOLE if asked.percentage is None else asked.percentage


def _reason(original: Body) -> str:
    return f"Refund for a committed transaction {original['code']}"


def _refers(asked: Refund, original: Body) -> Body:
    return {"referenceCode": asked.reference or original["code"], "_refund_of": original["id"]}


def _in_sst_states(desk: Desk, original: Body) -> bool:
    regions = {
        detail["region"] for line in original["lines"] for detail in line["details"] if detail["country"] == "US"
    }
    return any(desk.table.states[region].sst for region in regions)


def _require_left(desk: Desk, original: Body, body: Body) -> None:
    """By the switch: refunds may not come to more than the original. Raises AvaTaxError."""
    earlier = [
        each
        for each in desk.state.of_company(original["companyId"])
        if each.get("_refund_of") == original["id"] and each["status"] == "Committed"
    ]
    for name in ("totalAmount", "totalTax"):
        if abs(sum((each[name] for each in earlier), body[name])) > abs(original[name]):
            why = f"The refunds of {original['code']} would come to more than its {name}."
            raise errors.tax_error("The refund is more than what is left.", why, "Lines")
