"""`settled contracts do`: what is asked of the service, and what is shown of its answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from settled_cli import commanding
from settled_cli.commanding import view
from settled_cli.sending import contracts

LINE = {"start": "2026-02-15T12:00:00Z", "until": "2026-03-01T00:00:00Z", "item": "basic_seat", "kind": "proration"}
ANSWER: dict[str, Any] = {
    "customer": "acme",
    "revision": 2,
    "effective_at": "2026-02-15T12:00:00Z",
    "repeated": False,
    "dry_run": True,
    "money": {
        "billing_day": "2026-03-01T00:00:00Z",
        "currency": "USD",
        "before_minor": 11700,
        "after_minor": 23261,
        "proration": [LINE | {"amount_minor": -5641}, LINE | {"amount_minor": 9402}],
        "lines": [LINE | {"kind": "advance", "amount_minor": 19500}],
    },
    "changes": [{"what": "changed", "sentence": "5 of basic_seat from 2026-02-15T12:00:00Z"}],
    "contract": {},
}


class Service:
    """Stands in for the running line: keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []

    async def post(self, service: str, path: str, body: Any) -> Any:
        self.asked.append((service, path, body))
        return ANSWER


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    found = Service()
    monkeypatch.setattr(commanding, "ask", lambda question: asyncio.run(question(found)))
    return found


def test_fields_become_the_command(service: Service) -> None:
    done = CliRunner().invoke(
        contracts,
        ["do", "ac/me", "sign-up", "terms.plan=basic", "terms.seats=3", "--key", "k-1", "--at", "2026-02-01T00:00:00Z"],
    )

    assert done.exit_code == 0, done.output
    said = {"reason": "agreed at the terminal", "actor": "cli", "channel": "console", "at": "2026-02-01T00:00:00Z"}
    assert service.asked == [
        (
            "contracts",
            "/v1/contracts/ac%2Fme/commands",
            {"do": "sign_up", "key": "k-1", "terms": {"plan": "basic", "seats": 3}, **said},
        )
    ]


def test_a_dry_run_asks_for_nothing_to_be_written(service: Service) -> None:
    done = CliRunner().invoke(contracts, ["do", "acme", "change-seats", "quantity=5", "--dry-run"])

    assert done.exit_code == 0, done.output
    (_, path, body) = service.asked[0]
    assert path == "/v1/contracts/acme/commands?dry_run=true"
    assert (body["quantity"], "at" in body) == (5, False)


@pytest.mark.parametrize("fields", [["quantity"], ["=5"], ["a.=5"], ["a=1", "a=2"], ["a=1", "a.b=2"]])
def test_what_is_no_field_is_wrong_usage(fields: list[str], service: Service) -> None:
    done = CliRunner().invoke(contracts, ["do", "acme", "change-seats", *fields])

    assert (done.exit_code, service.asked) == (2, [])


def test_the_money_is_shown_in_80_columns() -> None:
    console = Console(width=80)
    with console.capture() as captured:
        console.print(view(ANSWER, width=80))
    text = captured.get()

    assert max(len(line) for line in text.splitlines()) <= 80
    assert "would be revision 2 of acme" in text
    assert "USD -56.41" in text
    assert "invoice of 2026-03-01: USD 232.61 instead of USD 117.00" in text
