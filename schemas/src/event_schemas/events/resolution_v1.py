"""`resolution`: what a product that decides by itself reports of a conversation."""

from __future__ import annotations

from typing import Literal

from event_schemas.events.envelope import Data, IdentifierText, ProductEnvelope, SlugText
from event_schemas.vocabulary import Channel, ResolutionState


class ResolutionData(Data):
    """It charges where the contract says `decided_by: product`; elsewhere it is evidence."""

    state: ResolutionState
    outcome_type: SlugText = "resolution"
    channel: Channel = Channel.CHAT
    evidence: IdentifierText | None = None


class ResolutionEvent(ProductEnvelope):
    """`subject` is the conversation."""

    type: Literal["resolution"]
    data: ResolutionData
