"""What can be wrong with an event: a reason of the closed list, the field, and a sentence that quotes nothing."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from event_schemas.vocabulary import QuarantineReason
from event_schemas.wire import CUSTOMER, PRINTABLE, ProductEvent, flaw_of
from usage_ingest.domain.limits import Bounds

KEEPS_PAYLOAD = frozenset({QuarantineReason.UNKNOWN_CUSTOMER, QuarantineReason.TOO_OLD, QuarantineReason.IN_THE_FUTURE})


@dataclass(frozen=True, slots=True)
class Flaw:
    """
    Why an event cannot be used.

    `field` is a path made of the schema's own names. `named` is the same path with a name that the sender chose in it:
    it goes back to the sender and is never stored, since a field's name could hold text.
    """

    reason: QuarantineReason
    field: str | None
    sentence: str
    named: str | None = None

    @property
    def keeps_payload(self) -> bool:
        """Whether the event fits its schema, so that it may be kept and driven again."""
        return self.reason in KEEPS_PAYLOAD


UNKNOWN_CUSTOMER = Flaw(
    QuarantineReason.UNKNOWN_CUSTOMER,
    "customer",
    "this customer is not in the register; the event waits and is driven again once the customer is known",
)
TOO_OLD = Flaw(QuarantineReason.TOO_OLD, "time", "time lies more than 400 days before the event was received")
IN_THE_FUTURE = Flaw(
    QuarantineReason.IN_THE_FUTURE, "time", "time lies more than 15 minutes after the event was received"
)

STILL_AHEAD = Flaw(
    QuarantineReason.IN_THE_FUTURE,
    "time",
    "time still lies ahead of the business time now: replay it once that has come, or set another time",
)
NO_CLOCK = Flaw(QuarantineReason.TOO_OLD, "time", "time lies before the year 2000, which no clock of a product says")


def accepted_time_flaw(event: ProductEvent, *, bounds: Bounds, customers: Container[str]) -> Flaw | None:
    """The same as `flaw_in` where an operator answers for the event's time."""
    found = flaw_in(event, bounds=bounds, customers=customers)
    return {TOO_OLD: NO_CLOCK, IN_THE_FUTURE: STILL_AHEAD}.get(found, found) if found else None


def flaw_in(event: ProductEvent, *, bounds: Bounds, customers: Container[str]) -> Flaw | None:
    """What is wrong with a decoded event; None where it may go on the bus."""
    found = flaw_of(event)
    if found is not None:
        return Flaw(QuarantineReason.MALFORMED, *found)
    if event.customer not in customers:
        return UNKNOWN_CUSTOMER
    if event.time < bounds.oldest:
        return TOO_OLD
    if event.time > bounds.newest:
        return IN_THE_FUTURE
    return None


def identifier_or_none(value: object) -> str | None:
    """The value where it is a valid identifier (id, source, subject, type), else None: nothing else is kept."""
    return value if isinstance(value, str) and len(value) <= 200 and PRINTABLE.match(value) else None


def customer_or_none(value: object) -> str | None:
    """The value where it is a valid customer id, else None."""
    return value if isinstance(value, str) and len(value) <= 100 and CUSTOMER.match(value) else None
