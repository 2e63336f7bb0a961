"""All knobs of usage-ingest, each with its unit and the reason for its value."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from chassis.settings import ServiceSettings

SERVICE = "usage-ingest"
SCHEMA = "ingest"
MIGRATIONS = Path(__file__).parent / "migrations"


class Settings(ServiceSettings):
    """What `serve` reads from the environment; limits that senders rely on are in `domain.limits`, not here."""

    producer_linger_ms: float = Field(2.0, ge=0, le=100)  # gathers a batch; more adds latency and saves little CPU
    producer_waiting_bytes_max: int = Field(64_000_000, ge=1_000_000)  # beyond this, 503: memory stays bounded
    confirm_within_s: float = Field(12.0, gt=0)  # a broker's fail-over takes up to 9 s; then senders get their 503
    open_body_bytes_max: int = Field(64_000_000, ge=2_000_000)  # all request bodies together, while being read
    read_body_within_s: float = Field(10.0, gt=0)  # a sender that trickles its body must not hold a place for ever
    refresh_s: float = Field(1.0, gt=0)  # how soon a revoked key or a customer registered elsewhere is known here
    database_pool_size: int = Field(4, ge=1)  # only bad events and operators use the database
    topic_replication: int = Field(1, ge=1)  # for topics made at the start; 3 on a cluster
    stalled_after_s: float = Field(60.0, gt=0)  # liveness fails when work has stood still this long
