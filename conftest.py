"""Which tests are thorough: minutes of killing and waiting each, run by `make thorough` and not at every change."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parent
THOROUGH = ("invoicing-sync/tests/integration", "rating/tests/integration")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark by folder, so that no test has to remember it."""
    for item in items:
        if str(item.path.relative_to(ROOT)).startswith(THOROUGH):
            item.add_marker(pytest.mark.thorough)
