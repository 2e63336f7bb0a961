"""What becomes of a recorded document: commit, uncommit, void, unvoid, lock, another code, verify."""

from __future__ import annotations

from sandbox.avatax import errors
from sandbox.avatax.desk import Answer, Call, Desk, found_document
from sandbox.avatax.documents import stamp
from sandbox.avatax.state import Body

VOID_CODES = ("Unspecified", "PostFailed", "DocDeleted", "DocVoided", "AdjustmentCancelled")


def _changed(desk: Desk, body: Body, **changes: object) -> Answer:
    body.update(changes, modifiedDate=stamp(desk.state.now))
    return Answer(desk.state.put(body), document=True)


def commit(desk: Desk, call: Call) -> Answer:
    """`POST …/commit`: from now on it is reported."""
    fields = call.fields(desk)
    wanted = fields.flag("commit", required=True)
    fields.end()
    _, body = found_document(desk, call)
    if body["status"] != "Saved":
        status = body["status"]
        message = f"Documents cannot be committed in the status '{status}'."
        why = "To commit a transaction, the document must be in 'Saved' or 'Posted' status."
        if desk.answers.commit_refusal == "1314":
            raise errors.state(400, "InvalidDocumentStatus", 1314, message, why)
        raise errors.state(400, "InvalidDocumentStatusForCommit", 1309, message, why)
    return _changed(desk, body, status="Committed") if wanted else Answer(body, document=True)


def uncommit(desk: Desk, call: Call) -> Answer:
    """`POST …/uncommit`: back to Saved, so long as it is not locked."""
    _, body = found_document(desk, call)
    _unlocked(body)
    if body["status"] != "Committed":
        why = f"The document is in the status '{body['status']}', not 'Committed'."
        raise errors.state(400, "InvalidDocumentStatus", 1314, "Only committed documents can be uncommitted.", why)
    return _changed(desk, body, status="Saved")


def void(desk: Desk, call: Call) -> Answer:
    """`POST …/void`: Cancelled. DocDeleted forgets a document that is not committed."""
    fields = call.fields(desk)
    code = fields.choice("code", VOID_CODES, "VoidReasonCode", required=True)
    fields.end()
    _, body = found_document(desk, call)
    _unlocked(body)
    if body["status"] == "Cancelled":
        raise errors.cancelled(body["code"])
    if code == "DocDeleted" and body["status"] == "Saved":
        body["_deleted"] = True
    return _changed(desk, body, status="Cancelled")


def unvoid(desk: Desk, call: Call) -> Answer:
    """`POST …/unvoid`: a voided document is Saved again."""
    _, body = found_document(desk, call)
    if body["status"] != "Cancelled":
        why = f"The document is in the status '{body['status']}'."
        raise errors.state(400, "TransactionNotCancelled", 1300, "The transaction is not cancelled.", why)
    return _changed(desk, body, status="Saved")


def lock(desk: Desk, call: Call) -> Answer:
    """`POST …/lock`: as when Avalara has reported it."""
    desk.needs("Mrs")
    fields = call.fields(desk)
    wanted = fields.flag("isLocked", required=True)
    fields.end()
    _, body = found_document(desk, call)
    if body["status"] != "Committed":
        why = f"Document {body['code']} was in status {body['status']} and cannot be locked."
        raise errors.state(400, "DocumentNotCommitted", 313, "Only committed documents can be locked.", why)
    if not wanted:
        raise errors.malformed("isLocked", False, "true: a document is not unlocked again")
    return _changed(desk, body, locked=True)


def change_code(desk: Desk, call: Call) -> Answer:
    """`POST …/changecode`: another code for a document that is not committed."""
    fields = call.fields(desk)
    code = fields.text("newCode", required=True)
    fields.end()
    assert code is not None
    _, body = found_document(desk, call)
    if body["status"] != "Saved":
        why = f"The document is in the status '{body['status']}', not 'Saved' or 'Posted'."
        raise errors.state(400, "InvalidDocumentStatus", 1314, "The code of this document cannot be changed.", why)
    if desk.state.find((body["companyId"], code, body["type"])) is not None:
        message = "A transaction with this code exists already."
        raise errors.state(400, "TransactionAlreadyExists", 1303, message, f"The code {code} is used.")
    desk.state.rename(body, code)
    return _changed(desk, body)


def verify(desk: Desk, call: Call) -> Answer:
    """`POST …/verify`: whether day, amount and tax are what the ledger says."""
    fields = call.fields(desk)
    day = fields.day("verifyTransactionDate")
    amount, tax = fields.amount("verifyTotalAmount"), fields.amount("verifyTotalTax")
    fields.end()
    _, body = found_document(desk, call)
    if body["status"] not in ("Saved", "Committed"):
        why = f"The document is in the status '{body['status']}'."
        raise errors.state(400, "InvalidDocumentStatusForVerify", 1306, "This document cannot be verified.", why)
    if day is not None and day.isoformat() != body["date"]:
        raise errors.state(400, "DateMismatch", 1305, "The dates differ.", f"AvaTax has {body['date']}.")
    if amount is not None and amount != body["totalAmount"]:
        why = f"AvaTax has {body['totalAmount']}."
        raise errors.state(400, "TotalAmountMismatch", 1307, "The total amounts differ.", why)
    if tax is not None and tax != body["totalTax"]:
        raise errors.state(400, "TotalTaxMismatch", 1308, "The total taxes differ.", f"AvaTax has {body['totalTax']}.")
    return Answer(body, document=True)


def _unlocked(body: Body) -> None:
    if body["locked"]:
        raise errors.locked(body["code"])
