"""One request from bytes to bytes: whatever is sent is answered as AvaTax would, and never by a failure of ours."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.pacing import TokenBucket
from sandbox.avatax import json_numbers
from sandbox.avatax.account import Account, Company
from sandbox.avatax.answers import Answers
from sandbox.avatax.desk import Desk
from sandbox.avatax.front import Front
from sandbox.avatax.journal import take
from sandbox.avatax.models import model_of, violations
from sandbox.avatax.rates_file import read_table
from sandbox.avatax.state import State
from sandbox.avatax.testing import ACCOUNT, LICENSE_KEY, US_COMPANY, a_document, a_line
from sandbox.faults import Faults

BASIC = "Basic " + base64.b64encode(f"{ACCOUNT}:{LICENSE_KEY}".encode()).decode()


class Memory:
    """A commit that is done at once; what happens meanwhile is up to the test."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.meanwhile: Callable[[], None] = lambda: None

    async def committed(self) -> None:
        take(self._state)
        self.meanwhile()


def a_front() -> tuple[Front, Memory]:
    """A surface without a database."""
    account = Account(account_id=ACCOUNT, license_keys=(LICENSE_KEY,))  # type: ignore[arg-type]
    desk = Desk(State(), read_table(), account, Answers(), Faults(), 100)
    desk.state.put_company(Company.model_validate(US_COMPANY))
    memory = Memory(desk.state)
    bucket = TokenBucket(1e9, 1e9)
    return Front(desk, memory, bucket, 0, frozenset({LICENSE_KEY}), frozenset()), memory  # type: ignore[arg-type]


async def ask(front: Front, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and body."""
    raw = b"" if body is None else json_numbers.encode(body)
    reply = await front.answer(method, path, "", raw, BASIC)
    return reply.status, json.loads(reply.body, parse_float=Decimal) if reply.body else None


async def test_an_answer_is_of_the_moment_of_its_request_not_of_its_commit() -> None:
    """Another request may void the document while this one waits. Plant that it caught: encoded after the commit."""
    front, memory = a_front()

    def voided_meanwhile() -> None:
        for body in front.desk.state.documents.values():
            body["status"] = "Cancelled"

    memory.meanwhile = voided_meanwhile
    status, made = await ask(front, "POST", "/transactions/create", a_document(commit=True))

    assert (status, made["status"]) == (201, "Committed")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=60) | st.decimals(-(10**20), 10**20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=6,
)
LINE_FIELDS = ("number", "quantity", "amount", "taxCode", "taxIncluded", "addresses", "taxOverride", "entityUseCode")
FIELDS = ("code", "type", "date", "commit", "currencyCode", "companyCode", "addresses", "lines", "taxOverride", "x")


@given(st.sampled_from(FIELDS), st.sampled_from(LINE_FIELDS), anything, anything, st.booleans())
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
async def test_nothing_that_is_sent_makes_it_fail(name: str, of_line: str, one: Any, other: Any, whole: bool) -> None:
    """
    A document with anything in one field and anything in one of its line's: recorded, or refused in AvaTax's shape.

    Plants that it caught: a text, or an object, taken without a look at its type.
    """
    front, _ = a_front()
    sent = a_document({**a_line(100), of_line: other})
    if whole:
        sent[name] = one
    status, body = await ask(front, "POST", "/transactions/create", sent)

    assert status in (201, 400, 404), body
    assert list(violations(str(model_of("POST", "/transactions/create", status)), body)) == []


@pytest.mark.parametrize(
    "value", ["1e400", "-1e400", "1e-400", "0.1e1", "100.0000000000000000000000000000000001", "1E2"]
)
async def test_numbers_at_the_edges_are_recorded_or_refused(value: str) -> None:
    """As JSON writes them. Plant that it caught: no bound, so that 1e400 cannot be rounded to cents."""
    front, _ = a_front()
    raw = json_numbers.encode(a_document()).replace(b'"amount":100.00', f'"amount":{value}'.encode())
    assert value.encode() in raw
    reply = await front.answer("POST", "/transactions/create", "", raw, BASIC)

    assert reply.status == (201 if value in ("0.1e1", "1E2") else 400), reply.body
    if reply.status == 201:
        made = json.loads(reply.body, parse_float=Decimal)
        assert made["totalAmount"] == Decimal(value)
