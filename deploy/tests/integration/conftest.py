"""One stack for a module: starting one costs seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_stack import Stack


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="module")
def stack(state: Path) -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        patch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
        made = Stack(state, fsync=False)
    try:
        made.start()
        yield made
    finally:
        made.stop(remove_state=True)
