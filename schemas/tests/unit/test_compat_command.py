"""`compat` and `check` as CI runs them: against real commits, failing on a planted break and on a changed file."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from event_schemas import __main__ as command
from event_schemas.generation import write

USAGE = "jsonschema/usage.v1.schema.json"
Edit = Callable[[dict[str, Any]], object]


class History:
    """A repository of its own, whose earlier states hold other schemas than the models say."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "schemas"
        write(self.folder)
        self._git("init", "--quiet", "--initial-branch", "main")

    def commit(self, edit: Edit = lambda usage: None) -> str:
        """Commit the schemas of today with the usage event's edited; its id."""
        write(self.folder)
        path = self.folder / USAGE
        usage = json.loads(path.read_text())
        edit(usage)
        path.write_text(json.dumps(usage))
        self._git("add", ".")
        self._git("commit", "--quiet", "--allow-empty", "--message", "state")
        return self._git("rev-parse", "HEAD").strip()

    def remember_as_origin(self, commit: str) -> None:
        """Make `origin/main` point at a commit."""
        self._git("update-ref", "refs/remotes/origin/main", commit)

    def _git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *identity, *arguments], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    made = History(tmp_path)
    monkeypatch.setattr(command, "FOLDER", made.folder)
    return made


def data_of(usage: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = usage["$defs"]["UsageData"]
    return found


BROKEN_SINCE: dict[str, tuple[Edit, str]] = {
    "a field is gone": (
        lambda usage: data_of(usage)["properties"].update(unit={"type": "string"}),
        "$.data.unit: the field is gone (every reader would have to deploy first)",
    ),
    "a field is required now": (
        lambda usage: data_of(usage)["required"].remove("quantity"),
        "$.data.quantity: the field is required now (every writer would have to deploy first)",
    ),
    "a bound is tighter": (
        lambda usage: data_of(usage)["properties"]["quantity"].update(maxLength=40),
        "$.data.quantity: maxLength became 30, tighter than 40 (every writer would have to deploy first)",
    ),
    "a pattern changed": (
        lambda usage: data_of(usage)["properties"]["meter"].update(pattern="^.+$"),
        "$.data.meter: pattern became",
    ),
    "a type changed": (
        lambda usage: data_of(usage)["properties"]["quantity"].update(type="number"),
        "$.data.quantity: type number became string",
    ),
    "a constant changed": (
        lambda usage: usage["properties"]["specversion"].update(const="0.3"),
        "$.specversion: const '0.3' became '1.0'",
    ),
}


@pytest.mark.parametrize("kind", BROKEN_SINCE)
def test_a_planted_break_fails_and_is_named(kind: str, history: History, capsys: pytest.CaptureFixture[str]) -> None:
    edit, sentence = BROKEN_SINCE[kind]
    commit = history.commit(edit)

    assert command.compat([commit]) == 1

    assert sentence in capsys.readouterr().out


def test_a_schema_that_was_taken_away_fails(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    (history.folder / "jsonschema" / "gone.v1.schema.json").write_text("{}")
    commit = history.commit()

    assert command.compat([commit]) == 1

    assert "gone.v1.schema.json: gone since" in capsys.readouterr().out


def test_a_new_optional_field_passes_and_says_who_deploys_first(
    history: History, capsys: pytest.CaptureFixture[str]
) -> None:
    commit = history.commit(lambda usage: data_of(usage)["properties"].pop("evidence"))

    assert command.compat([commit]) == 0

    assert "$.data.evidence is new; its readers deploy first" in capsys.readouterr().out


def test_a_state_that_is_not_there_is_said_and_passes(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    history.commit()

    assert command.compat(["no-such-branch"]) == 0

    assert "no-such-branch: no such state" in capsys.readouterr().out


def test_a_branch_is_held_against_origins_main(history: History) -> None:
    main_branch = history.commit(BROKEN_SINCE["a field is gone"][0])
    history.remember_as_origin(main_branch)
    history.commit()

    assert command.default_refs() == [main_branch]
    assert command.compat(command.default_refs()) == 1


def test_on_main_itself_every_earlier_state_counts(history: History) -> None:
    """Compared with itself alone, the main branch could never fail."""
    first = history.commit(BROKEN_SINCE["a field is gone"][0])
    second = history.commit()
    history.remember_as_origin(second)

    assert command.default_refs() == [second, first]
    assert command.compat(command.default_refs()) == 1


def test_check_names_the_file_that_differs(
    history: History, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["event_schemas", "check"])
    assert command.main() == 0

    (history.folder / "topics" / "usage.rated.yaml").write_text("name: usage.rated\n")

    assert command.main() == 1
    assert "schemas/topics/usage.rated.yaml is not what the models say" in capsys.readouterr().out
