"""Builders that tests import: contracts, ledger entries and records of the bus with plain defaults."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from event_schemas.contract_v2.testing import a_document, metered, seats
from event_schemas.contracts import Contract
from event_schemas.events.contract_v1 import ContractEvent
from event_schemas.times import iso
from event_schemas.wire import Cause, ProgressData, RatedEntry, RatingProgress, UsageRated

START = datetime(2026, 10, 1, tzinfo=UTC)


def a_contract(customer: str = "acme", **changes: Any) -> Contract:
    """A contract with one outcome at 0.99 and three seats at 39, billed from 1 October 2026."""
    fields: dict[str, Any] = {
        "customer": customer,
        "name": f"{customer.title()} Ltd",
        "issuer": "settled-us",
        "channel": "self_serve",
        "currency": "USD",
        "billing_email": f"billing@{customer}.example",
        "billing_anchor": START,
        "revision": 1,
        "timeline": [{"effective_from": START, "policy": {"version": "standard-1"}}],
        "metered": [{"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "0.99"}}],
        "licensed": [{"item": "essential_seat", "quantity": 3, "unit_price": "39"}],
    }
    return Contract.model_validate(fields | changes)


def agreed(
    customer: str = "acme",
    *,
    begin: datetime = START,
    anchor: datetime = START,
    billing: Mapping[str, Any] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """
    The document of a contract of version 2: three seats at 39 and one outcome, from `begin` on.

    Args:
        billing: what its entry of billing says beside or instead of what it says anyway.
    """
    said = {"at": iso(begin), "agreed_in": 1}
    whom = {"name": "Acme", "issuer": "settled-us", "billing_email": f"billing@{customer}.example"}
    since = {"from": iso(begin)}
    base: dict[str, Any] = {
        "customer": customer,
        "billing_anchor": iso(anchor),
        "billing": [said | whom | dict(billing or {})],
        "policies": [said | {"policy": {"version": "standard-1"}, "charges": []}],
        "items": [seats(3, **since), metered(**since)],
    }
    return a_document(**base | fields)


def a_charge(entry_id: str, *, seq: int, at: datetime, **changes: Any) -> RatedEntry:
    """A charge of one resolution that takes effect at `at` and was recorded then."""
    fields: dict[str, Any] = {
        "entry_id": entry_id,
        "partition": 0,
        "seq": seq,
        "customer": "acme",
        "subject": f"conversation-{entry_id}",
        "subject_kind": "conversation",
        "meter": "resolution",
        "op": "charge",
        "ordinal": 0,
        "quantity": "1",
        "effective_at": at,
        "caused_at": at,
        "recorded_at": at,
        "cause": Cause("standard-1", "assumed", None, (("urn:test", entry_id),)),
    }
    return RatedEntry(**(fields | changes))


def a_reversal(entry_id: str, of: RatedEntry, *, seq: int, recorded_at: datetime) -> RatedEntry:
    """The reversal of a charge, at the charge's instant, recorded later."""
    return msgspec.structs.replace(
        of,
        entry_id=entry_id,
        seq=seq,
        op="reverse",
        ordinal=of.ordinal + 1,
        caused_at=recorded_at,
        recorded_at=recorded_at,
        cause=Cause("standard-1", None, "customer_returned", (("urn:test", entry_id),), of.entry_id),
    )


def rated_record(entry: RatedEntry) -> tuple[bytes, bytes]:
    """Key and value on `usage.rated`."""
    record = UsageRated(
        id=entry.entry_id, source="urn:rating", subject=entry.customer, time=entry.recorded_at, data=entry
    )
    return entry.customer.encode(), msgspec.json.encode(record)


def progress_record(partition: int, read_up_to: datetime, seq: int) -> tuple[bytes, bytes]:
    """Key and value on `rating.progress`."""
    data = ProgressData(topic_id="t", partition=partition, read_up_to=read_up_to, seq=seq)
    record = RatingProgress(
        id=f"{partition}-{seq}-{iso(read_up_to)}",
        source="urn:rating",
        subject=str(partition),
        time=read_up_to,
        data=data,
    )
    return str(partition).encode(), msgspec.json.encode(record)


def contract_record(contract: Contract) -> tuple[bytes, bytes]:
    """Key and value on `contracts`."""
    event = ContractEvent(
        specversion="1.0",
        id=f"{contract.customer}-{contract.revision}",
        source="urn:test",
        subject=contract.customer,
        time=START - timedelta(days=1),
        type="contract",
        data=contract,
    )
    return contract.customer.encode(), event.model_dump_json().encode()
