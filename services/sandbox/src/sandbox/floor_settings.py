"""The settings that every stand-in has; each adds its own to a subclass."""

from __future__ import annotations

from pydantic import Field, SecretStr

from chassis.service_key import ServiceKey
from chassis.settings import AccessSettings, DatabaseSettings


class FloorSettings(DatabaseSettings, AccessSettings):
    """Where we listen, where the database is, whose business time goes."""

    log_level: str = "INFO"
    sandbox_name: str = Field("", pattern=r"^([a-z][a-z_]{0,29})?$")  # names the schema of one account of several
    sandbox_clock_url: str | None = None  # another sandbox's /_sandbox/clock: it owns business time, this one follows
    sandbox_clock_start: str | None = None  # RFC 3339; unset and never advanced: business time is real time
    sandbox_commit_ms: float = Field(1.0, ge=0)  # requests gathered into one commit, beside the time of the last one

    service_key: SecretStr | None = None  # by which we ask the owner of business time
    service_key_file: str | None = None  # instead: one key, read again while we run

    def own_key(self) -> ServiceKey:
        """The key by which we ask others. Raises WrongSetting where it is set twice or its file cannot be read."""
        return ServiceKey(self.service_key.get_secret_value() if self.service_key else None, self.service_key_file)
