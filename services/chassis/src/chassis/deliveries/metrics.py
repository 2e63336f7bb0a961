"""The metrics of deliveries, the same for every door: each with its kind and meaning."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

PREFIX = "settled_deliveries_"

calls = Counter(
    PREFIX + "calls", "Calls to the far side, by act and by what the answer means.", ["destination", "act", "answer"]
)
settled = Counter(PREFIX + "settled", "Deliveries by the state in which they ended.", ["destination", "state"])
fenced = Counter(
    PREFIX + "fenced", "Answers that were not stored, since another replica has the lane.", ["destination"]
)
call_seconds = Histogram(
    PREFIX + "call_seconds",
    "Process time of a call.",
    ["destination", "act"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
depth = Gauge(PREFIX + "depth", "Deliveries that have not ended, and dead letters, by state.", ["destination", "state"])
oldest = Gauge(PREFIX + "oldest_open_seconds", "Process age of the oldest delivery that is open.", ["destination"])
waiting_for_parents = Gauge(
    PREFIX + "lanes_waiting_for_parents", "Records whose parents are not there yet.", ["destination"]
)
breaker_open = Gauge(PREFIX + "breaker_open", "1 while the circuit breaker is open or half open.", ["destination"])
