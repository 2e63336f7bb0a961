"""The account's file: a slip stops the start with a sentence that holds no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from chassis.errors import WrongSetting
from sandbox.avatax.account import read_account
from sandbox.avatax.testing import ACCOUNT, LICENSE_KEY, write_account


def test_a_sound_file_is_read(tmp_path: Path) -> None:
    account = read_account(str(write_account(tmp_path)))

    assert [company.code for company in account.companies] == ["SETTLED-US", "SETTLED-DE"]
    assert LICENSE_KEY not in repr(account)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"license_keys": []}, "license_keys"),
        ({"account_id": "abc"}, "account_id"),
        ({"licence_keys": ["x"]}, "licence_keys"),
        ({"services": ["Everything"]}, "services"),
        ({"companies": [{"code": "A", "nexus": ["US-XX"]}]}, "US-XX, which the table of jurisdictions does not have"),
        ({"companies": [{"code": "A", "nexuses": []}]}, "companies.0.nexuses"),
        ({"companies": [{"code": "A"}, {"code": "A"}]}, "two companies have one code"),
        ({"companies": [{"code": "A", "default": True}, {"code": "B", "default": True}]}, "more than one company"),
        ({"companies": [{"code": "A", "tax_codes": {"X": "magic"}}]}, "companies.0.tax_codes.X"),
    ],
)
def test_a_wrong_file_is_refused_without_its_values(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    file = tmp_path / "account.yaml"
    file.write_text(yaml.safe_dump({"account_id": ACCOUNT, "license_keys": [LICENSE_KEY], **change}))

    with pytest.raises(WrongSetting, match="AVATAX_ACCOUNT_FILE") as wrong:
        read_account(str(file))
    assert sentence in str(wrong.value)
    assert LICENSE_KEY not in str(wrong.value)


def test_a_file_that_is_not_there_or_no_yaml_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("account_id: [")

    with pytest.raises(WrongSetting, match="cannot be read"):
        read_account(str(tmp_path / "nowhere.yaml"))
    with pytest.raises(WrongSetting, match="is no YAML"):
        read_account(str(broken))
