"""Of two doors the right one is asked: the customer's, or both for everybody's lists."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from settled_cli import at_stripe
from settled_cli.asking import pages
from settled_cli.fleet import Fleet
from settled_cli.line import Line, Refused

KNOWN = {"invoicing-sync": ["acme"], "invoicing-sync-ie": ["fiona"]}


class TwoDoors(Fleet):
    """A line that has two doors, without any process."""

    doors = list(KNOWN)  # type: ignore[assignment]
    accounts = ["sandbox", "sandbox-ie"]  # type: ignore[assignment]


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
        if path == "/v1/catalogue":
            return {"objects": [{"stripe_id": f"prod_of_{service}"}]}
        return {"of": service}


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Asked]:
    async with Asked(TwoDoors(tmp_path)) as made:
        yield made


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/contracts/fiona", {}),
        ("/v1/contracts/fiona/plan", {}),
        ("/v1/customers/fiona/running", {}),
        ("/v1/deliveries", {"customer": "fiona", "limit": 10}),
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


async def test_quiet_and_everybodys_questions_go_where_they_are_sent(line: Asked) -> None:
    await line.get("invoicing-sync", "/v1/backlog")
    await line.get("rating", "/v1/entries", customer="fiona")

    assert line.asked == [("invoicing-sync", "/v1/backlog"), ("rating", "/v1/entries")]
