"""The topics of the bus: who writes and reads each, how it is keyed, how long it is kept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic's contract. `partitions` None means the installation's count (8 embedded, 64 elsewhere)."""

    name: str
    key: str
    owner: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    partitions: int | None = None
    compacted: bool = False
    personal_data: str = "identifiers only"


EVENTS_ACCEPTED = Topic(
    "events.accepted", "customer and subject", "usage-ingest", ("usage-ingest",), ("rating", "lake-bridge")
)
USAGE_RATED = Topic("usage.rated", "customer", "rating", ("rating",), ("invoicing-sync", "crm-bridge", "lake-bridge"))
USAGE_ALERTS = Topic("usage.alerts", "customer", "rating", ("rating",), ("crm-bridge", "console"), partitions=1)
RATING_PROGRESS = Topic(
    "rating.progress", "partition of events.accepted", "rating", ("rating",), ("invoicing-sync",), partitions=1
)
EVENTS_QUARANTINED = Topic(
    "events.quarantined", "source topic and partition", "usage-ingest", ("rating",), ("usage-ingest",), partitions=1
)
CONTRACTS = Topic(
    "contracts",
    "customer",
    "contracts",
    ("contracts",),
    ("usage-ingest", "rating", "invoicing-sync", "crm-bridge", "lake-bridge"),
    partitions=1,
    compacted=True,
    personal_data="names, addresses (e-mail, tax) and tax ids of customers; ids of those who agreed",
)
CONTRACT_CHANGES = Topic(
    "contract.changes",
    "customer",
    "contracts",
    ("contracts",),
    ("crm-bridge", "lake-bridge"),
    partitions=1,
    personal_data="ids of those who agreed, and their reasons",
)
STRIPE_EVENTS = Topic(
    "stripe.events",
    "Stripe object",
    "invoicing-sync",
    ("invoicing-sync",),
    ("crm-bridge", "tax-bridge", "erp-bridge", "lake-bridge"),
    personal_data="snapshots of Stripe objects: names and addresses of customers",
)

TOPICS = {
    topic.name: topic
    for topic in (
        EVENTS_ACCEPTED,
        USAGE_RATED,
        USAGE_ALERTS,
        RATING_PROGRESS,
        EVENTS_QUARANTINED,
        CONTRACTS,
        CONTRACT_CHANGES,
        STRIPE_EVENTS,
    )
}
