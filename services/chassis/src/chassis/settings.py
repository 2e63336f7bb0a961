"""The settings that every service has; each service adds its own to a subclass."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.broker import Broker, Login, Mechanism, Protocol
from chassis.database import Database
from chassis.errors import WrongSetting
from chassis.key_file import KeyFile
from chassis.service_key import ServiceKey
from chassis.tls import Trust
from event_schemas.sentences import sentence

EXIT_START_FAILED = 3

_Read = TypeVar("_Read", bound=BaseSettings)


def _sound(url: SecretStr) -> SecretStr:
    try:
        Database.of(url.get_secret_value())
    except WrongSetting as wrong:
        raise ValueError(str(wrong)) from None
    return url


class DatabaseSettings(BaseSettings):
    """Where PostgreSQL is."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    # postgresql://user:password@host:port/name?sslmode=verify-full&sslrootcert=FILE; see chassis.database
    database_url: Annotated[SecretStr, AfterValidator(_sound)]


class KafkaSettings(BaseSettings):
    """Where the broker is, whom we trust there, and who we are."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    kafka_bootstrap_servers: str
    kafka_security_protocol: Protocol = "PLAINTEXT"
    kafka_ca_file: str | None = None  # PEM; unset: the authorities that this machine trusts
    kafka_cert_file: str | None = None  # PEM, for a broker that asks for a client certificate
    kafka_key_file: str | None = None
    kafka_sasl_mechanism: Mechanism = "SCRAM-SHA-512"
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None

    @model_validator(mode="after")
    def _sound_broker(self) -> Self:
        try:
            if trust := self.broker.trust:
                trust.context()
        except WrongSetting as wrong:
            raise ValueError(str(wrong)) from None
        return self

    @property
    def broker(self) -> Broker:
        """The one value that every Kafka client takes. Raises WrongSetting where settings contradict each other."""
        says = f"KAFKA_SECURITY_PROTOCOL is {self.kafka_security_protocol}"
        tls, sasl = self.kafka_security_protocol.endswith("SSL"), self.kafka_security_protocol.startswith("SASL")
        self._refuse_idle(f"{says}, which uses none", tls=tls, sasl=sasl)
        login = None
        if sasl:
            if not self.kafka_username or self.kafka_password is None or not self.kafka_password.get_secret_value():
                missing = "KAFKA_PASSWORD" if self.kafka_username else "KAFKA_USERNAME"
                raise WrongSetting(f"{missing} is not set: {says}")
            if self.kafka_sasl_mechanism == "PLAIN" and not tls:
                raise WrongSetting("KAFKA_SASL_MECHANISM is PLAIN, which sends the password: it needs SASL_SSL")
            login = Login(self.kafka_sasl_mechanism, self.kafka_username, self.kafka_password)
        return Broker(self.kafka_bootstrap_servers, self._trust() if tls else None, login)

    def _refuse_idle(self, why: str, *, tls: bool, sasl: bool) -> None:
        """A setting that nothing reads is a misunderstanding: somebody believes that the line is closed."""
        idle = {} if sasl else {"KAFKA_USERNAME": self.kafka_username, "KAFKA_PASSWORD": self.kafka_password}
        if not tls:
            idle |= {"KAFKA_CA_FILE": self.kafka_ca_file, "KAFKA_CERT_FILE": self.kafka_cert_file}
        for name in (name for name, value in idle.items() if value):
            raise WrongSetting(f"{name} is set and {why}")

    def _trust(self) -> Trust:
        return Trust(
            ca_file=self.kafka_ca_file,
            cert_file=self.kafka_cert_file,
            key_file=self.kafka_key_file,
            ca_setting="KAFKA_CA_FILE",
            cert_setting="KAFKA_CERT_FILE",
            key_setting="KAFKA_KEY_FILE",
        )


class AccessSettings(BaseSettings):
    """Where we listen, and whose keys open our routes."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: int = Field(0, ge=0, le=65535)
    access_keys_file: str | None = None  # made by `settled keys`; must be there when we serve
    metrics_open: bool | None = None  # whether /metrics takes no key; unset: only where we listen on loopback alone

    def key_file(self) -> KeyFile:
        """The house's keys. Raises WrongSetting where the file is not named, not there, or not sound."""
        if not self.access_keys_file:
            how = "`python -m chassis keys create NAME` makes the file and a first key"
            raise WrongSetting(f"ACCESS_KEYS_FILE is not set, and without keys nobody is let in: {how}")
        return KeyFile(Path(self.access_keys_file))

    @property
    def opens_metrics(self) -> bool:
        """Whether anybody who reaches us may read /metrics."""
        return self.host in _LOOPBACK if self.metrics_open is None else self.metrics_open


_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class ServiceSettings(DatabaseSettings, KafkaSettings, AccessSettings):
    """Read once from the environment, in `app.py`; names are the upper-case field names."""

    business_clock_url: str | None = None  # unset: business time is real time
    service_key: SecretStr | None = None  # by which we ask its owner
    service_key_file: str | None = None  # instead: one key, read again while we run
    log_level: str = "INFO"
    event_partitions: int = Field(64, ge=1, le=1024)  # fixed when the topic is made; 8 in the embedded stack

    @classmethod
    def load(cls, service: str) -> Self:
        """Settings of `service`, such as `rating`. Raises WrongSetting as `read` does."""
        return read(cls, service)

    def own_key(self) -> ServiceKey:
        """The key by which we ask others. Raises WrongSetting where it is set twice or its file cannot be read."""
        given = self.service_key.get_secret_value() if self.service_key is not None else None
        return ServiceKey(given, self.service_key_file)


def read(settings: type[_Read], service: str, **given: Any) -> _Read:
    """
    Settings of a service from the environment; `<SERVICE>_DATABASE_URL` wins over `DATABASE_URL`.

    Raises:
        WrongSetting: one is missing or wrong; a sentence for each, with its name and never with its value.
    """
    own = os.environ.get(f"{service.upper().replace('-', '_')}_DATABASE_URL")
    if own and "database_url" in settings.model_fields:
        given["database_url"] = own
    try:
        return settings(**given)
    except ValidationError as error:
        raise WrongSetting("\n".join(_told(fault) for fault in error.errors(include_input=False))) from None


def _told(fault: Any) -> str:
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])  # a check of ours, which names the settings that it is about
    return sentence(fault, name=str(fault["loc"][0]).upper(), missing="is not set")


@contextmanager
def told_plainly() -> Iterator[None]:
    """End the process with a sentence on standard error, and code 3, where a setting is wrong."""
    try:
        yield
    except WrongSetting as wrong:
        sys.stderr.write(f"{wrong}\n")
        raise SystemExit(EXIT_START_FAILED) from None
