"""The file of keys: sound at the start, read again while it is used, its last good content kept, no secret in it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from chassis import key_file, watched
from chassis.__main__ import main
from chassis.errors import WrongSetting
from chassis.key_file import KeyFile, create_key, read_keys, revoke_key, rotate_key
from chassis.keyring import KeyRefused, KeyScope, new_secret
from chassis.service_key import ServiceKey
from chassis.testing import HouseKeys


@pytest.fixture(autouse=True)
def always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at files at each question instead of once a second."""
    monkeypatch.setattr(watched, "FRESH_S", -1.0)


@pytest.fixture
def keys(tmp_path: Path) -> HouseKeys:
    return HouseKeys(tmp_path)


def test_only_a_valid_secret_is_found(keys: HouseKeys, caplog: pytest.LogCaptureFixture) -> None:
    file = KeyFile(keys.file)

    found = file.find(keys.operate)

    assert found is not None
    assert (found.name, found.scope) == ("test-operate", KeyScope.OPERATE)
    assert file.find(keys.unknown) is None
    assert file.find(keys.expired) is None
    assert [record.__dict__["key"] for record in caplog.records] == ["test-expired"]


def test_a_new_a_rotated_and_a_revoked_key_act_while_the_file_is_used(keys: HouseKeys) -> None:
    file, made, rotated = KeyFile(keys.file), new_secret(), new_secret()

    create_key(keys.file, "late", KeyScope.READ, secret=made)
    assert file.find(made) is not None
    rotate_key(keys.file, "late", secret=rotated, overlap=timedelta(hours=1))
    assert file.find(made) is not None
    assert file.find(rotated) is not None
    revoke_key(keys.file, "late")
    assert file.find(made) is None
    assert file.find(rotated) is None
    assert file.find(keys.read) is not None


def test_a_new_secret_is_good_at_once_and_not_at_the_next_look(
    keys: HouseKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "FRESH_S", 3600.0)
    file, rotated = KeyFile(keys.file), new_secret()
    assert file.find(keys.read) is not None

    rotate_key(keys.file, "test-read", secret=rotated, overlap=timedelta(hours=1))

    assert file.find(rotated) is not None


@pytest.mark.parametrize("content", ["{", "", "\n"])
def test_a_broken_file_leaves_the_last_good_one_and_says_so_once(
    content: str, keys: HouseKeys, caplog: pytest.LogCaptureFixture
) -> None:
    file = KeyFile(keys.file)
    sound = keys.file.read_text()

    keys.file.write_text(content)
    assert file.find(keys.read) is not None
    assert file.find(keys.read) is not None
    assert [r.message for r in caplog.records if r.levelno == logging.ERROR] == [
        "the file of keys is broken; the last good one stays"
    ]
    keys.file.unlink()
    assert file.find(keys.read) is not None
    keys.file.write_text(sound)
    revoke_key(keys.file, "test-read")
    assert file.find(keys.read) is None


def test_a_start_needs_a_sound_file_that_only_its_owner_writes(keys: HouseKeys, tmp_path: Path) -> None:
    def refusal(change: Callable[[], object]) -> str:
        change()
        with pytest.raises(WrongSetting) as refused:
            KeyFile(keys.file)
        return str(refused.value).replace(str(tmp_path), "")

    assert refusal(lambda: keys.file.chmod(0o620)) == (
        "ACCESS_KEYS_FILE: others may write /keys.jsonl, so they could let themselves in: chmod 600"
    )
    keys.file.chmod(0o600)
    assert refusal(lambda: keys.file.write_text("{")) == "ACCESS_KEYS_FILE: /keys.jsonl: line 1 is no key"
    assert refusal(lambda: keys.file.write_bytes(b"\xff")) == "ACCESS_KEYS_FILE: /keys.jsonl: it is not UTF-8"
    assert refusal(lambda: keys.file.write_text("")).startswith("ACCESS_KEYS_FILE: /keys.jsonl holds no key")
    assert refusal(keys.file.unlink) == "ACCESS_KEYS_FILE: /keys.jsonl is not a file that this process can read"


class TestCommands:
    def test_a_key_is_made_rotated_and_revoked_and_its_secret_printed_once(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = str(tmp_path / "keys.jsonl")

        assert main(["keys", "create", "finance", "--scope", "operate", "--file", file]) == 0
        first = capsys.readouterr().out.strip()
        assert main(["keys", "rotate", "finance", "--overlap-hours", "1", "--file", file]) == 0
        second = capsys.readouterr().out.strip()
        assert main(["keys", "list", "--file", file]) == 0
        listed = capsys.readouterr().out

        assert first.startswith("stl_")
        assert second.startswith("stl_")
        assert len(listed.splitlines()) == 2
        for secret in (first, second):
            assert KeyFile(Path(file)).find(secret) is not None
            assert secret not in listed + Path(file).read_text()
        assert (tmp_path / "keys.jsonl").stat().st_mode & 0o777 == 0o600
        assert main(["keys", "revoke", "finance", "--file", file]) == 0
        assert KeyFile(Path(file)).find(second) is None

    def test_a_secret_can_go_into_a_file_of_its_own_instead(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ACCESS_KEYS_FILE", str(tmp_path / "keys.jsonl"))
        into = tmp_path / "service.key"

        assert main(["keys", "create", "services", "--into", str(into), "--json"]) == 0

        secret = into.read_text().strip()
        assert KeyFile(tmp_path / "keys.jsonl").find(secret) is not None
        assert secret not in capsys.readouterr().out
        assert into.stat().st_mode & 0o777 == 0o600
        assert ServiceKey(file=str(into)).headers() == {"Authorization": f"Bearer {secret}"}

    def test_a_refusal_is_a_sentence(
        self, keys: HouseKeys, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("ACCESS_KEYS_FILE", raising=False)

        assert main(["keys", "list"]) == 2
        assert main(["keys", "create", "test-read", "--file", str(keys.file)]) == 1
        assert main(["keys", "revoke", "nobody", "--file", str(keys.file)]) == 1
        keys.file.write_text("no key")
        assert main(["keys", "rotate", "test-read", "--file", str(keys.file)]) == 1

        assert capsys.readouterr().err.splitlines() == [
            "name the file of keys: --file, or ACCESS_KEYS_FILE",
            "there is a key named test-read already, or there was one: names are not used again",
            "there is no key named nobody",
            f"{keys.file}: line 1 is no key",
        ]

    def test_a_broken_file_is_not_written_over(self, keys: HouseKeys) -> None:
        keys.file.write_text("no key")

        with pytest.raises(KeyRefused):
            create_key(keys.file, "late", KeyScope.READ, secret=new_secret())

        assert keys.file.read_text() == "no key"
        with pytest.raises(KeyRefused, match="line 1"):
            read_keys(keys.file)
        assert key_file.read_keys(keys.file.with_name("none")) == ()


class TestServiceKey:
    def test_a_file_is_read_again_and_kept_while_it_is_away(self, tmp_path: Path) -> None:
        file = tmp_path / "service.key"
        file.write_text("stl_old\n")
        key = ServiceKey(file=str(file))

        file.write_text("stl_newer\n")
        assert key.headers() == {"Authorization": "Bearer stl_newer"}
        file.unlink()
        assert key.headers() == {"Authorization": "Bearer stl_newer"}

    def test_one_of_two_ways_or_none(self, tmp_path: Path) -> None:
        assert ServiceKey().headers() == {}
        assert ServiceKey("stl_x").headers() == {"Authorization": "Bearer stl_x"}
        with pytest.raises(WrongSetting, match="both set"):
            ServiceKey("stl_x", str(tmp_path))
        with pytest.raises(WrongSetting, match="not a file"):
            ServiceKey(None, str(tmp_path / "none"))
