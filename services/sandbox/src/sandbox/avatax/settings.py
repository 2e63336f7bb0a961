"""Every knob of the AvaTax stand-in, with its unit and its reason."""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator

from chassis.settings import read
from sandbox.avatax.answers import Answers
from sandbox.floor_settings import FloorSettings

SCHEMA = "avatax_sandbox"  # with `_` and SANDBOX_NAME behind it where there is one


class Settings(FloorSettings):
    """Read once, in `app.py`; names are the upper-case field names. SANDBOX_DATABASE_URL wins over DATABASE_URL."""

    avatax_account_file: str  # YAML: account id, licence keys, companies; must be there when we serve
    avatax_requests_per_second: float = Field(50.0, gt=0)  # Avalara publishes no figure
    avatax_most_lines: int = Field(1000, ge=1)  # Avalara's default since March 2024
    avatax_force_timeout_ms: int = Field(30_000, ge=0)  # how long $include=ForceTimeout waits, as documented
    avatax_answers: str = ""  # what no text of Avalara decides: name=value with commas, see avatax/answers.py

    @property
    def database_schema(self) -> str:
        """The schema of this account alone."""
        return f"{SCHEMA}_{self.sandbox_name}" if self.sandbox_name else SCHEMA

    @field_validator("avatax_answers")
    @classmethod
    def _are_known(cls, text: str) -> str:
        Answers.read(text)
        return text

    @classmethod
    def load(cls) -> Self:
        """From the environment. Raises WrongSetting where one is missing or wrong."""
        return read(cls, "sandbox")
