"""The 26 decisions computed by hand, through HTTP, Kafka and PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SETTLED = str(Path(sys.executable).parent / "settled")
GOLDEN = Path(__file__).parents[1] / "data" / "golden-invoices.yaml"


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_26_of_26_decisions_through_the_service() -> None:
    result = subprocess.run(
        [SETTLED, "golden", str(GOLDEN), "--through", "service", "--json"], capture_output=True, text=True, check=False
    )

    states = [verdict["state"] for verdict in json.loads(result.stdout)]
    assert result.returncode == 0
    assert (states.count("ok"), states.count("miss"), states.count("not yet")) == (26, 0, 30)


def test_a_wrong_expectation_is_a_miss_and_a_non_zero_exit(tmp_path: Path) -> None:
    text = GOLDEN.read_text().replace("expected: {net: 1, ledger", "expected: {net: 2, ledger", 1)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(text)

    result = subprocess.run([SETTLED, "golden", str(wrong), "--json"], capture_output=True, text=True, check=False)

    states = {verdict["id"]: verdict["state"] for verdict in json.loads(result.stdout)}
    assert result.returncode == 1
    assert [id_ for id_, state in states.items() if state == "miss"] == ["O01"]
