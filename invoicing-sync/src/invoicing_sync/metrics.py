"""The metrics of this service: each with its kind and meaning."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, Info

PREFIX = "settled_door_"

entries_stored = Counter(PREFIX + "entries_stored", "Ledger entries taken from usage.rated for the first time.")
of_other_doors = Counter(
    PREFIX + "entries_of_other_doors", "Entries of which no delivery is made: another door bills their customer."
)
door = Info(PREFIX + "door", "Which of several doors this is, and whose contracts are its own.")
calls = Counter(PREFIX + "stripe_calls", "Calls to Stripe, by what they do and how they ended.", ["call", "outcome"])
delivered = Counter(PREFIX + "settled_deliveries", "Deliveries by the state they settled in.", ["state"])
backlog = Gauge(PREFIX + "open_deliveries", "Deliveries that are pending, in flight or unclear.")
oldest = Gauge(PREFIX + "oldest_open_delivery_seconds", "Business age of the oldest open delivery that is due.")
lane_wait = Histogram(
    PREFIX + "lane_wait_seconds",
    "Process time from waking a lane to its claim.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60),
)
held = Gauge(PREFIX + "held_invoices", "Invoices that wait because Stripe's numbers and ours differ.")
finalised = Counter(
    PREFIX + "finalised_invoices", "Invoices issued by the gate: compared in both stages, then sent or charged."
)
open_cases = Gauge(PREFIX + "open_cases", "Cases that wait for a person.")
webhooks = Counter(PREFIX + "webhooks", "Webhooks by what became of them.", ["outcome"])
lost_webhooks = Counter(PREFIX + "lost_webhooks", "Events that only the sweep brought.")
