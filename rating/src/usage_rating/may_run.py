"""Whether a customer's product may go on producing outcomes that are charged, from memory; and what was told so far."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from chassis.clock import Clock
from chassis.problems import Problem, responses
from event_schemas.times import to_micros
from event_schemas.values import decimal_text
from usage_rating.alerting import alert_of
from usage_rating.answers import CUSTOMER, SLUG
from usage_rating.contract_book import ContractBook
from usage_rating.domain.alerts import limit_at
from usage_rating.store.alerts import AlertStore
from usage_rating.watching import Board, Watch


class MeterLimit(BaseModel):
    """The hard limit of one meter in the running period, and how much of it is used."""

    meter: str
    used: str
    limit: int
    reached: bool


class MayRunAnswer(BaseModel):
    """
    `may_run` is false where a meter is at its limit: what it produces further is recorded and not charged.

    `limits` holds the meters that have one, in the billing period [`period_start`, `period_end`). What was charged
    before `as_of` (business time) is counted; null: nothing has been counted yet and nothing is limited. `stale` is
    true while counting stands still: then usage may be higher than `used`.
    """

    customer: str
    may_run: bool
    limits: list[MeterLimit]
    period_start: datetime
    period_end: datetime
    as_of: datetime | None
    stale: bool


class Alert(BaseModel):
    """One crossing, as it was told on `usage.alerts`."""

    customer: str
    meter: str
    kind: Literal["threshold", "limit"]
    units: int
    state: Literal["reached", "taken_back"]
    ordinal: int
    used: str
    period_start: datetime
    period_end: datetime
    counted_to: datetime | None
    contract_revision: int
    told_at: datetime


class AlertsAnswer(BaseModel):
    """A page of crossings in the order in which they were told; `next` is to be sent as `after`, null at the end."""

    alerts: list[Alert]
    next: int | None


class MayRun:
    """The routes about limits and alerts."""

    def __init__(self, board: Board, book: ContractBook, store: AlertStore, clock: Clock) -> None:
        self._board, self._book, self._store, self._clock = board, book, store, clock
        self.router = APIRouter(prefix="/v1", tags=["limits"])
        add = self.router.add_api_route
        add("/customers/{customer}/may-run", self.may_run, methods=["GET"], responses=responses(404, 422, 503))
        add("/alerts", self.alerts, methods=["GET"], responses=responses(422, 503))

    async def may_run(
        self,
        customer: Annotated[str, Path(pattern=CUSTOMER, description="The customer's id in Settled.")],
        meter: Annotated[str | None, Query(pattern=SLUG, description="This meter alone is to be judged.")] = None,
    ) -> MayRunAnswer:
        """May this customer run? From memory: ask before each piece of work, or every few seconds."""
        contract = self._book.contract(customer)
        if contract is None:
            sentence = f"customer {customer} has no contract here, so no limit is known"
            raise Problem(404, "unknown_contract", sentence, field="customer")
        now = self._clock.now()
        period = contract.period_of(now)
        limits = self._limits(self._book.watches.get(customer), period.start, now)
        if meter is not None:
            limits = [limit for limit in limits if limit.meter == meter]
        return MayRunAnswer(
            customer=customer,
            may_run=not any(limit.reached for limit in limits),
            limits=limits,
            period_start=period.start,
            period_end=period.end,
            as_of=self._board.as_of,
            stale=self._board.stale,
        )

    def _limits(self, watch: Watch | None, start: datetime, now: datetime) -> list[MeterLimit]:
        if watch is None:
            return []
        found: list[MeterLimit] = []
        for meter in watch.meters:
            limit = limit_at(watch.marks, meter, to_micros(now))
            if limit is None:
                continue
            if not self._board.knows(watch):
                sentence = f"usage of {watch.customer} is being counted for the first time; ask again"
                raise Problem(503, "not_counted_yet", sentence, headers={"Retry-After": "1"})
            used = self._board.used(watch.customer, meter, start)
            found.append(MeterLimit(meter=meter, used=decimal_text(used), limit=limit, reached=used >= limit))
        return found

    async def alerts(
        self,
        customer: Annotated[str | None, Query(pattern=CUSTOMER)] = None,
        after: Annotated[int, Query(ge=0, le=2**62, description="`next` of the page before.")] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> AlertsAnswer:
        """Which thresholds and limits were reached or taken back, the oldest first."""
        rows: list[Any] = await self._store.page(customer=customer, after=after, limit=limit + 1)
        page = [Alert(**alert_of(row), told_at=row["told_at"]) for row in rows[:limit]]
        return AlertsAnswer(alerts=page, next=rows[limit - 1]["number"] if len(rows) > limit else None)
