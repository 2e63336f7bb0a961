"""The route of whole contracts, many at once: decode, call a handler, encode; no rules."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from chassis.access import Who
from chassis.problems import responses
from contracts_service.agreements.agreeing import agree_on_all
from contracts_service.agreements.domain.as_version_1 import as_version_1
from contracts_service.agreements.domain.commands import Agree, Asked
from contracts_service.agreements.handlers import Carried
from contracts_service.parts import Parts, StoreOrProblem

MOST_AT_ONCE = 1000  # contracts of one request: its transaction stays short


class AgreeOnAll(Asked):
    """Whole contracts, of a customer each."""

    commands: tuple[Agree, ...] = Field(min_length=1, max_length=MOST_AT_ONCE)


class AgreedRow(BaseModel):
    """What became of one of them."""

    customer: str
    revision: int
    repeated: bool = Field(description="it was agreed before, and nothing was done")
    waits: str | None = Field(description="why it stays off the bus until readers bill version 2; null: it does not")


class AgreedAnswer(BaseModel):
    """What became of each, in the order of the request."""

    dry_run: bool
    contracts: list[AgreedRow]


class WholeApi:
    """The route, over these parts."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.router = APIRouter(prefix="/v1", dependencies=[Depends(parts.require_ready)], tags=["contracts"])
        statuses = responses(400, 409, 422, 503)
        self.router.add_api_route("/contracts", self.agree, methods=["POST"], responses=statuses)

    async def agree(
        self,
        body: AgreeOnAll,
        who: Who,
        dry_run: Annotated[bool, Query(description="only say what would become of each")] = False,
    ) -> AgreedAnswer:
        """Agree on whole contracts, all of them or none; what is agreed already is left as it is."""
        async with StoreOrProblem():
            carried = await agree_on_all(body.commands, by=who.name, dry_run=dry_run, parts=self._parts)
        return AgreedAnswer(dry_run=dry_run, contracts=[self._row(one) for one in carried])

    def _row(self, carried: Carried) -> AgreedRow:
        contract = carried.contract
        said = None if self._parts.settings.publish_version_2 else as_version_1(contract)
        return AgreedRow(
            customer=contract.customer,
            revision=contract.revision,
            repeated=carried.repeated,
            waits=said if isinstance(said, str) else None,
        )
