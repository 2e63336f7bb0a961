"""The control paths that every stand-in has: business time and faults. No vendor has anything of the kind."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from chassis.problems import Problem, responses
from event_schemas.times import Instant, from_micros, iso
from sandbox.business_time import NeverBack, Steps
from sandbox.faults import Faults


class ClockAnswer(BaseModel):
    """Business time; `now` is null until it has been set, and the vendor's side goes by real time so long."""

    now: str | None
    version: int


class Order(BaseModel):
    """What a control path is told; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


class Advance(Order):
    """Where to move business time."""

    to: Instant


class AnyFault(Order):
    """A fault to switch on; a vendor's subclass closes the list of kinds."""

    kind: str
    path: str = ""
    count: int | None = Field(None, ge=1)
    probability: float = Field(1.0, ge=0, le=1)
    seed: int = 0
    duration_s: float | None = Field(None, gt=0)
    delay_ms: int = Field(1000, ge=0, le=600_000)


class ShownTime(Protocol):
    """Where business time stands: microseconds since 1970 of the last step that is done, None before the first."""

    @property
    def shown_micros(self) -> int | None:
        """None before the first step."""

    @property
    def clock_version(self) -> int:
        """Grows with each step."""


class FloorControl:
    """Adds its routes to a stand-in's router; the stand-in adds the route that switches a fault on, with its kinds."""

    def __init__(
        self, router: APIRouter, *, clock: Steps, shown: ShownTime, faults: Faults, follows: bool = False
    ) -> None:
        self._clock_work, self._shown, self._faults, self._follows = clock, shown, faults, follows
        add = router.add_api_route
        add("/clock", self.clock, methods=["GET"])
        add("/clock/advance", self.advance, methods=["POST"], responses=responses(409))
        add("/faults", self.list_faults, methods=["GET"])
        add("/faults", self.clear_faults, methods=["DELETE"])
        add("/faults/{id_}", self.clear_fault, methods=["DELETE"])

    async def clock(self, newer_than: int = -1, wait_s: Annotated[float, Query(ge=0, le=10)] = 0) -> ClockAnswer:
        """Business time, at once where its version is newer, else when it moves or the wait is over."""
        await self._clock_work.wait_for_version(newer_than, wait_s)
        return self._clock()

    async def advance(self, order: Advance) -> ClockAnswer:
        """Move business time forward and do what is due up to then; never back, nor where another owns it (409)."""
        if self._follows:
            raise Problem(409, "clock_of_another", "Another sandbox owns business time (SANDBOX_CLOCK_URL): move its.")
        try:
            await self._clock_work.advance(order.to)
        except NeverBack:
            raise Problem(409, "clock_never_goes_back", "Business time never goes back.", field="to") from None
        return self._clock()

    def _clock(self) -> ClockAnswer:
        micros = self._shown.shown_micros
        return ClockAnswer(now=None if micros is None else iso(from_micros(micros)), version=self._shown.clock_version)

    async def list_faults(self) -> list[dict[str, Any]]:
        """The faults that are switched on, and how often each has struck."""
        return [fault.shown() for fault in self._faults.active]

    def add_fault(self, order: AnyFault) -> dict[str, Any]:
        """Switch a fault on."""
        options = order.model_dump()
        return self._faults.add(options.pop("kind"), **options).shown()

    async def clear_faults(self) -> list[dict[str, Any]]:
        """Switch all faults off."""
        self._faults.remove()
        return await self.list_faults()

    async def clear_fault(self, id_: int) -> list[dict[str, Any]]:
        """Switch one fault off."""
        self._faults.remove(id_)
        return await self.list_faults()
