"""The company's and the credentials' file: what is in them counts, and what is wrong with them is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import WrongSetting
from sandbox.netsuite.auth.credentials import read_credentials
from sandbox.netsuite.company import EXAMPLE, read_company
from sandbox.netsuite.in_memory import Account
from sandbox.netsuite.testing import private_key, public_pem


def changed(**changes: Any) -> str:
    return json.dumps({**json.loads(EXAMPLE.read_text()), **changes})


def written(folder: Path, text: str) -> str:
    file = folder / "file.json"
    file.write_text(text)
    return str(file)


def test_periods_are_months_with_their_last_days() -> None:
    """Also across a year and in a leap year; by SuiteQL as the tie-out reads them."""
    rows = Account().rows(
        "SELECT periodname, TO_CHAR(startdate, 'YYYY-MM-DD') AS begins, TO_CHAR(enddate, 'YYYY-MM-DD') AS ends, closed "
        "FROM accountingperiod WHERE id IN (202512, 202601, 202802)"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("Dec 2025", "2025-12-01", "2025-12-31", "F"),
        ("Jan 2026", "2026-01-01", "2026-01-31", "F"),
        ("Feb 2028", "2028-02-01", "2028-02-29", "F"),
    ]


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    company = read_company(written(tmp_path, changed(mandatory={"1": {"customer": ["email"]}})))

    assert company.mandatory == {"1": {"customer": ("email",)}}
    assert [one.name for one in company.subsidiaries] == ["Settled Inc", "Settled Ireland Ltd"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "NETSUITE_COMPANY_FILE"),
        (changed(periods={"first": "2026-13", "months": 1}), "periods.first"),
        (changed(mandatory={"1": {"invoice": ["nothing"]}}), "no such record or field"),
        (changed(mandatory={"9": {}}), "subsidiary 9"),
        (changed(subsidiaries=[{"id": "1", "name": "A", "country": "US", "currency": "9"}]), "currency 9"),
        (changed(everything=True), "everything"),
    ],
    ids=range(6),
)
def test_a_company_that_does_not_fit_together_stops_the_start(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(WrongSetting, match=says):
        read_company(written(tmp_path, text))


def test_credentials_are_read_and_a_flaw_shows_no_secret(tmp_path: Path) -> None:
    token = {"consumer_key": "k", "consumer_secret": "s" * 40, "token": "t", "token_secret": "z" * 40}
    certificate = {"id": "kid", "client_id": "c", "public_key": public_pem(private_key())}
    sound = read_credentials(written(tmp_path, json.dumps({"tokens": [token], "certificates": [certificate]})))
    assert sound.token("k", "t") is not None
    assert sound.certificate("kid") is not None
    assert "s" * 40 not in repr(sound)

    for flawed in ({**token, "token_secret": "short-secret"}, {**token, "more": "s" * 40}):
        with pytest.raises(WrongSetting) as raised:
            read_credentials(written(tmp_path, json.dumps({"tokens": [flawed]})))
        assert "short-secret" not in str(raised.value)
        assert "s" * 40 not in str(raised.value)
    with pytest.raises(WrongSetting, match="this process can read"):
        read_credentials(str(tmp_path / "nothing.json"))
