"""The stand-in's own control path: clock, faults, company, periods, credentials, and what people do by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Literal, get_args

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field

from chassis.access_rules import asks
from chassis.keyring import KeyScope
from chassis.problems import Problem, responses
from sandbox.documents import Documents, encoder
from sandbox.faults import Faults
from sandbox.floor_control import AnyFault, FloorControl, Order
from sandbox.netsuite.auth.access import Caller
from sandbox.netsuite.auth.credentials import Credentials, Role
from sandbox.netsuite.business_time import BusinessTime
from sandbox.netsuite.company import Company, set_up
from sandbox.netsuite.errors import NetSuiteError
from sandbox.netsuite.front import Front
from sandbox.netsuite.operations import RECORD
from sandbox.netsuite.records.book import Book
from sandbox.netsuite.records.showing import computed
from sandbox.netsuite.replies import Reply, Request, refusal
from sandbox.netsuite.suiteql.ledger_tables import ledger_of
from sandbox.switches import WrongAnswer

CREDENTIALS = "credentials"
Kind = Literal[
    "slow",
    "concurrency_429",
    "error_500_before_commit",
    "error_500_after_commit",
    "timeout_after_commit",
    "expired_token",
    "overload_as_invalid_login",
    "record_locked",
    "maintenance",
    "total_changed",
]
KINDS: tuple[str, ...] = get_args(Kind)
ADMINISTRATOR = Caller("a person", Role(name="Administrator"))


class FaultOrder(AnyFault):
    """A fault to switch on."""

    kind: Kind


class LimitsOrder(Order):
    """The account's limits; what is left out stays."""

    concurrency: int | None = Field(None, ge=1, le=100)
    request_ms: int | None = Field(None, ge=0, le=60_000)
    most_lines: int | None = Field(None, ge=1)


class PeriodOrder(Order):
    """An accounting period, by the first day of its month, and what holds for it from now on."""

    month: str = Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    closed: bool | None = None
    arLocked: bool | None = None  # noqa: N815  # NetSuite's own name
    allLocked: bool | None = None  # noqa: N815


class HandOrder(Order):
    """A request as a person would do it in the user interface: no signature, no limit, closed periods overridden."""

    method: Literal["POST", "PATCH", "PUT", "DELETE", "GET"]
    path: str = Field(pattern=r"^/[A-Za-z]+(/[A-Za-z0-9:_!-]+)*$")  # below /services/rest/record/v1
    query: str = ""
    body: dict[str, Any] | None = None
    overrides_periods: bool = True


class Control:
    """The routes under /_sandbox."""

    def __init__(
        self,
        book: Book,
        documents: Documents,
        front: Front,
        faults: Faults,
        time: BusinessTime,
        reset: Callable[[], Awaitable[None]],
    ) -> None:
        self._book, self._documents, self._front = book, documents, front
        self._time, self._reset = time, reset
        self.router = APIRouter(prefix="/_sandbox", tags=["control"], responses=responses(400, 422))
        add = self.router.add_api_route
        self._floor = FloorControl(self.router, clock=time, shown=time, faults=faults, follows=time.follows)
        add("/faults", self.add_fault, methods=["POST"])
        add("/limits", self.limits, methods=["POST"])
        add("/answers", self.answers, methods=["GET"])
        add("/answers", self.turn_answers, methods=["POST"])
        add("/company", self.company, methods=["PUT"])
        add("/periods", self.periods, methods=["POST"], responses=responses(404))
        add("/credentials", self.credentials, methods=["POST"])
        add("/login_audit", self.login_audit, methods=["GET"])
        add("/by_hand", self.by_hand, methods=["POST"])
        add("/dump", self.dump, methods=["GET"])
        add("/reset", self.reset, methods=["POST"])

    async def add_fault(self, order: FaultOrder) -> dict[str, Any]:
        """Switch a fault on."""
        return self._floor.add_fault(order)

    async def limits(self, order: LimitsOrder) -> dict[str, int]:
        """Set limits. The answer also says how many requests were under way at most since the last call."""
        limits = self._front.limits
        for name, value in order.model_dump(exclude_none=True).items():
            setattr(limits, name, value)
        most, self._front.most_under_way = self._front.most_under_way, self._front.under_way
        return {
            "concurrency": limits.concurrency,
            "request_ms": limits.request_ms,
            "most_lines": limits.most_lines,
            "most_under_way": most,
        }

    async def answers(self) -> dict[str, str]:
        """Where the switches stand for what no text decides."""
        return self._book.answers.shown()

    async def turn_answers(self, order: dict[str, str]) -> dict[str, str]:
        """Turn some switches; the others stay. In memory: a restart and a reset go back to the setting's."""
        try:
            self._book.answers = self._book.answers.turned(order)
        except WrongAnswer as wrong:
            raise Problem(400, "no_such_answer", str(wrong)) from None
        return self._book.answers.shown()

    @asks(KeyScope.ADMIN)
    async def company(self, company: Company) -> dict[str, int]:
        """Set up the company anew; records stay, and so do setup rows that the new one does not name."""
        set_up(self._book, company, self._documents)
        await self._documents.committed()
        return {"subsidiaries": len(company.subsidiaries), "accounts": len(company.accounts)}

    async def periods(self, order: PeriodOrder) -> dict[str, Any]:
        """Close, lock or open a period, as a person does."""
        found = [one for one in self._book.records["accountingPeriod"].values() if one["startDate"][:7] == order.month]
        if not found:
            raise Problem(404, "no_such_period", "No accounting period begins in this month.", field="month")
        period = {**found[0], **order.model_dump(exclude={"month"}, exclude_none=True)}
        self._book.put(period)
        await self._documents.committed()
        return {name: period[name] for name in ("id", "periodName", "closed", "arLocked", "allLocked")}

    @asks(KeyScope.ADMIN)
    async def credentials(self, more: Credentials) -> dict[str, int]:
        """Set up certificates and tokens, or set them anew, `revoked` too. They are kept, also over a reset."""
        self._front.door.credentials = self._front.door.credentials.with_more(more)
        self._documents.put(CREDENTIALS, CREDENTIALS, self._front.door.credentials.model_dump(mode="json"))
        await self._documents.committed()
        return {"certificates": len(more.certificates), "tokens": len(more.tokens)}

    async def login_audit(self) -> list[dict[str, Any]]:
        """The Login Audit Trail: who was refused and why, newest last. Since the start; no secret stands in it."""
        return list(self._front.door.audit)

    async def by_hand(self, order: HandOrder) -> Response:
        """Do to a record what a person does; the answer is NetSuite's own."""
        request = Request(
            method=order.method,
            path=RECORD + order.path,
            query=order.query,
            base="http://by-hand",
            headers={"content-type": "application/json", "x-netsuite-propertynamevalidation": "Error"},
            body=encoder.encode(order.body or {}),
        )
        try:
            reply = self._front.carry_out(request, ADMINISTRATOR, may_override=order.overrides_periods)
        except NetSuiteError as error:
            reply = refusal(error)
        await self._documents.committed()
        return _response(reply)

    async def dump(self) -> Response:
        """Every record with what is computed of it, and the ledger of each transaction, for verification."""
        records = {
            kind: [{**one, **computed(self._book, one)} for one in held.values()]
            for kind, held in self._book.records.items()
        }
        ledger = [
            {"transaction": one["id"], "account": posting.account, "amount": posting.amount, "base": posting.base}
            for one in self._book.transactions()
            for posting in ledger_of(self._book, one)
        ]
        return _response(Reply(200, encoder.encode({"records": records, "ledger": ledger})))

    @asks(KeyScope.ADMIN)
    async def reset(self) -> dict[str, str]:
        """Forget every record, access token and the clock; company and credentials stay."""
        await self._reset()
        return {"status": "reset"}

    async def quiet(self, at: datetime) -> list[str]:
        """Business time must have reached the instant; nothing else is ever left to do."""
        shown = self._time.shown
        reached = shown >= at if shown is not None else not self._time.follows
        return [] if reached else ["business time"]


def _response(reply: Reply) -> Response:
    headers = {"Content-Type": "application/json", **reply.headers}
    return Response(reply.body, reply.status, headers=headers)
