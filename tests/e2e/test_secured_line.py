"""The whole line over TLS and SCRAM on both sides, and what its start says where a secret or a certificate is wrong."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest

from chassis.testing import HouseKeys
from embedded_stack.authority import Authority
from embedded_stack.secured_kafka import SecuredKafka
from embedded_stack.secured_postgres import SecuredPostgres, programs

pytestmark = pytest.mark.integration

KAFKA_PASSWORD, DATABASE_PASSWORD = "kafka-horse-battery", "database-horse-battery"
SETTLED = str(Path(sys.executable).parent / "settled")
SERVICES = ["usage_ingest", "usage_rating", "invoicing_sync"]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a line whose broker and database take TLS and SCRAM."""
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL server with TLS on this machine: apt-get install postgresql-15")
    folder = tmp_path_factory.mktemp("secured")
    authority = Authority(folder / "authority")
    kafka = SecuredKafka(folder / "kafka", authority, user="line", password=KAFKA_PASSWORD)
    postgres = SecuredPostgres(found, authority, password=DATABASE_PASSWORD)
    try:
        kafka.start()
        postgres.start()
        yield {
            **os.environ,
            **HouseKeys(folder).env,
            "DATABASE_URL": _database(postgres.port, authority, DATABASE_PASSWORD),
            "KAFKA_BOOTSTRAP_SERVERS": kafka.servers("SCRAM_TLS"),
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_CA_FILE": str(authority.file),
            "KAFKA_USERNAME": "line",
            "KAFKA_PASSWORD": KAFKA_PASSWORD,
            "STRIPE_API_KEY": "sk_test_unused",
            "QUARANTINE_KEYS": "unused:" + base64.b64encode(os.urandom(32)).decode(),
            "NO_COLOR": "1",
        }
    finally:
        postgres.stop()
        kafka.stop()


def _database(port: int, authority: Authority, password: str) -> str:
    tls = f"sslmode=verify-full&sslrootcert={quote(str(authority.file))}"
    return f"postgresql://settled:{password}@localhost:{port}/postgres?{tls}"


@pytest.mark.slow
def test_a_month_goes_through_without_a_difference_and_without_a_password_in_a_log(
    secured: dict[str, str], tmp_path: Path
) -> None:
    command = [SETTLED, "demo", "--customers", "3", "--conversations", "40", "--doors", "1", "--keep", "--json"]
    env = {**secured, "SETTLED_STATE": str(tmp_path / "out/demo/state")}
    try:
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=280, check=False)
    finally:
        subprocess.run([SETTLED, "down"], cwd=tmp_path, env=env, check=True, capture_output=True)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["differences"] == 0
    logs = "".join(file.read_text() for file in (tmp_path / "out/demo/state/logs").glob("*.log"))
    assert "usage-ingest" in logs
    for password in (KAFKA_PASSWORD, DATABASE_PASSWORD):
        assert password not in logs + done.stdout + done.stderr


def _start(module: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, "serve"]
    return subprocess.run(command, env=dict(env), capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("module", SERVICES)
def test_a_start_with_a_wrong_password_of_the_broker_ends_with_a_sentence(module: str, secured: dict[str, str]) -> None:
    migrated = subprocess.run([sys.executable, "-m", module, "migrate"], env=secured, capture_output=True, check=False)
    assert migrated.returncode == 0, migrated.stderr

    ended = _start(module, {**secured, "KAFKA_PASSWORD": "wrong-horse-battery"})

    assert ended.returncode == 3, ended.stdout + ended.stderr
    assert ended.stderr == (
        f"the broker at {secured['KAFKA_BOOTSTRAP_SERVERS']} refuses user line: "
        "look at KAFKA_USERNAME and KAFKA_PASSWORD\n"
    )
    assert "wrong-horse" not in ended.stdout


@pytest.mark.parametrize("module", [*SERVICES, "sandbox"])
def test_a_start_with_a_wrong_password_of_the_database_ends_with_a_sentence(
    module: str, secured: dict[str, str]
) -> None:
    url = secured["DATABASE_URL"].replace(DATABASE_PASSWORD, "wrong-horse-battery")

    ended = _start(module, {**secured, "DATABASE_URL": url})

    assert ended.returncode == 3, ended.stdout + ended.stderr
    assert "refuses user settled: look at user and password in DATABASE_URL" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert "wrong-horse" not in ended.stderr + ended.stdout


@pytest.mark.parametrize("module", [*SERVICES, "sandbox"])
def test_a_start_that_trusts_another_authority_ends_with_a_sentence(
    module: str, secured: dict[str, str], tmp_path: Path
) -> None:
    stranger = Authority(tmp_path)
    port = int(secured["DATABASE_URL"].partition("localhost:")[2].partition("/")[0])

    ended = _start(module, {**secured, "DATABASE_URL": _database(port, stranger, DATABASE_PASSWORD)})

    assert ended.returncode == 3, ended.stdout + ended.stderr
    assert "is signed by none of the authorities in sslrootcert of DATABASE_URL" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
