"""`settled contracts apply`: what the service says no to, and what is waited for once it has agreed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from event_schemas.times import month_after, parse_instant
from settled_cli import cases
from settled_cli.contracts import AnyContract
from settled_cli.line import Line, LineError, Refused

LOOK_AGAIN_S = 0.1
PATIENCE_S = 60  # beside a second for each contract


async def known(line: Line, customers: Collection[str]) -> dict[str, dict[str, Any]]:
    """What the door knows of these customers' contracts, by customer."""
    found: dict[str, dict[str, Any]] = {}
    for customer in customers:
        try:
            found[customer] = await line.get("invoicing-sync", f"/v1/contracts/{quote(customer, safe='')}")
        except Refused as refused:
            if refused.status != 404:
                raise
    return found


def told(refusals: Sequence[dict[str, Any]]) -> list[str]:
    """What the service has against contracts, a sentence each."""
    return [f"{one['customer']}: {one['sentence']}" if one.get("customer") else one["sentence"] for one in refusals]


def set_aside(agreed: Sequence[AnyContract], dealt_with: dict[str, dict[str, Any]]) -> list[str]:
    """The customers whose revision the door has looked at and not applied."""
    known = [(one, dealt_with[one.customer]) for one in agreed]
    return [
        one.customer
        for one, there in known
        if there["handled_revision"] >= one.revision > (there["applied_revision"] or 0)
    ]


async def outcome(line: Line, agreed: Sequence[AnyContract]) -> dict[str, dict[str, Any]]:
    """
    Wait until the door has dealt with each contract, applied or set aside; what it knows then, by customer.

    One whose anchor lies more than a month ahead has only to come in: Stripe takes it later.

    Raises:
        LineError: one was not dealt with in time.
    """
    found: dict[str, dict[str, Any]] = {}
    deadline = asyncio.get_running_loop().time() + PATIENCE_S + len(agreed)
    clock = (await line.get("sandbox", "/_sandbox/clock"))["now"]
    in_a_month = month_after(parse_instant(clock) if clock else datetime.now(UTC), 1)
    for contract in agreed:
        while True:
            there = (await known(line, [contract.customer])).get(contract.customer)
            at_once = contract.billing_anchor <= in_a_month
            if there is not None and there["handled_revision" if at_once else "revision"] >= contract.revision:
                found[contract.customer] = there
                break
            if asyncio.get_running_loop().time() > deadline:
                raise LineError(
                    f"the contract of {contract.customer} was not applied in time: `settled cases --customer "
                    f"{contract.customer}` and the log of invoicing-sync say more"
                )
            await asyncio.sleep(LOOK_AGAIN_S)
    return found


async def open_cases(line: Line, customers: Collection[str]) -> list[dict[str, Any]]:
    """The open cases of these customers; one question where there are few, else all and what is theirs."""
    if len(customers) <= 5:
        found = [await cases.gather(line, customer=customer) for customer in customers]
        return [case for of_one in found for case in of_one]
    return [case for case in await cases.gather(line) if case["customer"] in customers]


def caused(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cases that have come, or come again, since `before`."""
    counts = {case["id"]: case["count"] for case in before}
    return [case for case in after if case["count"] > counts.get(case["id"], 0)]
