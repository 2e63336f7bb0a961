"""What the service reads from its environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from chassis.settings import ServiceSettings

SERVICE = "contracts"
SCHEMA = "contracts"
MIGRATIONS = Path(__file__).parent / "migrations"


class Settings(ServiceSettings):
    """What `serve` reads, beside what every service does."""

    publish_version_2: bool = True  # false while a reader of `contracts` cannot bill version 2: then it waits
    publish_every_s: float = Field(1.0, gt=0)  # a look for what another process has written; our own goes at once
    confirm_within_s: float = Field(12.0, gt=0)  # a broker's fail-over takes up to 9 s
    database_pool_size: int = Field(4, ge=2)  # one of them publishes
    topic_replication: int = Field(1, ge=1)  # for topics made at the start; 3 on a cluster
    stalled_after_s: float = Field(60.0, gt=0)  # liveness fails when work has stood still this long
