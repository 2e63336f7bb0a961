"""All knobs of usage-ingest, each with its unit and the reason for its value."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.errors import WrongSetting
from chassis.settings import DatabaseSettings, ServiceSettings
from usage_ingest.seals import Seals

SERVICE = "usage-ingest"
SCHEMA = "ingest"
MIGRATIONS = Path(__file__).parent / "migrations"


class SealSettings(BaseSettings):
    """The keys under which the quarantine is sealed. No default: a 202 would promise what nobody keeps."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    quarantine_keys: SecretStr | None = None  # ID:KEY, several with commas: the first seals, all open
    quarantine_keys_file: str | None = None  # instead: one a line, read again while we run

    @model_validator(mode="after")
    def _keys_are_there(self) -> Self:
        try:
            self.seals()
        except WrongSetting as wrong:
            raise ValueError(str(wrong)) from None
        return self

    def seals(self) -> Seals:
        """The keys, ready to seal and open. Raises WrongSetting."""
        given = self.quarantine_keys.get_secret_value() if self.quarantine_keys else None
        return Seals(given, self.quarantine_keys_file)


class RenewSettings(DatabaseSettings, SealSettings):
    """What the `seals` commands read."""


class Settings(ServiceSettings, SealSettings):
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
    quarantine_content_days: int = Field(30, ge=1, le=3650)  # business time from the last delivery; then it is deleted
    prune_every_s: float = Field(60.0, gt=0)  # how often we look for contents whose time is over
