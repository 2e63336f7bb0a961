"""Calculate and record: create, createoradjust, adjust."""

from __future__ import annotations

from sandbox.avatax import errors
from sandbox.avatax.calculation import calculate
from sandbox.avatax.desk import Answer, Call, Desk, found_document
from sandbox.avatax.documents import document, with_identity
from sandbox.avatax.fields import Fields
from sandbox.avatax.request import DocumentRequest, new_code, read_document
from sandbox.avatax.state import Body

REASONS = (
    "NotAdjusted",
    "SourcingIssue",
    "ReconciledWithGeneralLedger",
    "ExemptCertApplied",
    "PriceAdjusted",
    "ProductReturned",
    "ProductExchanged",
    "BadDebt",
    "Other",
    "Offline",
)


def create(desk: Desk, call: Call) -> Answer:
    """`POST /transactions/create`: an estimate, or a document that takes the place of one that is not committed."""
    fields = call.fields(desk)
    request, body = _calculated(desk, fields)
    if request.type.endswith("Order"):
        return Answer(_estimate(desk, body), document=True, status=201)
    return Answer(record(desk, body, commit=request.commit), document=True, status=201)


def create_or_adjust(desk: Desk, call: Call) -> Answer:
    """`POST /transactions/createoradjust`: creates, or adjusts the document that has the code already."""
    fields = call.fields(desk)
    reason = fields.choice("adjustmentReason", REASONS, "AdjustmentReason")
    description = fields.text("adjustmentDescription", most=255)
    model = fields.nested("createTransactionModel", required=True)
    fields.end()
    assert model is not None
    request, body = _calculated(desk, model)
    if request.type.endswith("Order"):
        return Answer(_estimate(desk, body), document=True, status=201)
    held = desk.state.find((body["companyId"], body["code"], body["type"]))
    if held is None or held["status"] == "Cancelled":
        return Answer(record(desk, body, commit=request.commit), document=True, status=201)
    made = _adjusted(desk, held, body, commit=request.commit, reason=reason or "Other", description=description)
    return Answer(made, document=True, status=201)


def adjust(desk: Desk, call: Call) -> Answer:
    """`POST …/adjust`: a new version of a recorded document; the old one stays, as Adjusted."""
    fields = call.fields(desk)
    reason = fields.choice("adjustmentReason", REASONS, "AdjustmentReason", required=True)
    description = fields.text("adjustmentDescription", most=255)
    model = fields.nested("newTransaction", required=True)
    fields.end()
    assert reason is not None
    assert model is not None
    if reason == "Other" and not description:
        raise errors.required("adjustmentDescription")
    _, held = found_document(desk, call)
    request, body = _calculated(desk, model, code=held["code"])
    if request.type != held["type"]:
        why = f"A {held['type']} cannot become a {request.type}."
        raise errors.state(400, "CannotAdjustDocumentType", 195, "This document type cannot be adjusted.", why)
    if (body["companyId"], body["code"]) != (held["companyId"], held["code"]):
        raise errors.malformed("newTransaction.code", body["code"], f"code of the transaction {held['code']}")
    if held["status"] == "Cancelled":
        raise errors.cancelled(held["code"])
    made = _adjusted(desk, held, body, commit=request.commit, reason=reason, description=description)
    return Answer(made, document=True)


def record(desk: Desk, body: Body, *, commit: bool) -> Body:
    """
    Keep a calculated document; one of its code that is not committed is overwritten under its own id.

    Raises:
        AvaTaxError: a committed document has the code, or, by the switch, a voided one.
    """
    held = desk.state.find((body["companyId"], body["code"], body["type"]))
    taken = held is not None and (
        held["status"] == "Committed" or (held["status"] == "Cancelled" and desk.answers.voided_code == "taken")
    )
    if taken:
        company = next(code for code, (id_, _) in desk.state.companies.items() if id_ == body["companyId"])
        raise errors.committed(body["code"], company, conflict=desk.answers.committed_code == "conflict")
    again = held is not None and held["status"] == "Saved"
    id_ = held["id"] if held is not None and again else desk.state.new_id()
    version = held["version"] if held is not None and again else 1
    status = "Committed" if commit else "Saved"
    return desk.state.put(with_identity(body, id_=id_, status=status, version=version, now=desk.state.now))


def _calculated(desk: Desk, fields: Fields, *, code: str | None = None) -> tuple[DocumentRequest, Body]:
    request = read_document(fields, most_lines=desk.most_lines)
    company_id, company = desk.company(request.company)
    lines = calculate(request, company, desk.table, desk.answers)
    exempt = desk.answers.zero_rated == "exempt"
    named = request.code or code or new_code()
    body = document(request, lines, code=named, company_id=company_id, zero_rated_exempt=exempt)
    return request, {**body, "_model": fields.raw}


def _estimate(desk: Desk, body: Body) -> Body:
    """What an order is answered: nothing of it is kept, so it has no id."""
    return with_identity(body, id_=0, status="Temporary", version=1, now=desk.state.now)


def _adjusted(desk: Desk, held: Body, body: Body, *, commit: bool, reason: str, description: str | None) -> Body:
    if held["locked"]:
        raise errors.locked(held["code"])
    was_committed = held["status"] == "Committed"
    status = "Committed" if commit else "Saved"
    if was_committed and desk.answers.adjust_status == "stays_committed":
        status = "Committed"
    version, id_ = held["version"] + 1, desk.state.new_id()
    if not was_committed and desk.answers.adjust_saved == "overwritten":
        version, id_ = held["version"], held["id"]
    else:
        desk.state.put({**held, "status": "Adjusted", "adjustmentReason": reason})
    told = {"adjustmentReason": reason, "adjustmentDescription": description or ""}
    made = with_identity({**body, **told}, id_=id_, status=status, version=version, now=desk.state.now)
    return desk.state.put(made)
