"""What is given wins, a crash says where to look, and removing leaves nothing."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from embedded_stack import Stack, StackError, StackUrls

pytestmark = pytest.mark.integration


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    stack = Stack(tmp_path / "state", fsync=False)
    yield stack
    stack.stop(remove_state=True)


def test_what_the_environment_gives_is_not_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody@elsewhere/settled")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "elsewhere:9092")
    stack = Stack(tmp_path)
    before = len(psutil.Process().children(recursive=True))

    urls = stack.start()

    assert urls == StackUrls("postgresql://somebody@elsewhere/settled", "elsewhere:9092")
    assert [part["state"] for part in stack.status().values()] == ["given", "given"]
    assert len(psutil.Process().children(recursive=True)) == before
    stack.stop(remove_state=True)


def test_a_given_broker_wins_while_postgres_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "elsewhere:9092")
    stack = Stack(tmp_path / "state", fsync=False)
    try:
        urls = stack.start()
        status = stack.status()
    finally:
        stack.stop(remove_state=True)

    assert urls.kafka_bootstrap_servers == "elsewhere:9092"
    assert urls.database_url.startswith("postgresql://postgres@127.0.0.1:")
    assert (status["postgres"]["state"], status["kafka"]["state"]) == ("running", "given")


def test_a_server_that_cannot_start_names_its_log_and_what_it_said(fresh: Stack) -> None:
    fresh.postgres_only()
    fresh.stop()
    with (fresh.postgres._data / "postgresql.conf").open("a") as settings:
        settings.write("\nshared_sofas = 3\n")

    with pytest.raises(StackError) as failure:
        fresh.postgres_only()

    assert f"PostgreSQL died while starting. Log: {fresh.state_dir}/logs/postgres.log" in str(failure.value)
    assert 'unrecognized configuration parameter "shared_sofas"' in str(failure.value)


def test_a_broker_that_cannot_start_names_its_log_and_what_it_said(fresh: Stack) -> None:
    fresh.start()
    fresh.stop()
    (fresh.state_dir / "kafka" / "data" / "meta.properties").write_text("version=1\nnode.id=2\ncluster.id=other\n")

    with pytest.raises(StackError) as failure:
        fresh.start()

    assert f"Kafka died while starting. Log: {fresh.state_dir}/logs/kafka.log" in str(failure.value)
    assert "node id" in str(failure.value)


def test_a_port_that_somebody_else_has_taken_is_exchanged(fresh: Stack) -> None:
    fresh.postgres_only()
    before = fresh.postgres.url
    fresh.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(before.split(":")[2].split("/")[0])))
        other.listen()
        fresh.postgres_only()

        assert fresh.postgres.url != before


def test_a_cluster_whose_random_id_begins_with_a_dash_is_formatted(
    fresh: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(bytes=b"\xfb" * 16))  # one of 64 begins like an option

    fresh.start()

    assert fresh.kafka.not_ready() is None


def test_removing_the_state_leaves_no_file(fresh: Stack) -> None:
    fresh.postgres_only()
    data = fresh.postgres._data

    fresh.stop(remove_state=True)

    assert not data.exists()
    assert not fresh.state_dir.exists()
