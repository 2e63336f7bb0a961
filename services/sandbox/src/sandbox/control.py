"""The sandbox's own control path: business clock, faults, what it holds. Stripe has nothing of the kind."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Self

from fastapi import APIRouter
from pydantic import Field, model_validator

from chassis.access_rules import asks
from chassis.keyring import KeyScope
from chassis.pacing import TokenBucket
from chassis.problems import Problem, responses
from event_schemas.times import from_micros
from sandbox.clockwork import Clockwork
from sandbox.faults import SENTENCE, Faults, Kind, Refusal
from sandbox.floor_control import AnyFault, FloorControl, Order
from sandbox.journal import Journal
from sandbox.stripe import dump, rolling
from sandbox.stripe.conformance import Conformance
from sandbox.stripe.front import Front
from sandbox.stripe.resources import usage
from sandbox.stripe.resources.test_clocks import KIND
from sandbox.stripe.state import State
from sandbox.switches import WrongAnswer


class FaultOrder(AnyFault):
    """A fault to switch on."""

    kind: Kind
    customer: str | None = None
    method: Literal["GET", "POST", "DELETE"] | None = None
    param: str | None = Field(None, min_length=1)
    code: str | None = Field(None, min_length=1)
    message: str = Field(SENTENCE, min_length=1)

    @model_validator(mode="after")
    def _refuses(self) -> Self:
        more = {"method", "param", "code", "message"} & self.model_fields_set
        if more and self.kind != "refused":
            raise ValueError(f"must leave out {', '.join(sorted(more))}: only the kind refused answers by them")
        return self


class Limits(Order):
    """Account rate limits, in requests a second of real time."""

    requests_per_second: float | None = Field(None, gt=0)
    meter_events_per_second: float | None = Field(None, gt=0)


class Plant(Order):
    """Usage to change behind everybody's back, for tests of reconciliation."""

    action: Literal["extra", "drop", "double", "cancel"]
    identifier: str | None = Field(None, max_length=255)  # the event to double, drop or cancel
    customer: str | None = Field(None, max_length=255, pattern=r"^[!-~]+$")  # for extra
    event_name: str | None = Field(None, max_length=100, pattern=r"^[!-~]+$")
    value: Decimal = Field(Decimal(1), max_digits=15, decimal_places=12)
    timestamp: int | None = Field(None, ge=0, le=2**40)


class Keys(Order):
    """The API keys that are good from now on; none: any key that begins with sk_test_ or rk_test_."""

    keys: list[str] = Field(max_length=20)


class Roll(Order):
    """Whose signing secrets to roll, and how long the old ones go on signing (real time; Stripe: 24 h at most)."""

    url: str = Field(max_length=2048)
    overlap_s: float = Field(0, ge=0, le=86_400)


class Control:
    """The routes under /_sandbox."""

    def __init__(
        self,
        state: State,
        journal: Journal,
        faults: Faults,
        clockwork: Clockwork,
        conformance: Conformance | None,
        front: Front,
        reset: Callable[[], Awaitable[None]],
        *,
        follows: bool = False,
    ) -> None:
        self._follows = follows
        self._front = front
        self._state, self._journal, self._faults, self._reset = state, journal, faults, reset
        self._clockwork, self._conformance = clockwork, conformance
        self.router = APIRouter(prefix="/_sandbox", tags=["control"], responses=responses(400, 422))
        add = self.router.add_api_route
        self.floor = FloorControl(self.router, clock=clockwork, shown=state, faults=faults, follows=follows)
        add("/faults", self.add_fault, methods=["POST"])
        add("/limits", self.limits, methods=["POST"])
        add("/keys", self.keys, methods=["POST"])
        add("/answers", self.answers, methods=["GET"])
        add("/answers", self.turn_answers, methods=["POST"])
        add("/webhooks/roll", self.roll, methods=["POST"], responses=responses(404))
        add("/plant", self.plant, methods=["POST"], responses=responses(404))
        add("/dump", self.dump, methods=["GET"])
        add("/conformance", self.conformance, methods=["GET"], responses=responses(404))
        add("/reset", self.reset, methods=["POST"])

    async def add_fault(self, order: FaultOrder) -> dict[str, Any]:
        """Switch a fault on."""
        options = order.model_dump()
        refusal = Refusal(**{name: options.pop(name) for name in ("method", "param", "code", "message")})
        return self._faults.add(options.pop("kind"), refusal=refusal, **options).shown()

    async def limits(self, order: Limits) -> Limits:
        """Set rate limits; what is left out stays. The burst is one second's worth."""
        if order.requests_per_second is not None:
            self._front.requests = TokenBucket(order.requests_per_second, order.requests_per_second)
        if order.meter_events_per_second is not None:
            self._front.meter_events = TokenBucket(order.meter_events_per_second, order.meter_events_per_second)
        return Limits(
            requests_per_second=self._front.requests.rate, meter_events_per_second=self._front.meter_events.rate
        )

    @asks(KeyScope.ADMIN)
    async def keys(self, order: Keys) -> dict[str, int]:
        """Change the account's API keys, as the Dashboard does; requests under way are finished."""
        self._front.api_keys = frozenset(order.keys)
        return {"keys": len(order.keys)}

    async def answers(self) -> dict[str, str]:
        """Where the switches stand for what no text of Stripe decides."""
        return self._state.switches.shown()

    async def turn_answers(self, order: dict[str, str]) -> dict[str, str]:
        """Turn some switches; the others stay. In memory: a restart and a reset go back to the setting's."""
        try:
            self._state.switches = self._state.switches.turned(order)
        except WrongAnswer as wrong:
            raise Problem(400, "no_such_answer", str(wrong)) from None
        return self._state.switches.shown()

    @asks(KeyScope.ADMIN)
    async def roll(self, order: Roll) -> dict[str, list[str]]:
        """Give the endpoints of a URL new signing secrets, as the Dashboard does; events may be signed by both."""
        made = rolling.roll(self._state, order.url, expires_at=time.time() + order.overlap_s)
        if not made:
            raise Problem(404, "no_such_endpoint", "No webhook endpoint has this URL.", field="url")
        await self._journal.committed()
        return {"secrets": made}

    async def plant(self, order: Plant) -> dict[str, str]:
        """Change usage as no request would: an extra event, a doubled, a dropped, or one cancelled from outside."""
        if order.action == "extra":
            customer, event_name = order.customer or "", order.event_name or ""
            planted = usage.add_phantom(
                self._state,
                customer=customer,
                event_name=event_name,
                value=order.value,
                timestamp=self._state.account_now if order.timestamp is None else order.timestamp,
            )
            identifier = planted.identifier
        else:
            event = self._state.identifiers.get(order.identifier or "")
            if event is None:
                raise Problem(404, "no_such_event", "No meter event has this identifier.", field="identifier")
            identifier = event.identifier
            if order.action == "double":
                twin = usage.add_phantom(
                    self._state,
                    customer=event.customer,
                    event_name=event.event_name,
                    value=event.value,
                    timestamp=event.timestamp,
                )
                identifier = twin.identifier
            else:
                usage.discount(self._state, event, "dropped" if order.action == "drop" else "cancelled")
        self._clockwork.count()
        await self._journal.committed()
        return {"identifier": identifier}

    async def dump(self, customer: str | None = None) -> dict[str, Any]:
        """What the sandbox holds, flat, for verification."""
        self._clockwork.count()
        return dump.dump(self._state, customer)

    async def conformance(self) -> dict[str, Any]:
        """The operations seen and what did not hold against Stripe's OpenAPI document (SANDBOX_CHECK=1)."""
        if self._conformance is None:
            raise Problem(404, "not_checking", "Start the sandbox with SANDBOX_CHECK=1 to have it check.")
        return self._conformance.report()

    @asks(KeyScope.ADMIN)
    async def reset(self) -> dict[str, str]:
        """Forget everything, the clock too."""
        await self._reset()
        return {"status": "reset"}

    async def quiet(self, at: datetime) -> list[str]:
        """What is still to do up to an instant of business time."""
        state, waiting = self._state, []
        shown = None if state.shown_micros is None else from_micros(state.shown_micros)
        if (shown is None and self._follows) or (shown is not None and shown < at):
            waiting.append("business time")
        if state.waiting:
            waiting.append(f"{len(state.waiting)} meter events to count")
        if self._clockwork.refused:
            waiting.append(f"{len(self._clockwork.refused)} meter events to report")
        if any(body["status"] == "advancing" for body in state.objects[KIND].values()):
            waiting.append("a test clock")
        if state.under_way:
            waiting.append(f"{len(state.under_way)} webhooks to deliver")
        return waiting
