"""`settled check stripe`: what it prints, and which exit code it passes on."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from settled_cli.checking import show
from settled_cli.main import app

LIVE = "sk_live_" + "0" * 8
FINDINGS = [
    {
        "number": "A3",
        "says": "with `pause_collection[behavior]=keep_as_draft` the subscription's invoices are made as drafts",
        "source": "billing/subscriptions/pause-payment",
        "otherwise": "`auto_advance` is switched off as soon as the draft is known",
        "verdict": "differs",
        "seen": "the month's invoice is draft, auto_advance on",
    },
    {
        "number": "A16",
        "says": "each line is rounded by itself to the minor unit, half away from zero",
        "source": "decimal amounts",
        "otherwise": "the finalised invoice differs",
        "verdict": "holds",
        "seen": "13 units at 0.5 minor units are 7, by our rule 7",
    },
    {
        "number": "A17",
        "says": "a negative sum of usage bills as nothing",
        "source": "no text",
        "otherwise": "the finalised invoice differs",
        "verdict": "unknown",
        "seen": "Stripe did not come so far: [the] test clock was not ready in time",
    },
]


def shown(width: int, **told: Any) -> list[str]:
    """What is printed on a terminal of this width, by lines."""
    to = io.StringIO()
    show({"findings": FINDINGS, "left_behind": [], **told}, Console(file=to, width=width))
    return to.getvalue().splitlines()


def letters(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", text)


class TestTheTable:
    @pytest.mark.parametrize("width", [80, 120])
    def test_fits_and_cuts_nothing_off(self, width: int) -> None:
        """Every number, sentence, verdict and sight is there, to the last letter."""
        lines = shown(width)

        assert max(map(len, lines)) <= width
        assert "…" not in "".join(lines)
        columns = [re.split(r"\s{2,}", line) for line in lines]
        words = {letters(word) for line in columns for cell in line for word in cell.split()}
        for one in FINDINGS:
            assert {one["number"], one["verdict"]} <= words
            assert {letters(word) for word in one["seen"].split()} <= words

    def test_says_how_many_hold_and_what_happens_where_stripe_does_otherwise(self) -> None:
        text = "\n".join(shown(120))

        assert "1 of 3 hold, 1 differ, 1 are unknown" in text
        assert "A3: where Stripe does otherwise: `auto_advance` is switched off" in text

    def test_names_what_could_not_be_cleaned_up(self) -> None:
        lines = shown(80, findings=[], left_behind=["meter mtr_1: refused"])

        assert lines == ["left behind: meter mtr_1: refused"]


class TestTheCommand:
    def test_refuses_a_live_key_with_exit_2(self, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
        """The door says why, on standard error; nothing is printed."""
        monkeypatch.setenv("STRIPE_API_KEY", LIVE)

        result = CliRunner().invoke(app, ["check", "stripe", "--base-url", "http://127.0.0.1:9"])

        assert (result.exit_code, result.stdout) == (2, "")
        assert "This is a live key" in capfd.readouterr().err

    def test_ends_with_3_where_no_account_is_reached(self, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
        """With a sentence, after some tries."""
        monkeypatch.setenv("STRIPE_API_KEY", "sk_test_" + "0" * 8)

        result = CliRunner().invoke(app, ["check", "stripe", "--base-url", "http://127.0.0.1:9", "--json"])

        assert result.exit_code == 3
        assert "The account cannot be reached" in capfd.readouterr().err

    def test_prints_json_as_the_door_told_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """And passes its exit code on."""
        told = {"findings": FINDINGS, "left_behind": []}
        monkeypatch.setattr("settled_cli.checking._ask_the_door", lambda _: (1, told))

        result = CliRunner().invoke(app, ["check", "stripe", "--json"])

        assert (result.exit_code, json.loads(result.stdout)) == (1, told)
