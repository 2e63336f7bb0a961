"""What `settled replay --set` makes of its values, and the key under which a line's quarantine is sealed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import typer

from settled_cli.fleet import Fleet, Plan
from settled_cli.inspection import _assignments
from usage_ingest.seals import Seals


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("data.intent=question", {"data.intent": "question"}),
        ("data.quantity=3", {"data.quantity": 3}),
        ('data.quantity="3"', {"data.quantity": "3"}),
        ("data.evidence=null", {"data.evidence": None}),
        ('data.corrects={"source":"a","id":"b"}', {"data.corrects": {"source": "a", "id": "b"}}),
        ("subject=a=b", {"subject": "a=b"}),
        ("time=2026-03-02T10:00:00Z", {"time": "2026-03-02T10:00:00Z"}),
        ("subject=", {"subject": ""}),
    ],
)
def test_a_value_is_json_where_it_is_json_and_else_a_text(text: str, meant: dict[str, object]) -> None:
    assert _assignments([text]) == meant


@pytest.mark.parametrize("texts", [["data.intent"], ["=question"], ["a=1", "a=2"]])
def test_what_is_no_assignment_is_wrong_usage(texts: list[str]) -> None:
    with pytest.raises(typer.Exit) as refused:
        _assignments(texts)

    assert refused.value.exit_code == 2


class TestTheKeyOfALine:
    @pytest.fixture(autouse=True)
    def bare_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("QUARANTINE_KEYS", raising=False)
        monkeypatch.delenv("QUARANTINE_KEYS_FILE", raising=False)

    def test_is_made_once_for_its_owner_alone_and_usage_ingest_takes_it(self, tmp_path: Path) -> None:
        file = Path(Fleet(tmp_path)._env(Plan())["QUARANTINE_KEYS_FILE"])
        first = file.read_text()

        again = Path(Fleet(tmp_path)._env(Plan())["QUARANTINE_KEYS_FILE"])

        assert again.read_text() == first
        assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
        assert len(Seals(None, str(file)).key_ids) == 1

    def test_is_not_made_where_the_environment_has_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("QUARANTINE_KEYS", "own:key")

        assert "QUARANTINE_KEYS_FILE" not in Fleet(tmp_path)._env(Plan())
