"""Settings come from the environment alone; a missing or wrong one stops the start with a sentence; no secret shows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chassis.errors import WrongSetting
from chassis.settings import ServiceSettings, told_plainly
from embedded_stack.authority import Authority

SECRET = "hunter2-hunter2"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*ServiceSettings.model_fields, "usage_ingest_database_url", "pgsslmode", "pgsslrootcert"):
        monkeypatch.delenv(name.upper(), raising=False)
    assert "DATABASE_URL" not in os.environ


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with all that must be there."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
    monkeypatch.setenv("DATABASE_URL", "postgresql://common")
    return monkeypatch


def refusal() -> str:
    with pytest.raises(WrongSetting) as refused:
        ServiceSettings.load("rating")
    return str(refused.value)


def test_a_missing_setting_stops_the_start_and_is_named() -> None:
    assert sorted(refusal().splitlines()) == ["DATABASE_URL is not set", "KAFKA_BOOTSTRAP_SERVERS is not set"]


def test_a_services_own_database_wins_over_the_common_one(given: pytest.MonkeyPatch) -> None:
    given.setenv("USAGE_INGEST_DATABASE_URL", "postgresql://own")

    assert ServiceSettings.load("usage-ingest").database_url.get_secret_value() == "postgresql://own"
    assert ServiceSettings.load("rating").database_url.get_secret_value() == "postgresql://common"


@pytest.mark.usefixtures("given")
def test_defaults_are_real_time_this_machine_plain_text_and_sixty_four_partitions() -> None:
    settings = ServiceSettings.load("rating")

    assert (settings.business_clock_url, settings.host, settings.port) == (None, "127.0.0.1", 0)
    assert (settings.log_level, settings.event_partitions) == ("INFO", 64)
    assert (settings.broker.protocol, settings.broker.trust, settings.broker.login) == ("PLAINTEXT", None, None)


def test_a_password_does_not_show_in_what_is_printed(given: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given.setenv("DATABASE_URL", f"postgresql://user:{SECRET}@127.0.0.1/settled")
    scram(given, tmp_path)

    settings = ServiceSettings.load("rating")

    assert settings.broker.aiokafka()["sasl_plain_password"] == SECRET
    assert SECRET not in repr(settings) + repr(settings.broker)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "65536", "PORT must be at most 65535"),
        ("PORT", "-1", "PORT must be at least 0"),
        ("PORT", "http", "PORT must be a whole number"),
        ("EVENT_PARTITIONS", "0", "EVENT_PARTITIONS must be at least 1"),
        (
            "KAFKA_SECURITY_PROTOCOL",
            "TLS",
            "KAFKA_SECURITY_PROTOCOL must be one of 'PLAINTEXT', 'SSL', 'SASL_PLAINTEXT' or 'SASL_SSL'",
        ),
    ],
)
def test_a_setting_out_of_its_bounds_stops_the_start(
    name: str, value: str, sentence: str, given: pytest.MonkeyPatch
) -> None:
    given.setenv(name, value)

    assert refusal() == sentence


def test_a_wrong_setting_ends_the_process_with_its_sentence_and_code_three(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, told_plainly():
        raise WrongSetting("PORT must be at least 0")

    assert ended.value.code == 3
    assert capsys.readouterr().err == "PORT must be at least 0\n"


def scram(given: pytest.MonkeyPatch, folder: Path) -> Authority:
    authority = Authority(folder)
    given.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    given.setenv("KAFKA_CA_FILE", str(authority.file))
    given.setenv("KAFKA_USERNAME", "door")
    given.setenv("KAFKA_PASSWORD", SECRET)
    return authority


class TestKafka:
    def test_both_client_libraries_are_told_the_same(self, given: pytest.MonkeyPatch, tmp_path: Path) -> None:
        authority = scram(given, tmp_path)

        broker = ServiceSettings.load("rating").broker
        aiokafka = broker.aiokafka()

        assert aiokafka.pop("ssl_context").check_hostname is True
        assert aiokafka == {
            "bootstrap_servers": "127.0.0.1:9092",
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": "door",
            "sasl_plain_password": SECRET,
        }
        assert broker.confluent() == {
            "bootstrap.servers": "127.0.0.1:9092",
            "security.protocol": "sasl_ssl",
            "ssl.ca.location": str(authority.file),
            "ssl.endpoint.identification.algorithm": "https",
            "sasl.mechanisms": "SCRAM-SHA-512",
            "sasl.username": "door",
            "sasl.password": SECRET,
        }

    @pytest.mark.parametrize("missing", ["KAFKA_USERNAME", "KAFKA_PASSWORD"])
    def test_a_login_is_whole(self, missing: str, given: pytest.MonkeyPatch, tmp_path: Path) -> None:
        scram(given, tmp_path)
        given.delenv(missing)

        assert refusal() == f"{missing} is not set: KAFKA_SECURITY_PROTOCOL is SASL_SSL"

    def test_a_password_is_not_sent_in_plain_text(self, given: pytest.MonkeyPatch, tmp_path: Path) -> None:
        scram(given, tmp_path)
        given.delenv("KAFKA_CA_FILE")
        given.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_PLAINTEXT")
        given.setenv("KAFKA_SASL_MECHANISM", "PLAIN")

        assert refusal() == "KAFKA_SASL_MECHANISM is PLAIN, which sends the password: it needs SASL_SSL"

    @pytest.mark.parametrize(
        ("protocol", "idle"),
        [("PLAINTEXT", "KAFKA_PASSWORD"), ("SSL", "KAFKA_USERNAME"), ("PLAINTEXT", "KAFKA_CA_FILE")],
    )
    def test_a_setting_that_nothing_reads_is_a_misunderstanding(
        self, protocol: str, idle: str, given: pytest.MonkeyPatch
    ) -> None:
        given.setenv("KAFKA_SECURITY_PROTOCOL", protocol)
        given.setenv(idle, SECRET)

        assert refusal() == f"{idle} is set and KAFKA_SECURITY_PROTOCOL is {protocol}, which uses none"

    def test_a_ca_file_must_be_there_and_hold_certificates(self, given: pytest.MonkeyPatch, tmp_path: Path) -> None:
        scram(given, tmp_path)
        given.setenv("KAFKA_CA_FILE", str(tmp_path / "none.pem"))
        absent = refusal()
        (tmp_path / "none.pem").write_text("no certificate")
        empty = refusal()

        assert absent == f"KAFKA_CA_FILE: {tmp_path}/none.pem is not a file that this process can read"
        assert empty == f"KAFKA_CA_FILE: {tmp_path}/none.pem holds no certificate in PEM form"

    def test_certificate_and_key_belong_together(self, given: pytest.MonkeyPatch, tmp_path: Path) -> None:
        authority = scram(given, tmp_path)
        one, other = authority.issue("one"), authority.issue("other")
        given.setenv("KAFKA_KEY_FILE", str(other.key))
        alone = refusal()
        given.setenv("KAFKA_CERT_FILE", str(one.certificate))
        unlike = refusal()

        assert alone == "KAFKA_KEY_FILE is set and KAFKA_CERT_FILE is not: set both or neither"
        assert unlike == (
            "KAFKA_CERT_FILE and KAFKA_KEY_FILE are not a certificate and its key, in PEM form and without a password: "
            f"{one.certificate}, {other.key}"
        )


class TestAccess:
    @pytest.mark.usefixtures("given")
    def test_without_a_file_of_keys_nobody_serves(self) -> None:
        with pytest.raises(WrongSetting) as refused:
            ServiceSettings.load("rating").key_file()

        assert str(refused.value) == (
            "ACCESS_KEYS_FILE is not set, and without keys nobody is let in: "
            "`python -m chassis keys create NAME` makes the file and a first key"
        )

    @pytest.mark.parametrize(
        ("host", "said", "opened"),
        [
            ("127.0.0.1", None, True),
            ("::1", None, True),
            ("0.0.0.0", None, False),
            ("127.0.0.1", "false", False),
            ("0.0.0.0", "true", True),
        ],
    )
    def test_metrics_are_open_on_loopback_alone_unless_a_setting_says_otherwise(
        self, host: str, said: str | None, opened: bool, given: pytest.MonkeyPatch
    ) -> None:
        given.setenv("HOST", host)
        if said is not None:
            given.setenv("METRICS_OPEN", said)

        assert ServiceSettings.load("rating").opens_metrics is opened

    def test_our_own_key_does_not_show_in_what_is_printed(self, given: pytest.MonkeyPatch) -> None:
        given.setenv("SERVICE_KEY", SECRET)

        settings = ServiceSettings.load("rating")

        assert settings.own_key().headers() == {"Authorization": f"Bearer {SECRET}"}
        assert SECRET not in repr(settings)


class TestDatabase:
    @pytest.mark.parametrize("mode", ["require", "prefer", "verify-ca", "VERIFY-FULL"])
    def test_only_full_verification_or_none_is_taken(self, mode: str, given: pytest.MonkeyPatch) -> None:
        given.setenv("DATABASE_URL", f"postgresql://user:{SECRET}@db:5432/settled?sslmode={mode}")

        assert refusal() == (
            f"DATABASE_URL: sslmode={mode} would take a stranger's certificate or plain text; write "
            "sslmode=verify-full and sslrootcert=FILE, or sslmode=disable on a network of your own"
        )

    def test_libpqs_variables_stand_for_what_the_url_does_not_say(self, given: pytest.MonkeyPatch) -> None:
        given.setenv("PGSSLMODE", "verify-full")
        given.setenv("PGSSLROOTCERT", "/none.pem")

        assert refusal() == "sslrootcert of DATABASE_URL: /none.pem is not a file that this process can read"

    def test_a_file_without_verification_is_a_misunderstanding(self, given: pytest.MonkeyPatch) -> None:
        given.setenv("DATABASE_URL", "postgresql://db/settled?sslrootcert=/ca.pem")

        assert refusal() == "DATABASE_URL: sslrootcert means nothing without sslmode=verify-full"

    def test_what_libpq_knows_and_we_do_not_is_refused(self, given: pytest.MonkeyPatch) -> None:
        given.setenv("DATABASE_URL", "postgresql://db/settled?sslmode=verify-full&sslcrl=/crl.pem")

        assert refusal() == "DATABASE_URL: sslcrl is not one of sslmode, sslrootcert, sslcert, sslkey"

    @pytest.mark.parametrize("sign", ["/", "#", "?"])
    def test_a_password_that_breaks_the_url_apart_does_not_show(self, sign: str, given: pytest.MonkeyPatch) -> None:
        given.setenv("DATABASE_URL", f"postgresql://user:hunter{sign}2@db:5432/settled")

        assert refusal() == (
            "DATABASE_URL must look like postgresql://user:password@host:port/name; "
            "in the password, write / as %2F, # as %23, ? as %3F and @ as %40"
        )
