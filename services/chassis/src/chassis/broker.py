"""How every Kafka client of ours reaches the broker: one value, in the words of both client libraries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import SecretStr

from chassis.tls import Trust

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


@dataclass(frozen=True, slots=True)
class Login:
    """A user of the broker. SCRAM proves the password without sending it; PLAIN sends it, and so needs TLS."""

    mechanism: Mechanism
    username: str
    password: SecretStr


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is, whom we trust there and who we are. `trust` None is plain text, `login` None is nobody."""

    servers: str  # host:port, comma-separated
    trust: Trust | None = None
    login: Login | None = None

    @classmethod
    def of(cls, broker: Broker | str) -> Broker:
        """The broker itself; bare `host:port` is one in plain text that asks nobody who they are."""
        return cls(broker) if isinstance(broker, str) else broker

    @property
    def protocol(self) -> Protocol:
        """Kafka's word for it."""
        if self.login is None:
            return "SSL" if self.trust else "PLAINTEXT"
        return "SASL_SSL" if self.trust else "SASL_PLAINTEXT"

    def aiokafka(self) -> dict[str, Any]:
        """Arguments for aiokafka's clients. Raises WrongSetting where a certificate file cannot be used."""
        return {"bootstrap_servers": self.servers, **self.access()}

    def access(self) -> dict[str, Any]:
        """The same without the address, for a connection to one broker."""
        options: dict[str, Any] = {"security_protocol": self.protocol}
        if self.trust:
            options["ssl_context"] = self.trust.context()
        if self.login:
            options |= {
                "sasl_mechanism": self.login.mechanism,
                "sasl_plain_username": self.login.username,
                "sasl_plain_password": self.login.password.get_secret_value(),
            }
        return options

    def confluent(self) -> dict[str, str]:
        """Configuration for confluent-kafka's clients."""
        options = {"bootstrap.servers": self.servers, "security.protocol": self.protocol.lower()}
        if self.trust:
            files = {
                "ssl.ca.location": self.trust.ca_file,
                "ssl.certificate.location": self.trust.cert_file,
                "ssl.key.location": self.trust.key_file or self.trust.cert_file,
            }
            options |= {name: file for name, file in files.items() if file}
            options["ssl.endpoint.identification.algorithm"] = "https"
        if self.login:
            options |= {
                "sasl.mechanisms": self.login.mechanism,
                "sasl.username": self.login.username,
                "sasl.password": self.login.password.get_secret_value(),
            }
        return options
