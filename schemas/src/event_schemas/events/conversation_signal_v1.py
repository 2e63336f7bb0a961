"""`conversation.signal`: one thing that happened in a conversation; never any text."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from event_schemas.events.envelope import Data, IdentifierText, ProductEnvelope, SlugText
from event_schemas.vocabulary import Channel, Flag, Intent
from event_schemas.wire import SignalName


class ConversationSignalData(Data):
    """Which optional field is needed depends on `signal`; none is taken where it has no meaning."""

    signal: SignalName
    intent: Intent | None = None
    channel: Channel = Channel.CHAT
    outcome_type: SlugText | None = None
    flag: Flag | None = None
    into: IdentifierText | None = None
    evidence: IdentifierText | None = None

    @model_validator(mode="after")
    def _fields_fit_the_signal(self) -> Self:
        if (self.intent is not None) != (self.signal == "customer_message"):
            raise ValueError("intent belongs to customer_message, and to it alone")
        if self.signal == "outcome_reached" and self.outcome_type is None:
            raise ValueError("outcome_reached names its outcome_type")
        if self.flag is not None and self.signal not in ("flagged", "cleared"):
            raise ValueError("flag belongs to flagged and cleared")
        if self.signal == "flagged" and self.flag is None:
            raise ValueError("flagged names its flag")
        if (self.into is not None) != (self.signal == "merged_into"):
            raise ValueError("into belongs to merged_into, and to it alone")
        return self


class ConversationSignalEvent(ProductEnvelope):
    """`subject` is the conversation."""

    type: Literal["conversation.signal"]
    data: ConversationSignalData
