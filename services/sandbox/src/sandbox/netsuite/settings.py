"""Every knob of the stand-in of NetSuite, with its unit and its reason."""

from __future__ import annotations

from typing import Self

from pydantic import Field, SecretStr, field_validator

from chassis.service_key import ServiceKey
from chassis.settings import AccessSettings, DatabaseSettings, read
from sandbox.netsuite.answers import Answers

SCHEMA = "sandbox_netsuite"  # with `_` and NETSUITE_NAME behind it where there is one


class Settings(DatabaseSettings, AccessSettings):
    """Read once, in `app.py`; names are the upper-case field names. NETSUITE_DATABASE_URL wins over DATABASE_URL."""

    log_level: str = "INFO"
    netsuite_name: str = Field("", pattern=r"^([a-z][a-z_]{0,20})?$")  # names the schema of one account of several
    netsuite_account: str = Field("TSTDRV1000001", pattern=r"^[A-Z0-9]+(_[A-Z0-9]+)?$")  # the realm of OAuth 1.0a
    netsuite_public_url: str | None = None  # as clients call us; unset: the Host header of each request
    netsuite_company_file: str | None = None  # JSON; unset: the example beside `company.py`
    netsuite_credentials_file: str | None = None  # JSON: certificates and tokens; unset: only what is set up later
    netsuite_concurrency: int = Field(5, ge=1, le=100)  # requests at once for the account; Standard tier and sandboxes
    netsuite_request_ms: int = Field(0, ge=0)  # how long each request takes at least; the real one takes 300 and more
    netsuite_most_lines: int = Field(200, ge=1)  # of a new record; Oracle's table for invoices and journals
    netsuite_timestamp_window_s: float = Field(300, gt=0)  # how far oauth_timestamp may be off, in real time
    netsuite_token_s: int = Field(3600, ge=1)  # life of an access token, in real time
    netsuite_commit_ms: float = Field(1.0, ge=0)  # requests gathered into one commit, beside the time of the last one
    netsuite_answers: str = ""  # what no text decides: name=value with commas, see answers.py
    sandbox_clock_url: str | None = None  # another sandbox's /_sandbox/clock: it owns business time, this one follows
    service_key: SecretStr | None = None  # by which we ask the owner of business time
    service_key_file: str | None = None  # instead: one key, read again while we run

    @property
    def database_schema(self) -> str:
        """The schema of this account alone."""
        return f"{SCHEMA}_{self.netsuite_name}" if self.netsuite_name else SCHEMA

    def own_key(self) -> ServiceKey:
        """The key by which we ask others. Raises WrongSetting where it is set twice or its file cannot be read."""
        return ServiceKey(self.service_key.get_secret_value() if self.service_key else None, self.service_key_file)

    @field_validator("netsuite_answers")
    @classmethod
    def _are_known(cls, text: str) -> str:
        Answers.read(text)
        return text

    @classmethod
    def load(cls) -> Self:
        """From the environment. Raises WrongSetting where one is missing or wrong."""
        return read(cls, "netsuite")
