"""The settings of the Stripe door, read once in `app.py`."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import Self

from pydantic import Field, SecretStr, model_validator

from chassis.errors import WrongSetting
from chassis.settings import ServiceSettings
from invoicing_sync.contracts.domain.issuers import Issuers, read_issuers
from invoicing_sync.contracts.domain.usage_lines import WaysOfUsage, read_usage_lines
from invoicing_sync.invoices.domain.freeze import Freeze, read_freeze
from invoicing_sync.stripe_door.client import Pace
from invoicing_sync.stripe_door.secrets import ApiKeys, Secrets
from invoicing_sync.usage.domain.routing import Limits

SERVICE = "invoicing-sync"
SCHEMA = "invoicing"  # with `_` and DOOR_NAME behind it where there is one


class Settings(ServiceSettings):
    """Every knob of the door. `_minutes`, `_hours`, `_days` are business time; `_s` and `_ms` are process time."""

    stripe_api_key: SecretStr | None = None  # one, or several with commas: the first that Stripe takes is used
    stripe_api_key_file: str | None = None  # instead: one a line, read again while we run
    stripe_base_url: str | None = None  # unset: Stripe itself; set: the sandbox or another stand-in
    stripe_webhook_secret: SecretStr | None = None  # of endpoints made by hand or rolled there; several with commas
    stripe_webhook_secret_file: str | None = None  # instead: one a line, read again while we run
    public_url: str | None = None  # where Stripe reaches this service; unset: no endpoint is made, the sweep must do
    instance_name: str = Field(default_factory=socket.gethostname)  # a restart under its name takes its lanes at once

    # One door for each account of Stripe.
    issuers: str = ""  # whose contracts are this door's own: settled-us, with commas between; empty: everybody's
    door_name: str = Field("", pattern=r"^([a-z][a-z_]{0,29})?$")  # names the schema of one door of several, for ever

    # Calls. The rates are divided over the live instances.
    meter_events_per_second: float = Field(1_000, gt=0)  # Stripe's live limit of v1 meter events; its sandbox: 25
    api_calls_per_second: float = Field(80, gt=0)  # all other calls; the live limit is 100, its sandbox's 25
    concurrent_calls: int = Field(32, ge=1, le=500)  # 8 to 40 fill the rate; more only costs connections
    call_timeout_s: float = Field(20, gt=0)  # no answer within this: the outcome is unclear
    connect_timeout_s: float = Field(5, gt=0)
    retry_base_s: float = Field(0.25, gt=0)  # first back-off, doubled with jitter up to retry_cap_s
    retry_cap_s: float = Field(20, gt=0)

    # Reading the bus.
    read_ms: int = Field(25, ge=0)  # the broker gathers records this long: each batch is a transaction and a wake-up

    # Lanes.
    lane_batch: int = Field(20, ge=1)  # deliveries of one lane whose intents are stored together
    lanes_at_once: int = Field(256, ge=1)  # lanes in work; each holds at most lane_batch deliveries in memory
    lease_s: float = Field(15, gt=1)  # a dead instance's lanes are taken over after this
    wake_ms: float = Field(10, ge=0)  # gathers what the consumer stored, so that intents are stored in bulk
    record_ms: float = Field(5, ge=0)  # gathers answers, so that results are stored in bulk
    scan_s: float = Field(1, gt=0)  # how often the table is searched for lanes that nobody woke

    # Rules of money, in business time.
    freeze_after_minutes: int = Field(30, ge=0, le=72 * 60)  # design rule 8; Stripe's own draft lasts an hour
    freeze_after: str = ""  # issuers that freeze otherwise: settled-us=72h, with commas between several
    usage_lines: str = "stripe"  # or explicit: Stripe counts at price zero, and the amounts are invoice items of ours
    keep_drafts: bool = True  # subscriptions keep their invoices as drafts, whoever is down; see decision 0012
    corrections_settle_h: float = Field(72, ge=0)  # business hours from a correction to the document that gathers it
    corrections_smallest_minor: int = Field(1, ge=1)  # what comes to less waits for more of the same period
    rating_idle_s: int = Field(60, ge=0)  # an idle partition says it has read up to this long ago
    resend_hours: float = Field(20, gt=0, le=24)  # Stripe remembers an identifier for 24 h: four hours of margin
    cancel_hours: float = Field(23, gt=0, le=24)  # an event can be cancelled for 24 h: one hour of margin
    oldest_days: float = Field(34.9, gt=0, le=35)  # Stripe takes timestamps 35 days back

    # Looking again.
    contracts_s: float = Field(2, gt=0)  # how often contracts whose time has come, or that failed, are looked for
    gate_s: float = Field(1, gt=0)  # how often periods are looked at when nothing wakes the gate
    recheck_s: float = Field(30, gt=0)  # how often a held invoice is compared again
    settle_s: float = Field(600, ge=0)  # so long Stripe may take to sum: a younger difference is no finding
    overdue_s: float = Field(600, ge=0)  # so long due work may wait its turn in a lane: younger is no finding
    sweep_s: float = Field(60, gt=0)  # how often Stripe's event list is read
    parallel_customers: int = Field(8, ge=1)  # customers whose contract, gate or reconciliation is worked on at once

    # Retention, in business time: what is older goes, unless an open period or an open case needs it.
    keep_events_days: int = Field(90, ge=35)  # Stripe lists its events for 30 days: younger ones would be read again
    keep_deliveries_days: int = Field(
        800, ge=100
    )  # after its period was finalised; no reconciliation goes further back
    keep_closed_cases_days: int = Field(800, ge=35)  # an audit of two years finds them
    prune_every_s: float = Field(3_600, gt=0)  # between two rounds
    prune_rows: int = Field(500, ge=1)  # in one transaction: some 10 ms
    prune_pause_s: float = Field(0.1, ge=0)  # between two transactions, and at least four times as long as one took

    # Webhooks.
    webhook_tolerance_s: int = Field(300, ge=1)  # Stripe's own; applied to the future as well
    webhook_max_bytes: int = Field(800_000, ge=1_000, le=800_000)  # a record of the bus takes 900,000 bytes

    @model_validator(mode="after")
    def _freezes_can_be(self) -> Self:
        try:
            _ = self.freeze
        except ValueError as wrong:
            raise ValueError(f"FREEZE_AFTER, FREEZE_AFTER_MINUTES: {wrong}") from None
        return self

    @model_validator(mode="after")
    def _usage_lines_can_be_read(self) -> Self:
        try:
            _ = self.ways_of_usage
        except ValueError as wrong:
            raise ValueError(f"USAGE_LINES: {wrong}") from None
        return self

    @model_validator(mode="after")
    def _issuers_can_be(self) -> Self:
        try:
            _ = self.own_issuers
        except ValueError as wrong:
            raise ValueError(f"ISSUERS: {wrong}") from None
        return self

    @model_validator(mode="after")
    def _secrets_are_there(self) -> Self:
        try:
            self.api_keys()
            self.webhook_secrets()
        except WrongSetting as wrong:
            raise ValueError(str(wrong)) from None
        return self

    def api_keys(self) -> ApiKeys:
        """The account's keys. Raises WrongSetting where there is none."""
        if not self._text(self.stripe_api_key) and not self.stripe_api_key_file:
            raise WrongSetting("STRIPE_API_KEY is not set: set it, or STRIPE_API_KEY_FILE")
        return ApiKeys(Secrets("STRIPE_API_KEY", self._text(self.stripe_api_key), self.stripe_api_key_file))

    def webhook_secrets(self) -> Secrets:
        """The secrets by which Stripe may sign, beside those of the endpoints that we made."""
        own = self._text(self.stripe_webhook_secret)
        return Secrets("STRIPE_WEBHOOK_SECRET", own, self.stripe_webhook_secret_file)

    @staticmethod
    def _text(secret: SecretStr | None) -> str | None:
        return secret.get_secret_value() if secret is not None else None

    @property
    def own_issuers(self) -> Issuers:
        """Whose contracts are this door's own; none: everybody's. Raises ValueError where it cannot be read."""
        return read_issuers(self.issuers)

    @property
    def database_schema(self) -> str:
        """The schema of this door alone, which its roles are named by."""
        return f"{SCHEMA}_{self.door_name}" if self.door_name else SCHEMA

    @property
    def service_name(self) -> str:
        """What this door is called in logs."""
        return f"{SERVICE}-{self.door_name}" if self.door_name else SERVICE

    @property
    def freeze(self) -> Freeze:
        """From a period's end to its freeze by issuer, in business time. Raises ValueError where it cannot be."""
        default = timedelta(minutes=self.freeze_after_minutes)
        return read_freeze(self.freeze_after, default=default, keeps_drafts=self.keep_drafts)

    @property
    def ways_of_usage(self) -> WaysOfUsage:
        """How the usage of new subscriptions comes onto invoices, by issuer. Raises ValueError where it cannot be."""
        return read_usage_lines(self.usage_lines)

    @property
    def limits(self) -> Limits:
        """Stripe's limits with our margins, in business time."""
        return Limits(
            resend_within=timedelta(hours=self.resend_hours),
            cancel_within=timedelta(hours=self.cancel_hours),
            oldest=timedelta(days=self.oldest_days),
        )

    @property
    def pace(self) -> Pace:
        """Time-outs, back-off and rates of the Stripe client, in process time."""
        return Pace(
            call_timeout_s=self.call_timeout_s,
            connect_timeout_s=self.connect_timeout_s,
            retry_base_s=self.retry_base_s,
            retry_cap_s=self.retry_cap_s,
            connections=self.concurrent_calls,
            calls_per_second=self.api_calls_per_second,
            meter_events_per_second=self.meter_events_per_second,
        )
