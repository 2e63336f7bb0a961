"""A stack for a folder of tests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded_stack.stack import Stack


@contextmanager
def stack_for_tests(name: str) -> Iterator[Stack]:
    """A running stack that need not outlive a power loss; it goes with its folder, in SETTLED_TEST_DIR or /tmp."""
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=os.environ.get("SETTLED_TEST_DIR", "/tmp")) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another user where we are root
        stack = Stack(Path(folder) / "stack", fsync=False)
        try:
            stack.start()
            yield stack
        finally:
            stack.stop(remove_state=True)
