"""Of two doors the right one is asked: the customer's, or both for everybody's lists."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType
from typer.testing import CliRunner

from settled_cli import asking, at_stripe, cases, deliveries, inspection, watch
from settled_cli.asking import pages
from settled_cli.fleet import Fleet
from settled_cli.line import Line, Refused

KNOWN = {"invoicing-sync": ["acme"], "invoicing-sync-ie": ["fiona"]}


class TwoDoors(Fleet):
    """A line that has two doors, without any process."""

    doors = list(KNOWN)  # type: ignore[assignment]
    accounts = ["sandbox", "sandbox-ie"]  # type: ignore[assignment]


class OneDoor(Fleet):
    """A line that has one."""

    doors = ["invoicing-sync"]  # type: ignore[assignment]
    accounts = ["sandbox"]  # type: ignore[assignment]


OF_RATING = {"cases": [], "next": None}


def a_case(number: int, **fields: Any) -> dict[str, Any]:
    """As a door tells one."""
    told = {
        "id": number,
        "kind": "drift",
        "key": "k",
        "detail": {},
        "count": 1,
        "sentence": "s",
        "do": "d",
        "closes": "c",
    }
    at = "2026-10-01T00:00:00Z"
    open_ = {"customer": "acme", "opened_at": at, "changed_at": at, "closed_at": None, "closed_by": None}
    return told | open_ | {"closed_reason": None} | fields


def a_delivery(identifier: str) -> dict[str, Any]:
    """As a door tells one."""
    told = {"identifier": identifier, "customer": "acme", "meter": "resolution", "value": "1", "state": "delivered"}
    return told | {"effective_at": "2026-10-01T00:00:00Z", "calls": 1, "result": "accepted"}


class Asked(Line):
    """Keeps whom it was asked for, and answers as the doors do."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__(fleet)
        self.asked: list[tuple[str, str]] = []

    async def _asked(self, method: str, service: str, path: str, **options: Any) -> Any:
        self.asked.append((service, path))
        if path == "/v1/contracts":
            return {"contracts": [{"customer": name} for name in KNOWN[service]], "next": None}
        if path.startswith("/v1/contracts/") and path.split("/")[3] not in KNOWN[service]:
            raise Refused(404, "no_such_contract", "No contract of this customer has come in.")
        if path.startswith("/v1/credit-notes/") and service == "invoicing-sync":
            raise Refused(404, "no_such_credit_note", "No credit note has this id.")
        if path.startswith("/v1/invoices/in_1/lines/") and service == "invoicing-sync":
            raise Refused(404, "no_such_line", "No invoice here has this line.")
        if path == "/v1/cases":
            return OF_RATING if service == "rating" else [a_case(7, customer=KNOWN[service][0])]
        if path == "/v1/deliveries":
            asked = options["params"]
            return [] if "after" in asked else [a_delivery(f"{service}-{n}") for n in range(2)][: asked["limit"]]
        if path == "/_sandbox/clock":
            return {"now": "2026-10-02T00:00:00Z"}
        if path == "/v1/backlog":
            return {"open": len(service), "oldest_age_s": 3.0}
        if path == "/v1/charges":
            return dict.fromkeys(("entries", "priced", "free", "unpriced", "corrections"), len(service))
        if path.endswith("/close"):
            return a_case(7, closed_at="2026-10-02T00:00:00Z", closed_by="ann", closed_reason="done")
        if path == "/v1/catalogue":
            return {"objects": [{"stripe_id": f"prod_of_{service}"}]}
        return {"of": service}


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Asked]:
    async with Asked(TwoDoors(tmp_path)) as made:
        yield made


@pytest.fixture
def the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The one that every command asks."""
    made = Asked(TwoDoors(tmp_path))
    monkeypatch.setattr(asking, "Line", lambda _: made)
    return made


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/contracts/fiona", {}),
        ("/v1/contracts/fiona/plan", {}),
        ("/v1/customers/fiona/running", {}),
        ("/v1/periods", {"customer": "fiona", "limit": 10}),
    ],
)
async def test_what_is_about_a_customer_is_asked_of_the_customers_door(
    line: Asked, path: str, params: dict[str, Any]
) -> None:
    assert await line.get("invoicing-sync", path, **params) == {"of": "invoicing-sync-ie"}


async def test_a_customer_whom_no_door_knows_is_refused_by_the_first_one(line: Asked) -> None:
    assert await line.get("invoicing-sync", "/v1/periods", customer="nobody") == {"of": "invoicing-sync"}
    with pytest.raises(Refused, match="has come in"):
        await line.get("invoicing-sync", "/v1/contracts/nobody")


async def test_a_list_of_everybody_is_both_doors_one_after_the_other(line: Asked) -> None:
    found = [
        one["customer"] async for page in pages(line, "invoicing-sync", "/v1/contracts") for one in page["contracts"]
    ]

    assert found == ["acme", "fiona"]


async def test_what_names_no_customer_is_asked_of_one_door_after_the_other_until_one_knows_it(line: Asked) -> None:
    assert await line.of_any_door("/v1/credit-notes/cn_1") == {"of": "invoicing-sync-ie"}
    assert line.asked == [("invoicing-sync", "/v1/credit-notes/cn_1"), ("invoicing-sync-ie", "/v1/credit-notes/cn_1")]


async def test_what_is_for_sale_at_stripe_is_that_of_both_accounts(line: Asked) -> None:
    found = await at_stripe.gather(line)

    assert [one["stripe_id"] for one in found["objects"]] == ["prod_of_invoicing-sync", "prod_of_invoicing-sync-ie"]


async def test_cases_are_those_of_both_doors_and_their_ids_say_which(line: Asked) -> None:
    everybodys = await cases.gather(line)
    fionas = await cases.gather(line, customer="fiona")

    assert [(one["id"], one["customer"]) for one in everybodys] == [("D7-ie", "fiona"), ("D7", "acme")]
    assert [one["id"] for one in fionas] == ["D7-ie", "D7"]  # one that moves has a case in both
    assert "settled cases close D7-ie --reason" in text_of(cases.view([{**everybodys[0], "closes": None}]))


async def test_of_one_door_nothing_is_named(tmp_path: Path) -> None:
    async with Asked(OneDoor(tmp_path)) as alone:
        found = await cases.gather(alone)
        sent = await deliveries.gather(alone, customer=None, state=None, limit=9)
        facts = await watch.look(alone)

    assert [one["id"] for one in found] == ["D7"]
    assert ["door" in one for one in sent] == [False, False]
    assert facts["backlog"] == {"open": 14, "oldest_age_s": 3.0}


@pytest.mark.parametrize(
    ("case_id", "door"), [("D7", "invoicing-sync"), ("d7", "invoicing-sync"), ("D7-ie", "invoicing-sync-ie")]
)
def test_a_case_is_closed_at_its_door(case_id: str, door: str, the_line: Asked) -> None:
    done = CliRunner().invoke(cases.cases, ["close", case_id, "--reason", "done"])

    assert done.exit_code == 0, done.output
    assert the_line.asked == [(door, "/v1/cases/7/close")]
    assert case_id.replace("d", "D") in done.output


@pytest.mark.parametrize(("case_id", "code"), [("D7-nl", 1), ("R7-ie", 2), ("D7-", 2), ("R7", 1)])
def test_a_case_of_no_door_is_a_sentence(case_id: str, code: int, the_line: Asked) -> None:
    done = CliRunner().invoke(cases.cases, ["close", case_id, "--reason", "done"])

    assert (done.exit_code, the_line.asked) == (code, [])
    assert case_id in done.output


async def test_deliveries_are_those_of_both_doors_or_of_the_customers(line: Asked) -> None:
    found = await deliveries.gather(line, customer=None, state=None, limit=3)

    assert [(one["door"], one["identifier"]) for one in found] == [
        ("invoicing-sync", "invoicing-sync-0"),
        ("invoicing-sync", "invoicing-sync-1"),
        ("invoicing-sync-ie", "invoicing-sync-ie-0"),
    ]
    assert "invoicing-sync-ie" in text_of(deliveries.view(found, limit=3, width=160))
    line.asked.clear()
    await deliveries.gather(line, customer="fiona", state=None, limit=1)
    assert line.asked[-1] == ("invoicing-sync-ie", "/v1/deliveries")


async def test_an_invoices_line_is_asked_of_the_door_that_knows_it(line: Asked) -> None:
    path = "/v1/invoices/in_1/lines/il_1/entries"

    assert await line.of_any_door(path, limit=10) == {"of": "invoicing-sync-ie"}
    assert [service for service, _ in line.asked] == ["invoicing-sync", "invoicing-sync-ie"]


async def test_what_is_open_is_told_of_each_door(line: Asked) -> None:
    facts = await watch.look(line)
    of_doors = await inspection.of_doors(line, line.fleet.doors)

    assert {door: one["open"] for door, one in facts["backlogs"].items()} == {
        "invoicing-sync": 14,
        "invoicing-sync-ie": 17,
    }
    facts |= {"counts": None, "equations": None}  # of services that say nothing of doors
    shown = text_of(watch.picture(watch.compared(facts, {**facts, "at": facts["at"] + 1})))
    assert "to Stripe, invoicing-sync-ie" in shown
    assert inspection.door_lines("invoicing-sync-ie", of_doors["invoicing-sync-ie"]) == [
        "invoicing-sync-ie: ledger entries of 31 days 17: 17 priced, 17 free, 17 unpriced, 17 corrections",
        "invoicing-sync-ie: 17 deliveries to Stripe are open",
    ]


def text_of(shown: RenderableType) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(shown)
    return console.export_text()


async def test_quiet_and_everybodys_questions_go_where_they_are_sent(line: Asked) -> None:
    await line.get("invoicing-sync", "/v1/backlog")
    await line.get("rating", "/v1/entries", customer="fiona")

    assert line.asked == [("invoicing-sync", "/v1/backlog"), ("rating", "/v1/entries")]
