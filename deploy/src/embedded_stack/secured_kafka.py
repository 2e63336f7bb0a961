"""A broker for tests with a listener of each kind: plain text, TLS, TLS with client certificates, SCRAM, both."""

from __future__ import annotations

import shutil
import socket
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Literal

from embedded_stack import children
from embedded_stack.authority import Authority, Certificate
from embedded_stack.children import Child, StackError
from embedded_stack.java import Java
from embedded_stack.kafka import LOG4J

Listener = Literal["PLAIN", "TLS", "MUTUAL", "SCRAM", "SCRAM_TLS", "EXPIRED"]
_PROTOCOLS: dict[str, str] = {
    "PLAIN": "PLAINTEXT",
    "TLS": "SSL",
    "MUTUAL": "SSL",
    "SCRAM": "SASL_PLAINTEXT",
    "SCRAM_TLS": "SASL_SSL",
    "EXPIRED": "SSL",
    "CONTROLLER": "PLAINTEXT",
}
_SCRAM_MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


class SecuredKafka:
    """
    One broker whose certificate is made out to `localhost`, with one SCRAM-SHA-512 user.

    The plain listener is the brokers' own; a real cluster would not show it to anybody.
    """

    def __init__(self, folder: Path, authority: Authority, *, user: str, password: str) -> None:
        self._home, self.log = folder, folder / "kafka.log"
        self._java = Java(folder / "classes.list", heap="256m")
        self._user, self._password = user, password
        self._certificate = authority.issue("broker", hosts=["localhost"])
        self._old = authority.issue("broker-of-last-year", hosts=["localhost"], days=-1)
        self._authority = authority
        self._ports: dict[str, int] = {}
        self._child: Child | None = None

    def servers(self, listener: Listener, *, host: str = "localhost") -> str:
        """Bootstrap servers of a listener."""
        return f"{host}:{self._ports[listener]}"

    def start(self) -> None:
        """Format, start, and return when it listens. Raises StackError."""
        self._home.mkdir(parents=True, exist_ok=True)
        self._ports = {name: children.free_port() for name in _PROTOCOLS}
        (self._home / "log4j2.properties").write_text(LOG4J)
        properties = self._home / "server.properties"
        properties.write_text("".join(f"{key}={value}\n" for key, value in self._settings().items()))
        self._format(properties)
        options = (f"-Dlog4j2.configurationFile={self._home / 'log4j2.properties'}",)
        self._child = children.spawn(self._java.command("kafka.Kafka", str(properties), options=options), log=self.log)
        children.wait_until(self._silent, child=self._child, log=self.log, what="Kafka", within_s=90)

    def stop(self) -> None:
        """End it and take its data away."""
        if self._child is not None:
            children.stop(self._child, grace_s=30)
        shutil.rmtree(self._home / "data", ignore_errors=True)

    def _silent(self) -> str | None:
        try:
            socket.create_connection(("127.0.0.1", self._ports["PLAIN"]), timeout=1).close()
        except OSError as error:
            return str(error)
        return None

    def _format(self, properties: Path) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        user = f"SCRAM-SHA-512=[name={self._user},password={self._password}]"
        arguments = ("format", f"--cluster-id={cluster}", "-c", str(properties), "--add-scram", user)
        command = self._java.command("kafka.tools.StorageTool", *arguments, options=("-XX:TieredStopAtLevel=1",))
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise StackError(f"Kafka's storage could not be formatted:\n{done.stdout}{done.stderr}")

    def _settings(self) -> dict[str, str]:
        listeners = [f"{name}://127.0.0.1:{port}" for name, port in self._ports.items()]
        advertised = [f"{name}://localhost:{port}" for name, port in self._ports.items() if name != "CONTROLLER"]
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self._ports['CONTROLLER']}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAIN",
            "listeners": ",".join(listeners),
            "advertised.listeners": ",".join(advertised),
            "listener.security.protocol.map": ",".join(f"{name}:{kind}" for name, kind in _PROTOCOLS.items()),
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.scram.scram-sha-512.sasl.jaas.config": _SCRAM_MODULE,
            "listener.name.scram_tls.scram-sha-512.sasl.jaas.config": _SCRAM_MODULE,
            "listener.name.mutual.ssl.client.auth": "required",
            **_key_store("", self._store(self._certificate)),
            **_key_store("listener.name.expired.", self._store(self._old)),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self._authority.file),
            "log.dirs": str(self._home / "data"),
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "group.initial.rebalance.delay.ms": "0",
            "auto.create.topics.enable": "false",
            "log.cleaner.dedupe.buffer.size": "16777216",
            "num.network.threads": "1",
            "num.io.threads": "2",
        }

    def _store(self, certificate: Certificate) -> Path:
        store = certificate.certificate.with_suffix(".store")
        store.touch(mode=0o600)
        store.write_text(certificate.chain)
        return store


def _key_store(prefix: str, file: Path) -> dict[str, str]:
    return {f"{prefix}ssl.keystore.type": "PEM", f"{prefix}ssl.keystore.location": str(file)}
