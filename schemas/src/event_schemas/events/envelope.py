"""The CloudEvents 1.0 attributes that every event of the bus carries."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from event_schemas.times import Instant

IdentifierText = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
CustomerText = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$")]
SlugText = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]


class Data(BaseModel):
    """Base of event data at the door: an unknown field is refused, so that no text can enter."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Fact(BaseModel):
    """Base of internal event data: readers ignore fields that they do not know."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Envelope(BaseModel):
    """CloudEvents 1.0, structured. Unknown extension attributes are ignored and not kept."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    specversion: Literal["1.0"]
    id: IdentifierText
    source: IdentifierText
    subject: IdentifierText
    time: Instant
    datacontenttype: Literal["application/json"] = "application/json"


class ProductEnvelope(Envelope):
    """What a product service sends: `customer` says whose; `receivedat` is set by usage-ingest alone."""

    customer: CustomerText
    receivedat: Instant | None = None
