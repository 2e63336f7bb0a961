"""Every knob of the sandbox, with its unit and its reason."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once, in `app.py`."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    database_url: SecretStr
    host: str = "127.0.0.1"
    port: int = Field(0, ge=0, le=65535)
    log_level: str = "INFO"
    sandbox_clock_start: str | None = None  # RFC 3339; unset and never advanced: business time is real time
    sandbox_requests_per_second: float = Field(100.0, gt=0)  # Stripe's live limit for all but meter events
    sandbox_meter_events_per_second: float = Field(1000.0, gt=0)  # Stripe's own limit of meter events v1
    sandbox_processing_ms: int = Field(50, ge=0)  # a 2xx is not counted yet: events are counted after this long
    sandbox_commit_ms: float = Field(2.0, ge=0)  # requests gathered into one commit
    sandbox_webhook_first_retry_ms: int = Field(200, ge=1)  # doubles at each retry; Stripe's are hours, in real time
    sandbox_webhook_tries: int = Field(12, ge=1)
