"""What is remembered about children between commands: one small JSON file, changed by one writer at a time."""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from embedded_stack.children import Child


class StateFile:
    """A small JSON file that is replaced whole, so that a crash never leaves half of it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Any]:
        """Its content; empty where there is none."""
        try:
            content: dict[str, Any] = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {}
        return content

    def child(self, name: str) -> Child | None:
        """The child that was recorded under a name, running or not; None after an orderly stop."""
        record = self.read().get(name, {}).get("child")
        return Child(**record) if record else None

    def record(self, name: str, **facts: Any) -> None:
        """Add facts under a name; a Child becomes its pid and start time."""
        with locked(self.path.with_suffix(".lock")):  # the parts start in threads, and two commands may run at once
            content = self.read()
            entry = content.setdefault(name, {})
            entry.update({key: asdict(value) if isinstance(value, Child) else value for key, value in facts.items()})
            self._write(content)

    def _write(self, content: Mapping[str, Any]) -> None:
        draft = self.path.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(content, indent=2))
        draft.replace(self.path)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file: other processes and other threads wait. Not to be entered twice by the same holder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
