"""Settings come from the environment alone, a missing one stops the start, and no secret shows."""

from __future__ import annotations

import os

import pytest
from pydantic import ValidationError

from chassis.settings import ServiceSettings


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*ServiceSettings.model_fields, "usage_ingest_database_url"):
        monkeypatch.delenv(name.upper(), raising=False)
    assert "DATABASE_URL" not in os.environ


def test_a_missing_setting_stops_the_start_and_is_named() -> None:
    with pytest.raises(ValidationError) as refused:
        ServiceSettings.load("rating")

    assert [error["loc"] for error in refused.value.errors()] == [("database_url",), ("kafka_bootstrap_servers",)]


def test_a_services_own_database_wins_over_the_common_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
    monkeypatch.setenv("DATABASE_URL", "postgresql://common")
    monkeypatch.setenv("USAGE_INGEST_DATABASE_URL", "postgresql://own")

    assert ServiceSettings.load("usage-ingest").database_url.get_secret_value() == "postgresql://own"
    assert ServiceSettings.load("rating").database_url.get_secret_value() == "postgresql://common"


def test_defaults_are_real_time_this_machine_and_sixty_four_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
    monkeypatch.setenv("DATABASE_URL", "postgresql://common")

    settings = ServiceSettings.load("rating")

    assert (settings.business_clock_url, settings.host, settings.port) == (None, "127.0.0.1", 0)
    assert (settings.log_level, settings.event_partitions) == ("INFO", 64)


def test_a_password_does_not_show_in_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:hunter2@127.0.0.1/settled")

    assert "hunter2" not in repr(ServiceSettings.load("rating"))


@pytest.mark.parametrize(("name", "value"), [("PORT", "65536"), ("PORT", "-1"), ("EVENT_PARTITIONS", "0")])
def test_a_setting_out_of_its_bounds_stops_the_start(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
    monkeypatch.setenv("DATABASE_URL", "postgresql://common")
    monkeypatch.setenv(name, value)

    with pytest.raises(ValidationError, match=name.lower()):
        ServiceSettings.load("rating")
