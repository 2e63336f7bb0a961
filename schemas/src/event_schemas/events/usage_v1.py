"""`usage`: any other metered quantity, such as SMS segments, messages or voice minutes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from event_schemas.events.envelope import Data, IdentifierText, ProductEnvelope, SlugText
from event_schemas.values import parse_decimal


class EventReferenceData(Data):
    """Another event, by its identity."""

    source: IdentifierText
    id: IdentifierText


class UsageData(Data):
    """`quantity` is a plain decimal string; `corrects` names the event whose quantity this one replaces."""

    meter: SlugText
    quantity: Annotated[str, Field(min_length=1, max_length=30)]
    corrects: EventReferenceData | None = None
    evidence: IdentifierText | None = None

    @field_validator("quantity")
    @classmethod
    def _plain_decimal(cls, text: str) -> str:
        parse_decimal(text)
        return text


class UsageEvent(ProductEnvelope):
    """`subject` is the product's own record."""

    type: Literal["usage"]
    data: UsageData
