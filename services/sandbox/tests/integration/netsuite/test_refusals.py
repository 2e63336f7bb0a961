"""What is not taken, in NetSuite's words and shape; nothing changes by a request that is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.netsuite.testing import Driver

D = Decimal
ACME = {"externalId": "cus_acme"}
CONTENT, USER = "INVALID_CONTENT", "USER_ERROR"


@pytest.fixture(autouse=True)
async def stocked(netsuite: Driver) -> None:
    await netsuite.an_item()
    await netsuite.a_customer()
    await netsuite.a_customer("cus_irish", companyName="Cara", subsidiary={"id": "2"})
    body = {"itemId": "irish", "incomeAccount": {"id": "40"}, "subsidiary": {"id": "2"}}
    await netsuite.save("serviceSaleItem", "item_irish", body)
    await netsuite.save("serviceSaleItem", "item_vat", {"itemId": "vat", "incomeAccount": {"id": "31"}})
    body = {"itemId": "old", "incomeAccount": {"id": "40"}, "isInactive": True}
    await netsuite.save("serviceSaleItem", "item_old", body)
    await netsuite.an_invoice("inv_there", "100")


def detail(answer: Any) -> dict[str, Any]:
    """The one detail of an error, whose envelope is checked too."""
    body = answer.json()
    assert body.keys() == {"type", "title", "status", "o:errorDetails"}
    assert body["status"] == answer.status_code
    assert answer.headers["content-type"] == "application/vnd.oracle.resource+json; type=error"
    (found,) = body["o:errorDetails"]
    return found


def invoice(**more: Any) -> dict[str, Any]:
    lines = {"items": [{"item": {"externalId": "item_resolution"}, "amount": 10}]}
    return {"entity": ACME, "item": lines, **more}


def items(**line: Any) -> dict[str, Any]:
    return {"item": {"items": [{"item": {"externalId": "item_resolution"}, "amount": 10}, line]}}


LINE = {"item": {"externalId": "item_resolution"}}
SECOND = "item.items[1]"


def paying(**more: Any) -> dict[str, Any]:
    return {"customer": ACME, "payment": 10, "undepFunds": True, **more}


def apply(external: str = "inv_there", amount: str | float = "10", **more: Any) -> dict[str, Any]:
    line = {"doc": {"externalId": external}, "apply": True, "amount": D(str(amount)), **more}
    return {"apply": {"items": [line]}}


BAD = [
    # kind, body, code, path, what the text says
    ("invoice", invoice(entitty=ACME), CONTENT, "entitty", "entitty"),
    ("invoice", invoice(**items(**LINE, ammount=1)), CONTENT, f"{SECOND}.ammount", ""),
    ("invoice", invoice(taxDetails={"items": []}), "SANDBOX_UNSUPPORTED", "taxDetails", "does not carry out"),
    ("invoice", invoice(memo=7), CONTENT, "memo", "text"),
    ("invoice", invoice(memo="x" * 1000), CONTENT, "memo", "999"),
    ("invoice", invoice(tranDate="02.11.2026"), CONTENT, "tranDate", "YYYY-MM-DD"),
    ("invoice", invoice(tranDate="2026-02-30"), CONTENT, "tranDate", "YYYY-MM-DD"),
    ("invoice", invoice(item=[]), CONTENT, "item", "items"),
    ("invoice", invoice(**items(**LINE, amount="10")), CONTENT, f"{SECOND}.amount", "number"),
    ("invoice", invoice(**items(**LINE, amount=True)), CONTENT, f"{SECOND}.amount", "number"),
    ("invoice", invoice(entity="x"), CONTENT, "entity", "Invalid Field Value x"),
    ("invoice", invoice(entity={"id": "1", "externalId": "cus_acme"}), CONTENT, "entity", "either"),
    ("invoice", invoice(entity={"externalId": "nobody"}), CONTENT, "entity", "Invalid Field Value nobody"),
    (
        "invoice",
        invoice(**items(item={"id": "9999"}, amount=1)),
        CONTENT,
        f"{SECOND}.item",
        "Invalid Field Value 9999 for the following field: item",
    ),
    (
        "invoice",
        invoice(**items(item={"externalId": "item_old"}, amount=1)),
        CONTENT,
        f"{SECOND}.item",
        "Invalid Field Value",
    ),
    (
        "invoice",
        invoice(**items(item={"externalId": "item_irish"}, amount=1)),
        USER,
        f"{SECOND}.item",
        "for subsidiary 1",
    ),
    (
        "invoice",
        invoice(**items(item={"externalId": "item_vat"}, amount=1)),
        USER,
        f"{SECOND}.item",
        "VAT Payable account cannot be used with the Settled Inc",
    ),
    ("invoice", invoice(**items(**LINE)), USER, f"{SECOND}.amount", "Amount"),
    ("invoice", invoice(**items(amount=1)), USER, f"{SECOND}.item", "Item"),
    ("invoice", invoice(**items(**LINE, amount=-11)), USER, None, "below zero"),
    (
        "invoice",
        invoice(**items(**LINE, amount=1, revRecStartDate="2026-11-02", revRecEndDate="2026-11-01")),
        CONTENT,
        f"{SECOND}.revRecEndDate",
        "before",
    ),
    ("invoice", {"item": {"items": []}, "entity": ACME}, USER, "item", "Please enter value(s) for: Items."),
    (
        "invoice",
        {k: v for k, v in invoice().items() if k == "item"},
        USER,
        "entity",
        "Please enter value(s) for: Customer.",
    ),
    ("invoice", invoice(entity={"externalId": "cus_irish"}), USER, "otherRefNum", "Please enter value(s) for: PO #."),
    ("invoice", invoice(subsidiary={"id": "2"}), USER, "subsidiary", "for subsidiary 2"),
    ("invoice", invoice(currency={"id": "2"}), USER, "currency", "currency reference key 2"),
    ("invoice", invoice(currency={"id": "99"}), CONTENT, "currency", "99"),
    ("invoice", invoice(account={"id": "10"}), CONTENT, "account", "Invalid Field Value 10"),
    ("invoice", invoice(account={"id": "21"}), USER, "account", "Receivable Ireland account cannot be used"),
    ("invoice", invoice(tranDate="2019-01-01"), USER, "tranDate", "INVALID_PERIOD"),
    ("invoice", invoice(externalId="inv|1"), CONTENT, "externalId", "letters, digits"),
    ("invoice", invoice(externalId="inv_there"), USER, "externalId", "This record already exists."),
    ("invoice", invoice(exchangeRate=2), CONTENT, "exchangeRate", "2"),
    ("invoice", invoice(startDate="2026-11-02", endDate="2026-11-01"), CONTENT, "endDate", "before"),
    ("invoice", [], CONTENT, None, "JSON object"),
    ("customer", {"subsidiary": {"id": "1"}}, USER, "companyName", "Please enter value(s) for: Company Name."),
    ("customer", {"companyName": "A"}, USER, "subsidiary", "Please enter value(s) for: Primary Subsidiary."),
    ("customer", {"companyName": "A", "isPerson": True, "subsidiary": {"id": "1"}}, USER, "firstName", "First Name"),
    ("customer", {"companyName": "A", "subsidiary": {"id": "1"}, "email": "a@b"}, CONTENT, "email", "Invalid email"),
    ("customer", {"companyName": "A", "subsidiary": {"id": "7"}}, CONTENT, "subsidiary", "Invalid Field Value 7"),
    (
        "customer",
        {"companyName": "A", "subsidiary": {"id": "1"}, "externalId": "cus_acme"},
        USER,
        "externalId",
        "This entity already exists.",
    ),
    (
        "customer",
        {"companyName": "A", "subsidiary": {"id": "1"}, "entityId": "CUST1"},
        USER,
        "entityId",
        "unique customer ID",
    ),
    ("serviceSaleItem", {"itemId": "x"}, USER, "incomeAccount", "Income Account"),
    ("serviceSaleItem", {"itemId": "old", "incomeAccount": {"id": "40"}}, USER, "itemId", "already exists"),
    ("serviceSaleItem", {"itemId": "x", "incomeAccount": {"id": "59"}}, CONTENT, "incomeAccount", "59"),
    ("customerPayment", paying(**apply("inv_nobody")), CONTENT, "apply.items[0].doc", "Invalid Field Value inv_nobody"),
    (
        "customerPayment",
        paying(**apply(line=3)),
        USER,
        "apply.items[0]",
        "matching line for sublist apply with key: [doc, line]",
    ),
    (
        "customerPayment",
        paying(customer={"externalId": "cus_irish"}, **apply()),
        USER,
        "apply.items[0]",
        "Unable to find a matching line",
    ),
    ("customerPayment", paying(payment=1000, **apply(amount=101)), USER, "apply.items[0].amount", "CANT_APPLY_PMT"),
    ("customerPayment", paying(**apply(amount=11)), USER, "apply", "CANT_APPLY_PMT"),
    ("customerPayment", paying(payment=-1), USER, "payment", "NEGATIVE_PAYMENT_DISALLWD"),
    ("customerPayment", paying(undepFunds=False), USER, "account", "Please enter value(s) for: Account."),
    ("customerPayment", paying(account={"id": "10"}), CONTENT, "account", "Invalid Field Value 10"),
    ("customerPayment", {"customer": ACME, "payment": 1, "account": {"id": "11"}}, USER, "account", "Current EUR"),
    ("creditMemo", {**invoice(), **apply(amount=11)}, USER, "apply", "CANT_APPLY_PMT"),
    ("customerRefund", {"customer": ACME, "account": {"id": "10"}}, USER, "apply", "Apply"),
    (
        "customerRefund",
        {"customer": ACME, "account": {"id": "10"}, **apply()},
        CONTENT,
        "apply.items[0].doc",
        "inv_there",
    ),
    ("customerRefund", {"customer": ACME, "account": {"id": "50"}}, CONTENT, "account", "Invalid Field Value 50"),
    ("deposit", {"account": {"id": "10"}}, USER, "payment", "Payments"),
    (
        "deposit",
        {"account": {"id": "40"}, "other": {"items": [{"account": {"id": "50"}, "amount": 1}]}},
        USER,
        "subsidiary",
        "Subsidiary",
    ),
    (
        "deposit",
        {"account": {"id": "10"}, "payment": {"items": [{"id": {"externalId": "inv_there"}}]}},
        CONTENT,
        "payment.items[0].id",
        "inv_there",
    ),
    (
        "deposit",
        {"account": {"id": "10"}, "other": {"items": [{"account": {"id": "59"}, "amount": 1}]}},
        CONTENT,
        "other.items[0].account",
        "59",
    ),
]
IDS = [f"{number}-{one[0]}-{one[3]}" for number, one in enumerate(BAD)]


@pytest.mark.parametrize(("kind", "body", "code", "path", "says"), BAD, ids=IDS)
async def test_is_refused(netsuite: Driver, kind: str, body: Any, code: str, path: str | None, says: str) -> None:
    """By POST; the code, the path to what is wrong and the words; and no record is made."""
    before = (await netsuite.control("GET", "dump"))["records"]

    answer = await netsuite.record("POST", kind, body)

    found = detail(answer)
    assert (answer.status_code, found["o:errorCode"], found.get("o:errorPath")) == (400, code, path), found
    assert says in found["detail"]
    assert (await netsuite.control("GET", "dump"))["records"] == before


async def test_unknown_names_are_ignored_and_told_unless_the_header_says_error(netsuite: Driver) -> None:
    """NetSuite's default is Warning: a typo silently loses data."""
    answer = await netsuite.record(
        "POST", "invoice", invoice(memmo="lost"), headers={"X-NetSuite-PropertyNameValidation": "Warning"}
    )

    assert answer.status_code == 204
    assert "memmo" in answer.headers["Warning"]
    strange = await netsuite.record("POST", "invoice", {}, headers={"X-NetSuite-PropertyNameValidation": "Maybe"})
    assert detail(strange)["o:errorHeader"] == "x-netsuite-propertynamevalidation"


async def test_an_external_id_is_one_for_the_whole_group(netsuite: Driver) -> None:
    """A payment cannot have an invoice's, nor does its upsert hit the invoice; a customer's is another group."""
    taken = await netsuite.record("PUT", "customerPayment/eid:inv_there", paying())
    assert detail(taken)["detail"] == "Error while accessing a resource. This record already exists."
    assert (await netsuite.record("GET", "customerPayment/eid:inv_there")).status_code == 404

    await netsuite.a_customer("inv_there", companyName="Another")
    other = await netsuite.record("PUT", "invoice/eid:inv_new", invoice(externalId="inv_other"))
    assert detail(other)["o:errorPath"] == "externalId"
    for bad in ("a|b", "a%20b", "%C3%A9"):
        assert (await netsuite.record("PUT", f"invoice/eid:{bad}", invoice())).status_code == 400


async def test_what_is_fixed_stays(netsuite: Driver) -> None:
    for change in ({"entity": {"externalId": "cus_irish"}}, {"currency": {"id": "2"}}, {"subsidiary": {"id": "2"}}):
        answer = await netsuite.record("PATCH", "invoice/eid:inv_there", change)
        assert "cannot change" in detail(answer)["detail"]
    missing = await netsuite.record("PATCH", "invoice/eid:inv_there", {"item": {"items": [{"line": 9, "amount": 1}]}})
    assert "key: [line] and value: [9]" in detail(missing)["detail"]


@pytest.mark.parametrize("lock", ["closed", "arLocked", "allLocked"])
async def test_a_closed_period_takes_no_document_and_no_change(netsuite: Driver, lock: str) -> None:
    """Neither new ones, nor edits, nor deletions, nor moving in or out; a person may override it."""
    await netsuite.control("POST", "periods", month="2026-11", **{lock: True})

    new = await netsuite.record("PUT", "invoice/eid:inv_new", invoice())
    edited = await netsuite.record("PATCH", "invoice/eid:inv_there", {"memo": "x"})
    moved = await netsuite.record("PATCH", "invoice/eid:inv_there", {"tranDate": "2026-12-01"})
    gone = await netsuite.record("DELETE", "invoice/eid:inv_there")
    for answer in (new, edited, moved, gone):
        found = detail(answer)
        assert (found["o:errorCode"], "closed or locked" in found["detail"]) == (USER, True)

    assert (await netsuite.record("PUT", "invoice/eid:inv_new", invoice(tranDate="2026-12-01"))).status_code == 204
    hand = {"method": "PATCH", "path": "/invoice/eid:inv_there", "body": {"memo": "by hand"}}
    assert (await netsuite.http.post("/_sandbox/by_hand", json=hand)).status_code == 204
    hand["overrides_periods"] = False
    assert (await netsuite.http.post("/_sandbox/by_hand", json=hand)).status_code == 400
    shown = await netsuite.rows(f"SELECT {lock.lower()} FROM accountingperiod WHERE periodname = 'Nov 2026'")
    assert shown == [{lock.lower(): "T"}]
    await netsuite.control("POST", "periods", month="2026-11", **{lock: False})
    assert (await netsuite.record("PATCH", "invoice/eid:inv_there", {"memo": "x"})).status_code == 204


async def test_a_receivable_lock_leaves_deposits_alone(netsuite: Driver) -> None:
    await netsuite.control("POST", "periods", month="2026-11", arLocked=True)
    body = {"account": {"id": "10"}, "other": {"items": [{"account": {"id": "50"}, "amount": 1}]}}

    assert (await netsuite.record("POST", "deposit", body)).status_code == 204


async def test_more_lines_than_the_account_takes(netsuite: Driver) -> None:
    lines = [{"item": {"externalId": "item_resolution"}, "amount": 1}] * 201
    assert (
        "200" in detail(await netsuite.record("POST", "invoice", {"entity": ACME, "item": {"items": lines}}))["detail"]
    )
    answer = await netsuite.record("POST", "invoice", {"entity": ACME, "item": {"items": lines[:200]}})
    assert answer.status_code == 204


async def test_the_surface_is_what_it_is(netsuite: Driver) -> None:
    """Unknown records, paths, methods, parameters and bodies; what is not carried out says so."""
    for method, path, status, code in [
        ("GET", "nothing", 404, "INVALID_URL"),
        ("GET", "invoice/999", 404, "NONEXISTENT_ID"),
        ("GET", "invoice/eid:nothing", 404, "NONEXISTENT_ID"),
        ("PATCH", "invoice/999", 404, "NONEXISTENT_ID"),
        ("DELETE", "invoice/999", 404, "NONEXISTENT_ID"),
        ("PUT", "invoice/1", 405, "INVALID_METHOD"),
        ("PUT", "invoice", 405, "INVALID_METHOD"),
        ("GET", "invoice/1/nothing", 404, "INVALID_URL"),
        ("POST", "account", 400, "SANDBOX_UNSUPPORTED"),
        ("POST", "customer/1/!transform/invoice", 400, "SANDBOX_UNSUPPORTED"),
        ("GET", "invoice/1?expandSubresources=true", 400, "INVALID_PARAMETER"),
        ("GET", "invoice?limit=1001", 400, "INVALID_PARAMETER"),
        ("GET", "invoice?limit=10&offset=5", 400, "INVALID_PARAMETER"),
        ("GET", "invoice?q=memo%20CONTAIN%20%22x%22", 400, "INVALID_PARAMETER"),
        ("PATCH", "invoice/1?replace=items", 400, "INVALID_PARAMETER"),
    ]:
        body = {} if method in ("PATCH", "PUT", "POST") else None
        answer = await netsuite.record(method, path, body)
        assert (path, answer.status_code, detail(answer)["o:errorCode"]) == (path, status, code)
    for body, headers in [
        (b"{", {}),
        (b"", {}),
        (b'{"memo": NaN}', {}),
        (b"[" * 100_000, {}),
        (b"{}", {"Content-Type": "text/plain"}),
        (b"{}", {"Prefer": "respond-async"}),
        (b"[]", {"Content-Type": "application/vnd.oracle.resource+json; type=collection"}),
        (b"{}", {"X-NetSuite-PropertyValueValidation": "Warning"}),
    ]:
        answer = await netsuite.record("POST", "invoice", body, headers=headers)
        assert answer.status_code == 400, (body[:10], headers)
        detail(answer)


async def test_a_used_customer_or_item_is_not_deleted(netsuite: Driver) -> None:
    for path in ("customer/eid:cus_acme", "serviceSaleItem/eid:item_resolution"):
        assert "dependent records" in detail(await netsuite.record("DELETE", path))["detail"]
    assert (await netsuite.record("DELETE", "customer/eid:cus_irish")).status_code == 204
    assert (await netsuite.record("GET", "customer/eid:cus_irish")).status_code == 404


async def test_a_collection_is_filtered_and_paged(netsuite: Driver) -> None:
    for number in range(5):
        await netsuite.an_invoice(f"inv_{number}", "1", memo=f"in {number}")

    answer = await netsuite.record("GET", "invoice", q='memo START_WITH "in" AND entity EQUAL 1', limit=2, offset=2)

    body = answer.json()
    assert (body["count"], body["hasMore"], body["offset"], body["totalResults"]) == (2, True, 2, 5)
    assert [one["id"] for one in body["items"]] == ["4", "5"]
    assert body["items"][0]["links"][0]["href"].endswith("/services/rest/record/v1/invoice/4")
    following = await netsuite.http.get(body["links"][0]["href"], headers={"Authorization": f"Bearer {netsuite.token}"})
    assert (following.json()["offset"], [one["id"] for one in following.json()["items"]]) == (4, ["6"])
    one = await netsuite.record("GET", "invoice", q='externalId IS "inv_3"')
    assert [row["id"] for row in one.json()["items"]] == ["5"]


async def test_metadata_describes_what_is_taken(netsuite: Driver) -> None:
    """OpenAPI with Accept, JSON Schema for one type; each field of a body is there."""
    swagger = {"Accept": "application/swagger+json"}
    document = (await netsuite.record("GET", "metadata-catalog", select="invoice,customer", headers=swagger)).json()
    schema = document["components"]["schemas"]["invoice"]["properties"]

    assert document["openapi"].startswith("3.0")
    assert set(document["components"]["schemas"]) == {"invoice", "customer"}
    assert {"entity", "tranDate", "otherRefNum", "item"} <= schema.keys()
    assert "revRecStartDate" in schema["item"]["properties"]["items"]["items"]["properties"]
    plain = await netsuite.record("GET", "metadata-catalog/invoice", headers={"Accept": "application/schema+json"})
    assert plain.json()["properties"]["memo"]["maxLength"] == 999
    assert len((await netsuite.record("GET", "metadata-catalog")).json()["items"]) == 17
