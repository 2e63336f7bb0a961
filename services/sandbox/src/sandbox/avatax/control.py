"""The control paths of the AvaTax stand-in: business time, faults, companies, keys, switches, what it holds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from chassis.access_rules import asks
from chassis.keyring import KeyScope
from chassis.pacing import TokenBucket
from chassis.problems import Problem, responses
from event_schemas.times import from_micros
from sandbox.avatax.account import Company
from sandbox.avatax.clock import Clock
from sandbox.avatax.faults import Kind
from sandbox.avatax.front import Front
from sandbox.floor_control import AnyFault, FloorControl, Order
from sandbox.switches import WrongAnswer

_DUMPED = (
    "id",
    "code",
    "type",
    "status",
    "version",
    "locked",
    "date",
    "taxDate",
    "customerCode",
    "currencyCode",
    "totalAmount",
    "totalTaxable",
    "totalExempt",
    "totalTax",
    "totalTaxCalculated",
    "referenceCode",
    "adjustmentReason",
)


class FaultOrder(AnyFault):
    """A fault to switch on."""

    kind: Kind


class Limits(Order):
    """The account's rate limit, in requests a second of real time."""

    requests_per_second: float = Field(gt=0)


class Keys(Order):
    """The licence keys that are good from now on, as when one is generated anew; and the bearer tokens."""

    license_keys: list[str] = Field(min_length=1, max_length=20)
    bearer_tokens: list[str] = Field([], max_length=20)


class Control:
    """The routes under /_sandbox."""

    def __init__(
        self, front: Front, clock: Clock, reset: Callable[[], Awaitable[None]], *, follows: bool = False
    ) -> None:
        self._front, self._reset, self._follows = front, reset, follows
        self._desk, self._state = front.desk, front.desk.state
        self.router = APIRouter(prefix="/_sandbox", tags=["control"], responses=responses(400, 422))
        self.floor = FloorControl(
            self.router, clock=clock, shown=self._state, faults=self._desk.faults, follows=follows
        )
        add = self.router.add_api_route
        add("/faults", self.add_fault, methods=["POST"])
        add("/limits", self.limits, methods=["POST"])
        add("/keys", self.keys, methods=["POST"])
        add("/answers", self.answers, methods=["GET"])
        add("/answers", self.turn_answers, methods=["POST"])
        add("/companies", self.companies, methods=["GET"])
        add("/companies", self.put_company, methods=["POST"], responses=responses(409))
        add("/dump", self.dump, methods=["GET"])
        add("/reset", self.reset, methods=["POST"])

    async def add_fault(self, order: FaultOrder) -> dict[str, Any]:
        """Switch a fault on."""
        return self.floor.add_fault(order)

    async def limits(self, order: Limits) -> Limits:
        """Set the rate limit. The burst is one second's worth."""
        self._front.requests = TokenBucket(order.requests_per_second, order.requests_per_second)
        return order

    @asks(KeyScope.ADMIN)
    async def keys(self, order: Keys) -> dict[str, int]:
        """Change the account's credentials. In memory: a restart goes back to the file's."""
        self._front.keys = frozenset(order.license_keys)
        self._front.tokens = frozenset(order.bearer_tokens)
        return {"license_keys": len(order.license_keys), "bearer_tokens": len(order.bearer_tokens)}

    async def answers(self) -> dict[str, str]:
        """Where the switches stand for what no text of Avalara decides."""
        return self._desk.answers.shown()

    async def turn_answers(self, order: dict[str, str]) -> dict[str, str]:
        """Turn some switches; the others stay. In memory: a restart and a reset go back to the setting's."""
        try:
            self._desk.answers = self._desk.answers.turned(order)
        except WrongAnswer as wrong:
            raise Problem(400, "no_such_answer", str(wrong)) from None
        return self._desk.answers.shown()

    async def companies(self) -> list[Company]:
        """The companies with their tax profiles."""
        return [company for _, company in self._state.companies.values()]

    async def put_company(self, order: Company) -> Company:
        """Make a company, or give one another tax profile; what was recorded stays as it is. Durable on return."""
        other = next((each for _, each in self._state.companies.values() if each.default), None)
        if order.default and other is not None and other.code != order.code:
            raise Problem(409, "two_defaults", f"{other.code} is the account's default company.", field="default")
        self._state.put_company(order)
        await self._front.journal.committed()
        return order

    async def dump(self, company: str | None = None) -> list[dict[str, str]]:
        """Every version of every document, flat, for verification; amounts as text, so that no reader rounds them."""
        codes = {id_: code for code, (id_, _) in self._state.companies.items()}
        return [
            {"company": codes[body["companyId"]], **{name: _text(body[name]) for name in _DUMPED}}
            for body in self._state.documents.values()
            if company in (None, codes[body["companyId"]]) and not body.get("_deleted")
        ]

    @asks(KeyScope.ADMIN)
    async def reset(self) -> dict[str, str]:
        """Forget everything, the clock too; the account's file goes again."""
        await self._reset()
        return {"status": "reset"}

    async def quiet(self, at: datetime) -> list[str]:
        """What is still to do up to an instant of business time: nothing but reaching it."""
        shown = self._state.shown_micros
        behind = self._follows if shown is None else from_micros(shown) < at
        return ["business time"] if behind else []


def _text(value: object) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)
