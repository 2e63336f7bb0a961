"""`GET /v1/catalogue`: meters, products, prices and coupons at Stripe, ours and others; it reads only."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from chassis import problems
from chassis.errors import TryLater
from chassis.problems import Problem
from invoicing_sync.contracts.domain.catalogued import Kind, Offered, Row, catalogued
from invoicing_sync.store import links
from invoicing_sync.store.pool import Pool
from invoicing_sync.stripe_door.door import StripeDoor
from invoicing_sync.stripe_door.errors import Refused

KINDS: tuple[Kind, ...] = ("meter", "product", "price", "coupon")


class OfferedAnswer(BaseModel):
    """One object at Stripe."""

    kind: Kind
    stripe_id: str
    name: str
    active: bool
    ours: bool = Field(description="the door made it, or took it over")
    item: str | None = Field(description="the meter or item that it stands for; null for what is not ours")
    edits: list[str] = Field(description="what a person changed on it, in words")


class CatalogueAnswer(BaseModel):
    """Everything that is sold at this account, by kind and name."""

    objects: list[OfferedAnswer]


class Catalogued:
    """The route, over database and door."""

    def __init__(self, pool: Pool, door: StripeDoor) -> None:
        self._pool, self._door = pool, door
        self.router = APIRouter(prefix="/v1", tags=["door"])
        self.router.add_api_route("/catalogue", self.catalogue, methods=["GET"], responses=problems.responses(503))

    async def catalogue(self) -> CatalogueAnswer:
        """What Stripe has to sell, and what a person changed on what is ours. Nothing is written."""
        made = {kind: {id_: key for key, id_ in (await links.ids(self._pool, kind)).items()} for kind in KINDS}
        rows: dict[Kind, list[Row]] = {}
        try:
            for kind in KINDS:
                rows[kind] = [row async for row in self._door.catalogue.all_of(kind)]
        except (TryLater, Refused):
            raise Problem(503, "stripe_away", "Stripe does not answer; ask again") from None
        return CatalogueAnswer(objects=[_shown(one) for one in catalogued(rows, made)])


def _shown(one: Offered) -> OfferedAnswer:
    return OfferedAnswer(
        kind=one.kind,
        stripe_id=one.stripe_id,
        name=one.name,
        active=one.active,
        ours=one.ours,
        item=one.item,
        edits=list(one.edits),
    )
