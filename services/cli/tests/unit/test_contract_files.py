"""A contract file that is wrong: every fault with its line, whose contract it is, and what to write."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from event_schemas.contract_v2.testing import a_document, seats
from settled_cli import contracts
from settled_cli.contracts import ContractRefused
from settled_cli.fleet import Fleet
from settled_cli.line import Line, LineError

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


def of_version_2(**changes: Any) -> dict[str, Any]:
    document = a_document(**changes)
    document["billing"][0]["billing_email"] = "billing@acme.example"
    return document


def test_a_file_holds_contracts_of_version_2_too(tmp_path: Path) -> None:
    (tmp_path / "acme.json").write_text(json.dumps({"contracts": [of_version_2()]}))

    assert [contract.revision for contract in contracts.read(tmp_path / "acme.json")] == [1]


def test_one_that_contradicts_itself_is_told_by_its_field(tmp_path: Path) -> None:
    text = json.dumps({"contracts": [of_version_2(items=[seats(), seats()])]})

    assert "acme.yaml line 1: acme: items.seat: " in refusal(tmp_path, text)


def test_version_2_needs_an_address_and_a_customer_stands_once(tmp_path: Path) -> None:
    without = refusal(tmp_path, json.dumps({"contracts": [a_document()]}))
    twice = refusal(tmp_path, json.dumps({"contracts": [of_version_2(), of_version_2()]}))

    assert "acme: billing[0].billing_email: say to which e-mail address its invoices go" in without
    assert "acme: customer: stands twice; write the newest revision alone" in twice


class Service:
    """Stands in for the line: keeps what was asked of `contracts`, and is quiet after a while."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.keys: set[str] = set()
        self.looks = 0

    async def post(self, service: str, path: str, body: Any) -> Any:
        assert service == "contracts"
        self.asked.append((path, len(body["commands"])))
        self.keys |= {command["key"] for command in body["commands"]}
        rows = [{"customer": one["contract"]["customer"], "revision": 1} for one in body["commands"]]
        return {"contracts": [{**row, "repeated": False, "waits": None} for row in rows]}

    async def get(self, service: str, path: str, **_: Any) -> Any:
        self.looks += 1
        return {"quiet": self.looks > 2, "waiting_for": ["revisions"]}


@pytest.mark.parametrize(
    ("count", "asked"),
    [
        (3, [("/v1/contracts", 3)]),
        (
            1001,
            [
                ("/v1/contracts?dry_run=true", 1000),
                ("/v1/contracts?dry_run=true", 1),
                ("/v1/contracts", 1000),
                ("/v1/contracts", 1),
            ],
        ),
    ],
)
def test_a_long_file_is_tried_whole_before_any_of_it_is_agreed(
    count: int, asked: list[tuple[str, int]], tmp_path: Path
) -> None:
    (tmp_path / "acme.yaml").write_text(SOUND)
    (one,) = contracts.read(tmp_path / "acme.yaml")
    service = Service()
    many = [one.model_copy(update={"customer": f"c-{place}"}) for place in range(count)]

    found = asyncio.run(contracts.agree(service, many))  # type: ignore[arg-type]

    assert service.asked == asked
    assert (len(service.keys), [row.customer for row in found]) == (count, [one.customer for one in many])
    assert service.looks == 3


def test_a_line_without_the_service_says_so(tmp_path: Path) -> None:
    (tmp_path / "services.json").write_text(json.dumps({"rating-0": {"port": 1}}))
    (tmp_path / "credentials.json").write_text(json.dumps({"access_key": "stk_test"}))

    async def agree() -> None:
        async with Line(Fleet(tmp_path)) as line:
            await contracts.agree(line, [])

    with pytest.raises(LineError, match="contracts has never run in this line: `settled up` starts what is missing"):
        asyncio.run(agree())
