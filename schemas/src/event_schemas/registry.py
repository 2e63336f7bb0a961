"""Which event travels on which topic, as which version of which model."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from event_schemas import topics
from event_schemas.events.contract_change_v1 import ContractChangeEvent
from event_schemas.events.contract_v1 import ContractEvent
from event_schemas.events.contract_v2 import ContractEventV2
from event_schemas.events.conversation_signal_v1 import ConversationSignalEvent
from event_schemas.events.event_quarantined_v1 import EventQuarantinedEvent
from event_schemas.events.rating_progress_v1 import RatingProgressEvent
from event_schemas.events.resolution_v1 import ResolutionEvent
from event_schemas.events.stripe_event_v1 import StripeEventEvent
from event_schemas.events.usage_alert_v1 import UsageAlertEvent
from event_schemas.events.usage_rated_v1 import UsageRatedEvent
from event_schemas.events.usage_v1 import UsageEvent
from event_schemas.topics import Topic


@dataclass(frozen=True, slots=True)
class EventType:
    """One event type: its name on the wire, its version, its model and the topics that carry it."""

    name: str
    version: int
    model: type[BaseModel]
    topics: tuple[Topic, ...]

    @property
    def message(self) -> str:
        """Its name in the AsyncAPI document: that of the type, with the version from 2 on."""
        return self.name if self.version == 1 else f"{self.name}.v{self.version}"

    @property
    def schema_file(self) -> str:
        """File name of its JSON Schema."""
        return f"{self.name}.v{self.version}.schema.json"


EVENT_TYPES = (
    EventType("conversation.signal", 1, ConversationSignalEvent, (topics.EVENTS_ACCEPTED,)),
    EventType("resolution", 1, ResolutionEvent, (topics.EVENTS_ACCEPTED,)),
    EventType("usage", 1, UsageEvent, (topics.EVENTS_ACCEPTED,)),
    EventType("contract", 1, ContractEvent, (topics.CONTRACTS,)),
    EventType("contract", 2, ContractEventV2, (topics.CONTRACTS,)),
    EventType("contract.change", 1, ContractChangeEvent, (topics.CONTRACT_CHANGES,)),
    EventType("usage.rated", 1, UsageRatedEvent, (topics.USAGE_RATED,)),
    EventType("usage.alert", 1, UsageAlertEvent, (topics.USAGE_ALERTS,)),
    EventType("rating.progress", 1, RatingProgressEvent, (topics.RATING_PROGRESS,)),
    EventType("event.quarantined", 1, EventQuarantinedEvent, (topics.EVENTS_QUARANTINED,)),
    EventType("stripe.event", 1, StripeEventEvent, (topics.STRIPE_EVENTS,)),
)
