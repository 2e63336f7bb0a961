"""Whose keys are let in, and what is refused before any call."""

from __future__ import annotations

from pathlib import Path

import pytest

from invoicing_sync.assumptions.command import main

NOWHERE = "http://127.0.0.1:9"  # whoever calls it fails in another way than by a refusal


@pytest.mark.parametrize("key", ["sk_live_" + "0" * 8, "rk_live_" + "0" * 8, "sk_test_a,sk_live_" + "0" * 8])
def test_a_live_key_is_refused_before_any_call(
    key: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", key)

    code = main(["--base-url", NOWHERE])

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert said.err.startswith("This is a live key")
    assert "live_0" not in said.err


def test_a_live_key_in_a_file_is_refused_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "key"
    file.write_text("sk_live_" + "0" * 8 + "\n")

    assert main(["--key-file", str(file), "--base-url", NOWHERE]) == 2
    assert "live key" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "arguments", "sentence"),
    [
        ("", [], "No key is given: set STRIPE_API_KEY"),
        ("pk_test_1", [], "A key of test mode begins with sk_test_ or rk_test_"),
        ("sk_test_1", ["--only", "A3,A99"], "There is no assumption A99; there are A1 to A45."),
        ("sk_test_1", ["--key-file", "/nowhere"], "STRIPE_API_KEY_FILE: /nowhere is not a file"),
    ],
)
def test_wrong_usage_is_told_in_a_sentence(
    key: str, arguments: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STRIPE_API_KEY", key)

    code = main(["--base-url", NOWHERE, *arguments])

    assert code == 2
    assert sentence in capsys.readouterr().err
