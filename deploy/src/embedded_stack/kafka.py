"""Apache Kafka (KRaft, one broker and controller) as a local process."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

import psutil
from aiokafka import AIOKafkaClient
from aiokafka.errors import KafkaError

from embedded_stack import children
from embedded_stack.children import Child, StackError
from embedded_stack.java import Java
from embedded_stack.probe import ask
from embedded_stack.state import StateFile

LOG4J = """\
status = error
appender.console.type = Console
appender.console.name = STDOUT
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = WARN
rootLogger.appenderRef.console.ref = STDOUT
"""


class Kafka:
    """One broker under the state folder, on ports that it keeps. `heap` as Java writes sizes."""

    name = "kafka"

    def __init__(self, state_dir: Path, state: StateFile, *, heap: str | None = None) -> None:
        self._state = state
        self._home = state_dir / "kafka"
        self._heap = heap or os.environ.get("SETTLED_KAFKA_HEAP", "512m")
        self._properties = self._home / "server.properties"
        self.log = state_dir / "logs" / "kafka.log"

    @property
    def bootstrap_servers(self) -> str:
        """host:port of the broker."""
        return f"127.0.0.1:{self._state.read()[self.name]['port']}"

    def start(self) -> None:
        """Start, or find again, and return when it answers a metadata request. Raises StackError."""
        child = self._state.child(self.name)
        if child is None or child.process() is None:
            child = self._found() or self._launch()
        children.wait_until(self.not_ready, child=child, log=self.log, what="Kafka", within_s=90)

    def stop(self) -> None:
        """Controlled shutdown; data is kept."""
        child = self._state.child(self.name)
        if child is not None:
            ran = child.process() is not None
            children.stop(child, grace_s=30)
            self._state.record(self.name, child=None)
            if ran and (self._home / "classes.list").exists():
                self._java().remember()

    def remove(self) -> None:
        """Take the data away; the broker must be stopped."""
        shutil.rmtree(self._home, ignore_errors=True)

    def not_ready(self) -> str | None:
        """Why it does not answer a metadata request; None when it does."""
        host, _, port = self.bootstrap_servers.partition(":")
        try:
            socket.create_connection(
                (host, int(port)), timeout=1
            ).close()  # far cheaper than a client, while it is down
        except OSError as error:
            return str(error)
        return ask(_silent(self.bootstrap_servers))

    def _java(self) -> Java:
        return Java(self._home / "classes.list", heap=self._heap)

    def _found(self) -> Child | None:
        """A broker of these settings that our records have lost."""
        for process in psutil.process_iter(["cmdline"]):
            if (process.info["cmdline"] or [""])[-1] == str(self._properties):
                child = Child.of(process)
                self._state.record(self.name, child=child)
                return child
        return None

    def _launch(self) -> Child:
        java = self._java()
        known = self._state.read().get(self.name, {})
        ports = {name: known.get(name) for name in ("port", "controller_port")}
        for name, port in ports.items():
            if port is None or not children.port_is_free(port):
                ports[name] = children.free_port()
        self._state.record(self.name, **ports)
        self._write_settings(ports["port"], ports["controller_port"])
        if not (self._home / "data" / "meta.properties").exists():
            self._format(java)
        options = (f"-Dlog4j2.configurationFile={self._home / 'log4j2.properties'}",)
        command = java.command("kafka.Kafka", str(self._properties), options=options, listing=True)
        child = children.spawn(command, log=self.log)
        self._state.record(self.name, child=child)
        return child

    def _format(self, java: Java) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        arguments = ("format", f"--cluster-id={cluster}", "-c", str(self._properties), "--ignore-formatted")
        command = java.command("kafka.tools.StorageTool", *arguments, options=("-XX:TieredStopAtLevel=1",))
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise StackError(f"Kafka's storage could not be formatted:\n{result.stdout}{result.stderr}")

    def _write_settings(self, port: int | None, controller: int | None) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        (self._home / "log4j2.properties").write_text(LOG4J)
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self._home / "data"),
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "offsets.topic.num.partitions": "4",
            "group.initial.rebalance.delay.ms": "0",
            "auto.create.topics.enable": "false",
            "log.retention.ms": "-1",
            "log.message.timestamp.after.max.ms": str(2**63 - 1),  # business time may run ahead of the broker's
            "log.cleaner.dedupe.buffer.size": "16777216",  # bytes of heap, by default 128 MiB
            "broker.heartbeat.interval.ms": "500",
            "broker.session.timeout.ms": "3000",  # a broker waits this long after kill -9 of its former self
            "num.network.threads": "2",
            "num.io.threads": "4",
        }
        self._properties.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))


async def _silent(bootstrap: str) -> str | None:
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=2000)
    try:
        await client.bootstrap()
    except (KafkaError, OSError) as error:
        return str(error) or type(error).__name__
    else:
        return None
    finally:
        await client.close()
