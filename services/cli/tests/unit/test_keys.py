"""`settled keys`, and the keys that `up` makes: on an earlier state too, and rotated without shutting us out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chassis.key_file import KeyFile, revoke_key
from chassis.keyring import KeyScope
from embedded_stack import StackError
from settled_cli import keys as keys_module
from settled_cli.fleet import CLI_KEY, SERVICE_KEY, Fleet
from settled_cli.main import app


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """A line whose keys are made and whose services are not started."""
    monkeypatch.delenv("ACCESS_KEYS_FILE", raising=False)
    monkeypatch.setattr(keys_module, "Fleet", lambda: Fleet(tmp_path))
    made = Fleet(tmp_path)
    made._ensure_keys()
    return made


def settled(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["keys", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def scope_of(fleet: Fleet, secret: str) -> KeyScope | None:
    key = KeyFile(fleet.keys_file).find(secret)
    return None if key is None else key.scope


def test_up_makes_a_key_for_itself_and_one_for_the_services_once(fleet: Fleet) -> None:
    before = fleet.access_key

    fleet._ensure_keys()

    service = (fleet.state / "service.key").read_text().strip()
    assert fleet.access_key == before
    assert (scope_of(fleet, before), scope_of(fleet, service)) == (KeyScope.ADMIN, KeyScope.READ)
    for name in ("credentials.json", "keys.jsonl", "service.key"):
        assert (fleet.state / name).stat().st_mode & 0o777 == 0o600
    assert not any(secret in fleet.keys_file.read_text() for secret in (before, service))


def test_a_state_from_before_keeps_its_senders_key_and_gets_the_new_ones(tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text(json.dumps({"api_key": "stl_earlier"}))
    fleet = Fleet(tmp_path)

    fleet._ensure_keys()

    assert fleet.api_key == "stl_earlier"
    assert scope_of(fleet, fleet.access_key) is KeyScope.ADMIN


def test_a_start_that_died_before_it_kept_the_secret_is_mended_by_the_next(fleet: Fleet) -> None:
    lost = fleet.access_key
    (fleet.state / "credentials.json").unlink()

    fleet._ensure_keys()

    assert scope_of(fleet, fleet.access_key) is KeyScope.ADMIN
    assert scope_of(fleet, lost) is None


def test_a_key_of_up_that_a_person_revoked_is_not_made_again_in_silence(fleet: Fleet) -> None:
    revoke_key(fleet.keys_file, CLI_KEY)
    (fleet.state / "credentials.json").unlink()

    with pytest.raises(StackError, match="settled-cli was revoked"):
        fleet._ensure_keys()


def test_before_up_a_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="`settled up` makes it"):
        _ = Fleet(tmp_path).access_key


def test_keys_are_made_rotated_listed_and_revoked(fleet: Fleet) -> None:
    first = settled("create", "finance", "--scope", "operate").strip()
    second = json.loads(settled("rotate", "finance", "--json"))["key"]
    listed = settled("list", "--json")

    assert [scope_of(fleet, secret) for secret in (first, second)] == [KeyScope.OPERATE] * 2
    assert [row["state"] for row in json.loads(listed) if row["name"] == "finance"] == ["valid", "valid"]
    assert first not in listed
    assert settled("revoke", "finance") == "finance is revoked\n"
    assert scope_of(fleet, second) is None


@pytest.mark.parametrize("name", [CLI_KEY, SERVICE_KEY])
def test_a_key_of_up_goes_on_with_its_new_secret_which_is_not_printed(name: str, fleet: Fleet) -> None:
    before = fleet.access_key, (fleet.state / "service.key").read_text()

    said = settled("rotate", name, "--overlap-hours", "0")

    after = fleet.access_key, (fleet.state / "service.key").read_text()
    assert said == f"{name} goes on with its new secret\n"
    assert after != before
    assert None not in [scope_of(fleet, secret.strip()) for secret in after]


@pytest.mark.usefixtures("fleet")
def test_wrong_words_are_wrong_usage_and_a_used_name_is_a_finding() -> None:
    run = CliRunner().invoke

    assert run(app, ["keys", "create", "x", "--scope", "root"]).exit_code == 2
    assert run(app, ["keys", "create", CLI_KEY]).exit_code == 1
