"""Every knob of Stripe's part, with its unit and its reason."""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator

from chassis.settings import read
from sandbox.floor_settings import FloorSettings
from sandbox.stripe.answers import Answers

SCHEMA = "sandbox"  # Stripe's part; with `_` and SANDBOX_NAME behind it where there is one


class Settings(FloorSettings):
    """Read once, in `app.py`; names are the upper-case field names. SANDBOX_DATABASE_URL wins over DATABASE_URL."""

    sandbox_api_keys: str = ""  # comma-separated; empty: any key that begins with sk_test_ or rk_test_
    sandbox_check: bool = False  # hold every request and answer against the OpenAPI document: GET /_sandbox/conformance
    sandbox_requests_per_second: float = Field(100.0, gt=0)  # Stripe's live limit for all but meter events (test: 25)
    sandbox_meter_events_per_second: float = Field(1000.0, gt=0)  # Stripe's own limit of meter events v1
    sandbox_processing_ms: int = Field(50, ge=0)  # a 2xx is not counted yet: events are counted after this long
    sandbox_report_ms: int = Field(500, ge=0)  # refused events are gathered this long into one thin error report
    sandbox_forget_s: float = Field(30, gt=0)  # how often answers older than a day are taken away
    sandbox_webhook_first_retry_ms: int = Field(200, ge=1)  # doubles at each retry; Stripe's are hours, in real time
    sandbox_webhook_longest_retry_ms: int = Field(5_000, ge=1)
    sandbox_webhook_tries: int = Field(12, ge=1)
    sandbox_webhook_timeout_ms: int = Field(10_000, ge=1)  # Stripe publishes none; integrators report 3 to 30 s
    sandbox_webhook_lanes: int = Field(8, ge=1)  # webhooks under way at once
    sandbox_stripe_answers: str = ""  # what no text of Stripe decides: name=value with commas, see stripe/answers.py

    @property
    def database_schema(self) -> str:
        """The schema of this account alone."""
        return f"{SCHEMA}_{self.sandbox_name}" if self.sandbox_name else SCHEMA

    @field_validator("sandbox_stripe_answers")
    @classmethod
    def _are_known(cls, text: str) -> str:
        Answers.read(text)
        return text

    @classmethod
    def load(cls) -> Self:
        """From the environment. Raises WrongSetting where one is missing or wrong."""
        return read(cls, "sandbox")
