"""Every metric of rating, with its meaning."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter("rating_events", "Events of committed batches by how they were used", ["result"])
ENTRIES = Counter("rating_entries", "Ledger entries appended", ["op"])
CONVERSATIONS = Counter("rating_decisions", "Conversations and records decided, by what asked for it", ["cause"])
BATCH_EVENTS = Histogram(
    "rating_batch_events", "Events per transaction", buckets=(1, 10, 50, 100, 250, 500, 1000, 2000, 4000)
)
TRANSACTION_S = Histogram(
    "rating_transaction_seconds",
    "From locking the partitions to the commit, by kind",
    ["kind"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
)
OWNED = Gauge("rating_partitions_owned", "Partitions that this process owns")
LAG = Gauge("rating_unread_events", "Events in the owned partitions behind next_offset, as of the last fetch")
UNPUBLISHED = Gauge("rating_unpublished_entries", "Entries committed here and not yet confirmed on usage.rated")
PUBLISH_S = Histogram(
    "rating_publish_seconds",
    "From a commit's hand-over to the broker's confirmation",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 20),
)
CONTRACTS_UNUSABLE = Gauge("rating_contracts_unusable", "Records of topic contracts that are no contract")
ALERTS = Counter("rating_alerts", "Crossings of thresholds and hard limits written down", ["kind", "state"])
STOPPED = Counter("rating_stopped", "Times the worker stopped by itself, by cause", ["why"])
