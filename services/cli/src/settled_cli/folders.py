"""
Folders that a command of ours makes, and may therefore take away again: marked, and never while something runs there.

The mark is a file that says which command made the folder. A folder without it is somebody else's: it is neither
emptied nor removed, whatever its name. While a command works in its folder it holds a lock on the mark.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from embedded_stack import Stack
from embedded_stack.processes import Services
from event_schemas.times import iso

MARK = ".made-by-settled.json"
STATE = "state"  # where a line keeps its data below the folder of a demo, of faults, of a benchmark
# What a line writes into its state folder. One that holds nothing else was made by a line before there were marks.
_OF_A_LINE = {"stack.json", "services.json", "plan.json", "credentials.json", "postgres", "kafka"}
_TRACES = {"command.lock", "stack.lock", "services.lock", "postgres-home"}  # of a look at a line that is not there
_OF_A_LINE |= _TRACES | {"logs", "stack.draft", "services.draft"}
_OF_A_LINE |= {"keys.jsonl", "keys.jsonl.lock", "service.key"}


class FolderRefused(Exception):
    """The folder is in use or is not ours; nothing was touched. The message says what to do."""


def mark(folder: Path, command: str) -> None:
    """
    Make a folder and say which command made it; harmless when it is marked already.

    Raises:
        FolderRefused: it holds files of somebody else.
    """
    if (folder / MARK).exists():
        return
    if folder.exists() and not {each.name for each in folder.iterdir()} <= _OF_A_LINE:
        raise FolderRefused(
            f"{_named(folder)} holds files that settled has not made: name a folder of its own, new or empty"
        )
    folder.mkdir(parents=True, exist_ok=True)
    _write_mark(folder, command)


def _write_mark(folder: Path, command: str) -> None:
    facts = {"made_by": command, "at": iso(datetime.now(UTC)), "removed_by": "settled clean"}
    (folder / MARK).write_text(json.dumps(facts, indent=2) + "\n")


def made_by(folder: Path) -> str | None:
    """The command that made a folder; None where it bears no mark of ours."""
    try:
        facts: dict[str, Any] = json.loads((folder / MARK).read_text())
        return str(facts["made_by"])
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError, KeyError, TypeError):
        return None


def running_in(state: Path) -> list[str]:
    """The parts of a line that run now and keep their data in this state folder."""
    if not _holds_a_line(state):
        return []
    stack = {name for name, part in Stack(state).status().items() if part["pid"] is not None}
    return sorted([*stack, *Services(state, {}).running()])


def must_be_ours(folder: Path) -> None:
    """Raises FolderRefused where a folder has something in it and bears no mark of ours."""
    if folder.is_dir() and made_by(folder) is None and not {each.name for each in folder.iterdir()} <= _TRACES:
        raise FolderRefused(
            f"{_named(folder)} bears no mark of settled ({MARK}), so it is not taken away:"
            " look at what it holds, and move or remove it yourself"
        )


@contextmanager
def work_folder(folder: Path, command: str, *, replace: bool) -> Iterator[Path]:
    """
    An empty folder, marked as made by `command` and held by it until the end of the block.

    What an earlier command left there is removed: its line, which must not run or is stopped in order with `replace`,
    and then its files.

    Raises:
        FolderRefused: a line runs there, another command works there, or the folder is not ours. Nothing was touched.
    """
    must_be_ours(folder)
    mark(folder, command)
    with _held(folder):
        running = running_in(folder / STATE)
        if running and not replace:
            raise FolderRefused(
                f"a line runs in {_named(folder)} ({', '.join(running)}), left there by {made_by(folder)}: stop it with"
                f" SETTLED_STATE={_named(folder / STATE)} settled down, or say --replace to stop it and begin anew"
            )
        _empty(folder)
        _write_mark(folder, command)
        yield folder


def remove(folder: Path) -> bool:
    """
    Stop in order what runs in a folder of ours, and take it away; whether there was one.

    Raises:
        FolderRefused: another command works there, or the folder is not ours. Nothing was touched.
    """
    if not folder.is_dir():
        return False
    must_be_ours(folder)
    if made_by(folder) is not None:
        with _held(folder):
            _empty(folder)
    shutil.rmtree(folder)
    return True


def stop(state: Path) -> None:
    """
    Stop a line in order: its services, then broker and database. Data is kept; harmless where nothing runs.

    Raises:
        FolderRefused: a part runs on, because the environment names another one in its place.
    """
    if not _holds_a_line(state):
        return
    Services(state, {}).stop_all()
    Stack(state).stop()
    if running := running_in(state):
        raise FolderRefused(
            f"{' and '.join(running)} of {_named(state)} still runs, because DATABASE_URL or KAFKA_BOOTSTRAP_SERVERS"
            " names another: unset them and say it again"
        )


def _holds_a_line(state: Path) -> bool:
    return (state / "stack.json").exists() or (state / "services.json").exists()


def _empty(folder: Path) -> None:
    """Stop what runs, and remove everything but the mark; PostgreSQL may keep its files elsewhere."""
    for state in (folder, folder / STATE):
        stop(state)
        if _holds_a_line(state):
            Stack(state).postgres.remove()
    for each in folder.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        elif each.name != MARK:
            each.unlink()


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a folder for this command. Raises FolderRefused while another one does."""
    with (folder / MARK).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderRefused(
                f"another command works in {_named(folder)} ({made_by(folder)}): wait until it has ended"
            ) from None
        yield


def _named(folder: Path) -> str:
    """As a person would type it here."""
    relative = os.path.relpath(folder)
    return str(folder) if relative.startswith("..") else relative
