"""The settings that every service has; each service adds its own to a subclass."""

from __future__ import annotations

import os
from typing import Self

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Read once from the environment, in `app.py`; names are the upper-case field names."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    database_url: SecretStr  # postgresql://user:password@host:port/name; <SERVICE>_DATABASE_URL wins over DATABASE_URL
    kafka_bootstrap_servers: str
    business_clock_url: str | None = None  # unset: business time is real time
    host: str = "127.0.0.1"
    port: int = Field(0, ge=0, le=65535)
    log_level: str = "INFO"
    event_partitions: int = Field(64, ge=1, le=1024)  # fixed when the topic is made; 8 in the embedded stack

    @classmethod
    def load(cls, service: str) -> Self:
        """Settings of `service`, such as `rating`. Raises ValidationError where one is missing from the environment."""
        own = os.environ.get(f"{service.upper().replace('-', '_')}_DATABASE_URL")
        return cls(**({"database_url": own} if own else {}))  # type: ignore[arg-type]
