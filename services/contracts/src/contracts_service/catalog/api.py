"""The routes of the catalogue: what is on offer, what applying a folder would change, and applying it."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from chassis.access import Who
from chassis.access_rules import asks
from chassis.keyring import KeyScope
from chassis.problems import Problem, responses
from contracts_service.catalog.domain.models import Catalog, content_of
from contracts_service.catalog.domain.versions import Comparison, applied, compare
from contracts_service.catalog.folder import CatalogRefused, read_document
from contracts_service.catalog.store import append_catalog, customers_by_use, lock, newest_catalog
from contracts_service.gaps import FAILPOINTS
from contracts_service.parts import Parts, StoreOrProblem, must_be_storable
from event_schemas.sentences import WORDS

log = logging.getLogger(__name__)

ActorText = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]
ReasonText = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=WORDS)]


class CatalogAnswer(BaseModel):
    """What is on offer, as a folder would say it. `number` grows with each apply that changes something."""

    number: int
    catalog: dict[str, Any]


class PlanRequest(BaseModel):
    """A whole catalogue: the sections of a folder in one document."""

    model_config = ConfigDict(extra="forbid")

    catalog: dict[str, Any]


class ApplyRequest(PlanRequest):
    """`number`: apply it only while the stored catalogue is still the one that you have planned against."""

    actor: ActorText
    reason: ReasonText
    number: int | None = Field(None, ge=0, le=2**31 - 1)


class DifferenceAnswer(BaseModel):
    """One entry that differs, in words."""

    section: str
    key: str
    what: str
    version: int
    sentence: str


class RefusalAnswer(BaseModel):
    """What cannot be done, and the way out."""

    code: str
    field: str
    sentence: str


class PlanAnswer(BaseModel):
    """What applying it changes; nothing can be applied while `refusals` has any."""

    number: int = Field(description="of the stored catalogue, after an apply of the new one")
    changes: list[DifferenceAnswer]
    unchanged: int
    refusals: list[RefusalAnswer]


class CatalogApi:
    """The routes, over these parts."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.router = APIRouter(prefix="/v1/catalog", dependencies=[Depends(parts.require_ready)], tags=["catalog"])
        add = self.router.add_api_route
        add("", self.show, methods=["GET"], responses=responses(503))
        add("/plan", self.plan, methods=["POST"], responses=responses(400, 422, 503))
        add("/apply", self.apply, methods=["POST"], responses=responses(400, 409, 422, 503))

    async def show(self) -> CatalogAnswer:
        """What is on offer now."""
        async with StoreOrProblem(), self._parts.engine.connect() as connection:
            kept = await newest_catalog(connection)
        return CatalogAnswer(number=kept.number, catalog=content_of(kept.offered()))

    @asks(KeyScope.READ)
    async def plan(self, wanted: PlanRequest) -> PlanAnswer:
        """What applying this catalogue would change. Nothing is written."""
        catalog = _sound(wanted.catalog)
        async with StoreOrProblem(), self._parts.engine.connect() as connection:
            kept = await newest_catalog(connection)
            found = compare(kept, catalog, await customers_by_use(connection))
        return _answer(kept.number, found)

    async def apply(self, wanted: ApplyRequest, who: Who) -> PlanAnswer:
        """Apply this catalogue, all of it or nothing. Applying it again changes nothing."""
        catalog, parts = _sound(wanted.catalog), self._parts
        async with StoreOrProblem(), parts.engine.begin() as connection:
            await lock(connection, "catalog")
            kept = await newest_catalog(connection)
            if wanted.number is not None and wanted.number != kept.number:
                sentence = f"the stored catalogue is number {kept.number}, and you planned against {wanted.number}"
                raise Problem(409, "catalog_moved", f"{sentence}; plan again", field="number")
            found = compare(kept, catalog, await customers_by_use(connection))
            if found.refusals:
                first, told = found.refusals[0], [asdict(flaw) for flaw in found.refusals]
                raise Problem(422, first.code, first.sentence, field=first.field, refusals=told)
            after = applied(kept, catalog)
            if after is not kept:
                who_and_why = {"actor": wanted.actor, "reason": wanted.reason, "asked_by": who.name}
                await append_catalog(connection, after, at=parts.clock.now(), **who_and_why)
        FAILPOINTS.reach("catalog.before-answer")
        log.info("catalogue applied", extra={"number": after.number, "changes": len(found.changes)})
        return _answer(after.number, found)


def _sound(document: dict[str, Any]) -> Catalog:
    """The catalogue of a document. Raises Problem 422 with every mistake."""
    must_be_storable(document)
    try:
        return read_document(document)
    except CatalogRefused as refused:
        told = [
            {"code": one.code, "field": _sendable(one.field), "sentence": _sendable(one.sentence)}
            for one in refused.mistakes
        ]
        count = f"{len(told)} mistake{'s' if len(told) > 1 else ''}"
        first = f"{told[0]['field']}: {told[0]['sentence']}" if told[0]["field"] else told[0]["sentence"]
        raise Problem(422, "catalog_refused", f"{count}: {first}", field="catalog", mistakes=told) from None


def _sendable(text: str) -> str:
    """A text that may hold names from outside, as UTF-8 can carry it."""
    return text.encode("utf-8", "replace").decode()


def _answer(number: int, found: Comparison) -> PlanAnswer:
    return PlanAnswer(
        number=number,
        changes=[DifferenceAnswer(**asdict(one)) for one in found.changes],
        unchanged=len(found.differences) - len(found.changes),
        refusals=[RefusalAnswer(**asdict(flaw)) for flaw in found.refusals],
    )
