"""Refusals in AvaTax's own shape and, where a text of Avalara's has them, its own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_HELP = "http://developer.avalara.com/avatax/errors/"


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of an error's `details`."""

    code: str
    number: int
    message: str
    description: str
    fault_code: str = "Client"
    severity: str = "Error"
    refers_to: str | None = None

    def shown(self) -> dict[str, Any]:
        """As it stands in the body."""
        shown: dict[str, Any] = {
            "code": self.code,
            "number": self.number,
            "message": self.message,
            "description": self.description,
            "faultCode": self.fault_code,
            "helpLink": _HELP + self.code,
        }
        if self.refers_to is not None:
            shown["refersTo"] = self.refers_to
        return {**shown, "severity": self.severity}


class AvaTaxError(Exception):
    """An error answer: its HTTP status, what is wrong, and headers beside it."""

    def __init__(
        self, status: int, fault: Fault, *, target: str = "IncorrectData", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(fault.message)
        self.status, self.fault, self.target, self.headers = status, fault, target, headers or {}

    def body(self) -> dict[str, Any]:
        """The JSON body."""
        fault = self.fault
        error = {"code": fault.code, "message": fault.message, "target": self.target, "details": [fault.shown()]}
        return {"error": error}


def not_found(kind: str, by: str, value: object) -> AvaTaxError:
    """Number 4. What is asked for does not exist."""
    message, description = f"{kind} not found.", f"The {kind} with {by} '{value}' was not found."
    return AvaTaxError(404, Fault("EntityNotFoundError", 4, message, description), target="HttpRequest")


def required(field: str) -> AvaTaxError:
    """Number 5. A field that must be there is not."""
    message, description = f"Field {field} is required.", f"Please provide a value for field {field}."
    return AvaTaxError(400, Fault("ValueRequiredError", 5, message, description, refers_to=field))


def too_long(field: str, most: int) -> AvaTaxError:
    """Number 13. A text is longer than its field."""
    message = f"Field {field} has an invalid length."
    description = f"The length must be between 0 and {most} characters."
    return AvaTaxError(400, Fault("StringLengthError", 13, message, description, refers_to=field))


def bad_date(field: str, value: object) -> AvaTaxError:
    """Number 26. A date that no calendar has."""
    message = f"The date '{value}' is not valid."
    return AvaTaxError(400, Fault("DateFormatError", 26, message, "Write dates as yyyy-MM-dd.", refers_to=field))


def malformed(field: str, value: object, wanted: str) -> AvaTaxError:
    """Number 70. A value of another type than its field's."""
    description = (
        "The request body does not represent a valid JSON object.  "
        f"The value '{str(value)[:80]}' is not a valid '{wanted}'."
    )
    return AvaTaxError(400, Fault("ModelStateInvalid", 70, "Invalid JSON object.", description, refers_to=field))


def no_such_field(field: str) -> AvaTaxError:
    """A field that AvaTax does not have; the real one ignores it, see the switch `unknown_fields`."""
    description = f"The stand-in knows no field '{field}' here; AvaTax would ignore it."
    return AvaTaxError(400, Fault("ModelStateInvalid", 70, "Invalid JSON object.", description, refers_to=field))


def unsupported(what: str) -> AvaTaxError:
    """AvaTax takes this; the stand-in would have to ignore it, and says so instead."""
    message = f"The stand-in does not carry out {what}."
    return AvaTaxError(400, Fault("SandboxUnsupported", 0, message, "AvaTax takes it.", refers_to=what))


def tax_error(message: str, description: str, refers_to: str | None = None) -> AvaTaxError:
    """Number 300. What went wrong in calculating: a bad address, a company or a status that does not fit."""
    fault = Fault("GetTaxError", 300, message, description, "GetTaxError", refers_to=refers_to)
    return AvaTaxError(400, fault, target="Unknown")


def state(status: int, code: str, number: int, message: str, description: str) -> AvaTaxError:
    """A document in another state than the call asks for."""
    return AvaTaxError(status, Fault(code, number, message, description), target="Unknown")


def committed(code: str, company: str, *, conflict: bool) -> AvaTaxError:
    """Creating over a document that is final: about its status, or, by the switch, a conflict of codes."""
    if conflict:
        description = f"Two documents exist for the company '{company}' with the document code '{code}'."
        return state(409, "DocumentCodeConflict", 303, "Cannot uniquely identify document", description)
    return tax_error("DocStatus is invalid for this operation.", "Expected Saved|Posted", "DocStatus")


def locked(code: str) -> AvaTaxError:
    """Number 1100. The document was reported on a return."""
    description = f"Document {code} is locked. Modification is not allowed."
    message = "Modifying a locked document is not allowed."
    return state(400, "CannotModifyLockedTransaction", 1100, message, description)


def cancelled(code: str) -> AvaTaxError:
    """Number 198. It was voided already."""
    description = f"The transaction '{code}' is already in a 'Cancelled' status. There is nothing to be done."
    message = "The transaction has already been cancelled."
    return state(400, "TransactionAlreadyCancelled", 198, message, description)


def _refused(status: int, code: str, number: int, message: str, description: str) -> AvaTaxError:
    fault = Fault(code, number, message, description, severity="Exception")
    return AvaTaxError(status, fault, target="HttpRequestHeaders")


def no_credentials() -> AvaTaxError:
    """Number 34. Nobody said who asks."""
    description = "You must provide an Authorization header of the type Basic or Bearer to authenticate correctly."
    return _refused(401, "AuthenticationIncomplete", 34, "Authentication Incomplete.", description)


def wrong_credentials() -> AvaTaxError:
    """Number 30. Account and licence key do not go together."""
    description = "Unable to authenticate the user or the account."
    return _refused(401, "AuthenticationException", 30, "Authentication failed.", description)


def expired_token() -> AvaTaxError:
    """Number 37. A token that is good no more."""
    message = "The Bearer token you provided was not recognized by Avalara Identity."
    description = (
        "If you have received a bearer token from Avalara Identity, this token may have expired.  Please contact "
        "Avalara Identity and request a refreshed token."
    )
    return _refused(401, "BearerTokenInvalid", 37, message, description)


def not_bought(service: str) -> AvaTaxError:
    """Number 600. The account does not have the service."""
    message, description = "Subscription required.", f"The account needs the service {service} for this call."
    return AvaTaxError(403, Fault("SubscriptionRequired", 600, message, description), target="CustomerAccountSetup")


def too_many(*, retry_after: bool) -> AvaTaxError:
    """Number 1723. The account's rate limit."""
    fault = Fault("RateLimitExceededError", 1723, "Rate limit exceeded.", "Send requests more slowly.")
    return AvaTaxError(429, fault, target="HttpRequest", headers={"Retry-After": "1"} if retry_after else {})


def failure() -> AvaTaxError:
    """Number 209. Something went wrong on the far end."""
    fault = Fault("InternalServerError", 209, "The server encountered an error.", "Please try again.", "Server")
    return AvaTaxError(500, fault, target="AvaTaxApiServer")


def maintenance() -> AvaTaxError:
    """Number 1718. A maintenance window."""
    fault = Fault("ServiceNotReady", 1718, "The service is not ready.", "Maintenance is under way.", "Server")
    return AvaTaxError(503, fault, target="AvaTaxApiServer")


def timed_out() -> AvaTaxError:
    """Number 316. `$include=ForceTimeout` asked for it."""
    fault = Fault("TimeoutRequested", 316, "A timeout was requested.", "The request asked for a timeout.", "Server")
    return AvaTaxError(500, fault, target="AvaTaxApiServer")
