"""Any history of calls on a few documents ends as a model of a few lines says."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chassis.pacing import TokenBucket
from event_schemas.times import parse_instant, to_micros
from sandbox.avatax import json_numbers
from sandbox.avatax.account import Account, Company
from sandbox.avatax.answers import Answers
from sandbox.avatax.desk import Desk
from sandbox.avatax.front import Front
from sandbox.avatax.journal import take
from sandbox.avatax.rates_file import read_table
from sandbox.avatax.state import State
from sandbox.avatax.testing import ACCOUNT, LICENSE_KEY, US_COMPANY, a_document, a_line
from sandbox.faults import Faults

BASIC = "Basic " + base64.b64encode(f"{ACCOUNT}:{LICENSE_KEY}".encode()).decode()
TAX_OF = {"100.00": Decimal("8.88"), "37.37": Decimal("3.31"), "0.00": Decimal("0.00")}  # New York City, by hand
codes, amounts = st.sampled_from(["a", "b"]), st.sampled_from(sorted(TAX_OF))


@dataclass(frozen=True, slots=True)
class Held:
    """A document as the model has it."""

    status: str
    amount: str
    version: int = 1
    locked: bool = False


class Memory:
    """A commit that is done at once."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def committed(self) -> None:
        take(self._state)


class Histories(RuleBasedStateMachine):
    """
    Create, createoradjust, commit, void, uncommit, lock and read, in any order.

    Plants that it caught: void of a locked document; a committed document overwritten; the version of an overwritten
    one counted up; a voided one adjusted.
    """

    @initialize()
    def begin(self) -> None:
        account = Account(account_id=ACCOUNT, license_keys=(LICENSE_KEY,))  # type: ignore[arg-type]
        desk = Desk(State(), read_table(), account, Answers(), Faults(), 100)
        desk.state.move_clock(to_micros(parse_instant("2026-10-15T00:00:00Z")))
        desk.state.put_company(Company.model_validate(US_COMPANY))
        bucket, memory = TokenBucket(1e9, 1e9), Memory(desk.state)
        self.front = Front(desk, memory, bucket, 0, frozenset({LICENSE_KEY}), frozenset())  # type: ignore[arg-type]
        self.model: dict[str, Held] = {}

    def ask(self, method: str, path: str, body: Any = None) -> tuple[bool, Any]:
        """Whether it was done, and the answer."""
        raw = b"" if body is None else json_numbers.encode(body)
        reply = asyncio.run(self.front.answer(method, path, "", raw, BASIC))
        assert reply.status < 500
        return reply.status < 300, json.loads(reply.body, parse_float=Decimal)

    def on(self, code: str, call: str, body: Any) -> bool:
        return self.ask("POST", f"/companies/SETTLED-US/transactions/{code}/{call}", body)[0]

    @rule(code=codes, amount=amounts, commit=st.booleans())
    def create(self, code: str, amount: str, commit: bool) -> None:
        held = self.model.get(code)
        done, _ = self.ask("POST", "/transactions/create", a_document(a_line(amount), code=code, commit=commit))

        assert done == (held is None or held.status != "Committed")
        if done:
            version = held.version if held is not None and held.status == "Saved" else 1
            self.model[code] = Held("Committed" if commit else "Saved", amount, version)

    @rule(code=codes, amount=amounts, commit=st.booleans())
    def create_or_adjust(self, code: str, amount: str, commit: bool) -> None:
        held = self.model.get(code)
        model = {"createTransactionModel": a_document(a_line(amount), code=code, commit=commit)}
        done, _ = self.ask("POST", "/transactions/createoradjust", model)

        assert done == (held is None or not held.locked)
        if done:
            again = held is not None and held.status != "Cancelled"
            version = held.version + 1 if held is not None and again else 1
            self.model[code] = Held("Committed" if commit else "Saved", amount, version)

    @rule(code=codes)
    def commit(self, code: str) -> None:
        held = self.model.get(code)
        done = self.on(code, "commit", {"commit": True})

        assert done == (held is not None and held.status == "Saved")
        if held is not None and done:
            self.model[code] = replace(held, status="Committed")

    @rule(code=codes)
    def uncommit(self, code: str) -> None:
        held = self.model.get(code)
        done = self.on(code, "uncommit", None)

        assert done == (held is not None and held.status == "Committed" and not held.locked)
        if held is not None and done:
            self.model[code] = replace(held, status="Saved")

    @rule(code=codes, reason=st.sampled_from(["DocVoided", "DocDeleted"]))
    def void(self, code: str, reason: str) -> None:
        held = self.model.get(code)
        done = self.on(code, "void", {"code": reason})

        assert done == (held is not None and held.status != "Cancelled" and not held.locked)
        if held is not None and done and reason == "DocDeleted" and held.status == "Saved":
            del self.model[code]
        elif held is not None and done:
            self.model[code] = replace(held, status="Cancelled")

    @rule(code=codes)
    def lock(self, code: str) -> None:
        held = self.model.get(code)
        done = self.on(code, "lock", {"isLocked": True})

        assert done == (held is not None and held.status == "Committed")
        if held is not None and done:
            self.model[code] = replace(held, locked=True)

    @invariant()
    def what_is_read_is_what_was_done(self) -> None:
        """By the list, and with the tax of what was sent last."""
        if not hasattr(self, "front"):
            return
        _, listed = self.ask("GET", "/companies/SETTLED-US/transactions")
        found = {row["code"]: row for row in listed["value"]}

        assert set(found) == set(self.model)
        for code, held in self.model.items():
            row = found[code]
            assert (row["status"], row["version"], row["locked"]) == (held.status, held.version, held.locked)
            assert (row["totalAmount"], row["totalTax"]) == (Decimal(held.amount), TAX_OF[held.amount])


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=70, stateful_step_count=30, deadline=None)
