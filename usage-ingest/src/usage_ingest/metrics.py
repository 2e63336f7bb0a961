"""What usage-ingest counts, each with its kind and meaning."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter(
    "ingest_events_total", "Events answered, by status: accepted, quarantined, refused, not_stored", ["status"]
)
QUARANTINED = Counter("ingest_quarantined_total", "Deliveries put into the quarantine, by reason", ["reason"])
REQUESTS = Counter("ingest_requests_total", "Requests to POST /v1/events, by HTTP status", ["status"])
REQUEST_SECONDS = Histogram(
    "ingest_request_seconds",
    "From the request's headers to its answer, of POST /v1/events",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20),
)
OPEN_REQUESTS = Gauge("ingest_open_requests", "Requests to POST /v1/events that are being worked on")
WAITING_BYTES = Gauge("ingest_broker_waiting_bytes", "Bytes that wait for the broker's confirmation")
CUSTOMERS = Gauge("ingest_customers", "Customers in the register")
REPLAYED = Counter("ingest_replayed_total", "Quarantined events driven again, by result", ["status"])
RETURNS = Counter("ingest_returns_total", "Records that readers of the bus handed back, by reason", ["reason"])
ODD_CONTRACT_KEYS = Counter("ingest_odd_contract_keys_total", "Records on `contracts` whose key is no customer id")
