"""The compose file runs every service of the line, shows no port to strangers and holds no secret."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
OURS = ["sandbox", "usage-ingest", "rating", "invoicing-sync", "contracts"]


def test_the_line_is_complete() -> None:
    assert set(SERVICES) == {*OURS, "keys", "kafka", "migrate", "postgres"}


@pytest.mark.parametrize("name", OURS)
def test_a_service_starts_after_the_migrations_without_privileges(name: str) -> None:
    service = SERVICES[name]

    assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", OURS)
def test_a_service_takes_the_keys_of_a_volume_that_it_cannot_write(name: str) -> None:
    service = SERVICES[name]

    assert service["environment"]["ACCESS_KEYS_FILE"] == "/keys/keys.jsonl"
    assert service["volumes"] == ["keys:/keys:ro"]
    assert SERVICES["keys"]["volumes"] == ["keys:/keys"]
    assert SERVICES["keys"]["profiles"] == ["tools"]


def test_every_port_is_open_to_this_machine_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert len(ports) == len(OURS)
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_password_comes_from_outside_and_must_be_set() -> None:
    lines = [line.strip() for line in TEXT.splitlines() if re.search("password", line, re.I) and "#" not in line]

    assert lines == [
        "PGPASSWORD: ${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD in .env}",
        "POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD in .env}",
    ]
    assert "@postgres:5432" in TEXT
    assert not re.search(r"postgresql://[^\s/@:]+:", TEXT)


def test_the_quarantines_keys_come_from_outside_and_only_their_service_has_them() -> None:
    having = [name for name, service in SERVICES.items() if "QUARANTINE_KEYS" in service.get("environment", {})]

    assert having == ["usage-ingest"]
    assert SERVICES["usage-ingest"]["environment"]["QUARANTINE_KEYS"].startswith("${QUARANTINE_KEYS:?")
    assert "QUARANTINE_KEYS=\n" in (ROOT / "deploy" / "env.example").read_text()


def test_the_image_runs_as_somebody_without_rights_and_tells_its_health() -> None:
    last_stage = (ROOT / "deploy" / "Dockerfile").read_text().rpartition("\nFROM ")[2]

    assert "\nUSER 10001:10001\n" in last_stage
    assert "\nHEALTHCHECK " in last_stage


@pytest.mark.parametrize("name", OURS)
def test_what_a_service_runs_is_in_the_image_and_migrated(name: str) -> None:
    """Its package is copied and installed, and so is each of our packages that it declares."""
    module, dockerfile = SERVICES[name]["command"][0], (ROOT / "deploy" / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (\S+) \1$", dockerfile, re.M)
    (home,) = [each for each in copied if (ROOT / each / "src" / module).is_dir()]
    declared = re.findall(r'"settled-([a-z-]+)"', (ROOT / home / "pyproject.toml").read_text())

    assert f"./{home} " in dockerfile or f"./{home}\n" in dockerfile
    assert {each.rpartition("/")[2] for each in copied} >= {*declared}
    assert f" {module}" in SERVICES["migrate"]["command"][0]


def test_the_image_runs_the_python_that_the_lock_file_was_made_for() -> None:
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()

    assert "ARG PYTHON_IMAGE=python:3.11-slim-bookworm" in dockerfile
    assert "PYTHON_IMAGE: ${PYTHON_IMAGE:-python:3.11-slim-bookworm}" in TEXT
