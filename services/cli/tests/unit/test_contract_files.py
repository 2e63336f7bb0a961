"""A contract file that is wrong: every fault with its line, whose contract it is, and what to write."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from settled_cli import contracts
from settled_cli.contracts import ContractRefused

SOUND = """\
contracts:
  - customer: acme
    name: Acme Ltd
    issuer: settled-us
    channel: self_serve
    currency: USD
    billing_email: billing@acme.example
    billing_anchor: "2026-11-01T00:00:00Z"
    revision: 1
    timeline:
      - effective_from: "2026-11-01T00:00:00Z"
        policy: {version: standard-1}
    metered:
      - {meter: resolution, price: {scheme: per_unit, unit_price: "0.99"}}
      - meter: sms_segment
        price: {scheme: graduated, tiers: [{up_to: 5, unit_price: "0.2"}, {unit_price: "0.1"}]}
"""
LIBRARY = re.compile(
    r"input should|value error|pydantic|yaml\.|Error\b|tuple|dictionary|\(type=|traceback", re.IGNORECASE
)


def refusal(folder: Path, text: str) -> str:
    file = folder / "acme.yaml"
    file.write_text(text)
    with pytest.raises(ContractRefused) as refused:
        contracts.read(file)
    return str(refused.value).replace(str(folder), "").replace("/acme.yaml", "acme.yaml")


def test_a_sound_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "acme.yaml").write_text(SOUND)

    assert [contract.customer for contract in contracts.read(tmp_path / "acme.yaml")] == ["acme"]


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        (
            "currency: USD",
            "currency: DOLLAR",
            "acme.yaml line 6: acme: currency must be one of 'USD', 'EUR', 'GBP', 'JPY' or 'KWD'",
        ),
        ("    revision: 1\n", "", "acme.yaml line 2: acme: revision is required and missing"),
        (
            "issuer: settled-us",
            "isuer: settled-us\n    issuer: settled-us",
            "acme.yaml line 4: acme: isuer is not a field that is known here: correct its name, or leave it out",
        ),
        (
            'unit_price: "0.99"',
            "unit_price: zero",
            "acme.yaml line 14: acme: metered[0].price.unit_price must be a plain decimal such as 12 or 0.0175",
        ),
        ('unit_price: "0.99"', "unit_price: 0.99", "acme.yaml line 14: acme: metered[0].price.unit_price must be text"),
        (
            "scheme: per_unit",
            "scheme: flat",
            "acme.yaml line 14: acme: metered[0].price must be a group whose 'scheme' is one of"
            " 'per_unit', 'graduated'",
        ),
        (
            "up_to: 5,",
            "",
            "acme.yaml line 16: acme: metered[1].price: tier bounds must grow, and the last one alone has none",
        ),
        (
            "    billing_email: billing@acme.example\n",
            "",
            "acme.yaml line 2: acme: billing_email: say to which e-mail address its invoices go",
        ),
        (
            "customer: acme",
            "customer: a b",
            "acme.yaml line 2: a b: customer must be a customer's id: up to 100 letters, digits and _ . : -,"
            " the first no sign",
        ),
        (
            'billing_anchor: "2026-11-01T00:00:00Z"',
            "billing_anchor: soon",
            "acme.yaml line 8: acme: billing_anchor: write an instant as RFC 3339 with an offset,"
            " such as 2026-10-01T00:00:00Z",
        ),
    ],
)
def test_a_fault_has_its_line_its_customer_and_what_to_write(
    written: str, instead: str, told: str, tmp_path: Path
) -> None:
    assert written in SOUND

    assert refusal(tmp_path, SOUND.replace(written, instead, 1)) == told


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = SOUND.replace("currency: USD", "currency: X").replace("    revision: 1\n", "").replace("standard-1", '""')

    assert len(refusal(tmp_path, text).splitlines()) == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "acme.yaml must begin with `contracts:` and hold a list of contracts below it"),
        ("- acme", "acme.yaml must begin with `contracts:` and hold a list of contracts below it"),
        ("contracts: []", "acme.yaml line 1: contracts must not be empty"),
        ("contracts: 3", "acme.yaml line 1: contracts must be a list"),
        ("contracts: [3]", "acme.yaml line 1: contract 1: the contract must be a group of named fields"),
        (
            "contracts:\n  - {a: 'b\n",
            "acme.yaml line 3, column 1 is not YAML: look at its indentation, colons and quotes",
        ),
        ("contracts: \x00", "acme.yaml is not YAML: look at its indentation, colons and quotes there"),
    ],
)
def test_a_file_that_holds_no_contracts_says_so(text: str, told: str, tmp_path: Path) -> None:
    said = refusal(tmp_path, text)

    assert said.startswith(told)
    assert not LIBRARY.search(said)
