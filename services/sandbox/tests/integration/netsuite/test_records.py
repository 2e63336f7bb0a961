"""The records of billing, field by field: what is accepted, and what it comes to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.netsuite.testing import Driver

D = Decimal
EUR = {"subsidiary": {"id": "2"}, "currency": {"id": "2"}, "otherRefNum": "ACME-0001"}


@pytest.fixture(autouse=True)
async def stocked(netsuite: Driver) -> None:
    """A US and an Irish customer, and the items that invoices name."""
    await netsuite.an_item()
    await netsuite.an_item("item_tax", account="30", kind="otherChargeSaleItem")
    await netsuite.an_item("item_discount", account="41", kind="discountItem")
    await netsuite.an_item("item_bad_debt", account="51")
    await netsuite.a_customer()
    await netsuite.a_customer("cus_irish", companyName="Cara", subsidiary={"id": "2"})


def line(amount: str, item: str = "item_resolution", **more: Any) -> dict[str, Any]:
    return {"item": {"externalId": item}, "amount": D(amount), **more}


def applied(external: str, amount: str | None = None, **more: Any) -> dict[str, Any]:
    how = {} if amount is None else {"amount": D(amount)}
    return {"items": [{"doc": {"externalId": external}, "line": 0, "apply": True, **how, **more}]}


async def pay(netsuite: Driver, external: str, invoice: str, amount: str, **more: Any) -> str:
    body = {"customer": {"externalId": "cus_acme"}, "payment": D(amount), "undepFunds": True, **more}
    return await netsuite.save(
        "customerPayment", external, {**body, "apply": applied(invoice, amount)}, replace="apply"
    )


async def ledger(netsuite: Driver, id_: str) -> dict[str, D]:
    """Account -> what one transaction posts there."""
    posted: dict[str, D] = {}
    for row in (await netsuite.control("GET", "dump"))["ledger"]:
        if row["transaction"] == id_:
            posted[row["account"]] = posted.get(row["account"], D(0)) + D(row["amount"])
    return posted


class TestCustomer:
    async def test_keeps_every_field_that_a_bridge_writes(self, netsuite: Driver) -> None:
        id_ = await netsuite.save(
            "customer",
            "cus_1",
            {
                "companyName": "Beta GmbH",
                "email": "pay@beta.example",
                "phone": "+49 30 1",
                "comments": "cus_1",
                "subsidiary": {"id": "2"},
                "currency": {"id": "2"},
                "terms": {"id": "2"},
                "currencyList": {"items": [{"currency": {"id": "3"}}]},
                "addressBook": {
                    "items": [
                        {"defaultBilling": True, "addr1": "Weg 1", "city": "Berlin", "zip": "10115", "country": "DE"}
                    ]
                },
            },
        )

        shown = await netsuite.get("customer", id_)

        assert (shown["companyName"], shown["email"], shown["isPerson"]) == ("Beta GmbH", "pay@beta.example", False)
        assert (shown["subsidiary"]["refName"], shown["terms"]["refName"]) == ("Settled Ireland Ltd", "Net 30")
        assert [one["currency"]["id"] for one in shown["currencyList"]["items"]] == ["2", "3"]
        assert shown["addressBook"]["items"][0]["city"] == "Berlin"
        assert shown["balance"] == 0

    async def test_a_person_has_first_and_last_name(self, netsuite: Driver) -> None:
        body = {"isPerson": True, "firstName": "Ada", "lastName": "Byron", "subsidiary": {"id": "1"}}
        id_ = await netsuite.save("customer", "cus_ada", body)

        assert (await netsuite.get("customer", id_))["lastName"] == "Byron"

    async def test_a_secondary_subsidiary_opens_it_for_transactions(self, netsuite: Driver) -> None:
        """customerSubsidiaryRelationship; twice the same is refused."""
        body = {"entity": {"externalId": "cus_acme"}, "subsidiary": {"id": "2"}}
        await netsuite.record(
            "PATCH", "customer/eid:cus_acme", {"currencyList": {"items": [{"currency": {"id": "2"}}]}}
        )
        assert (await netsuite.record("POST", "customerSubsidiaryRelationship", body)).status_code == 204
        assert (await netsuite.record("POST", "customerSubsidiaryRelationship", body)).status_code == 400

        id_ = await netsuite.an_invoice("inv_irish", "10", **EUR)

        assert (await netsuite.get("invoice", id_))["subsidiary"]["id"] == "2"
        rows = await netsuite.rows(
            "SELECT subsidiary, isprimarysub FROM customersubsidiaryrelationship WHERE entity = 1"
        )
        assert rows == [{"subsidiary": "1", "isprimarysub": "T"}, {"subsidiary": "2", "isprimarysub": "F"}]


class TestInvoice:
    async def test_keeps_every_field_that_a_bridge_writes(self, netsuite: Driver) -> None:
        """3 x 12.50 by amount, 2.5 x 0.333 by rate (0.8325: 0.83), 10 off, 7.13 tax."""
        body = {
            "entity": {"externalId": "cus_acme"},
            "subsidiary": {"id": "1"},
            "currency": {"id": "1"},
            "tranDate": "2026-11-02",
            "dueDate": "2026-12-02",
            "otherRefNum": "ACME-0001",
            "memo": "in_123",
            "startDate": "2026-10-01",
            "endDate": "2026-10-31",
            "item": {
                "items": [
                    line(
                        "37.5",
                        quantity=3,
                        rate=D("12.5"),
                        description="Resolved cases, Oct\nsecond line",
                        revRecStartDate="2026-10-01",
                        revRecEndDate="2026-10-31",
                    ),
                    {"item": {"externalId": "item_resolution"}, "quantity": D("2.5"), "rate": D("0.333")},
                    line("-10", "item_discount"),
                    line("7.13", "item_tax"),
                ]
            },
        }
        id_ = await netsuite.save("invoice", "inv_in_123", body, replace="item")

        shown = await netsuite.get("invoice", id_)

        assert [one["amount"] for one in shown["item"]["items"]] == [D("37.50"), D("0.83"), -10, D("7.13")]
        assert [one["line"] for one in shown["item"]["items"]] == [1, 2, 3, 4]
        first = shown["item"]["items"][0]
        assert (first["quantity"], first["rate"], first["revRecStartDate"], first["revRecEndDate"]) == (
            3,
            D("12.5"),
            "2026-10-01",
            "2026-10-31",
        )
        assert first["description"] == "Resolved cases, Oct\nsecond line"
        assert (shown["total"], shown["amountPaid"], shown["amountRemaining"]) == (D("35.46"), 0, D("35.46"))
        assert {
            name: shown[name] for name in ("tranDate", "dueDate", "otherRefNum", "memo", "externalId", "status")
        } == {
            "tranDate": "2026-11-02",
            "dueDate": "2026-12-02",
            "otherRefNum": "ACME-0001",
            "memo": "in_123",
            "externalId": "inv_in_123",
            "status": "Open",
        }
        assert shown["postingPeriod"]["refName"] == "Nov 2026"
        assert shown["account"]["refName"] == "Accounts Receivable"
        assert await ledger(netsuite, id_) == {"20": D("35.46"), "40": D("-38.33"), "41": 10, "30": D("-7.13")}

    async def test_a_yen_has_no_decimals_and_terms_make_the_due_date(self, netsuite: Driver) -> None:
        await netsuite.record(
            "PATCH",
            "customer/eid:cus_acme",
            {"terms": {"id": "2"}, "currencyList": {"items": [{"currency": {"id": "4"}}]}},
        )
        id_ = await netsuite.an_invoice("inv_yen", "100.5", currency={"id": "4"})

        shown = await netsuite.get("invoice", id_)

        assert (shown["total"], shown["dueDate"], shown["exchangeRate"]) == (101, "2026-12-02", D("0.0068"))

    async def test_an_upsert_of_the_same_lines_doubles_them_unless_they_are_replaced(self, netsuite: Driver) -> None:
        """Also lines by number: one is changed, another taken away."""
        id_ = await netsuite.an_invoice("inv_1", "10", "20")
        body = {"item": {"items": [line("10"), line("20")]}}
        await netsuite.save("invoice", "inv_1", body)
        assert (await netsuite.get("invoice", id_))["total"] == 60

        await netsuite.save("invoice", "inv_1", body, replace="item")
        assert (await netsuite.get("invoice", id_))["total"] == 30

        await netsuite.save("invoice", "inv_1", {"item": {"items": [{"line": 2, "amount": D("25")}]}})
        assert (await netsuite.get("invoice", id_))["total"] == 35
        await netsuite.save("invoice", "inv_1", {"item": {"items": [{"line": 2}, line("1")]}}, replace="item")
        shown = await netsuite.get("invoice", id_)
        assert [(one["line"], one["amount"]) for one in shown["item"]["items"]] == [(2, 25), (3, 1)]

    async def test_null_clears_and_what_is_left_out_stays(self, netsuite: Driver) -> None:
        id_ = await netsuite.an_invoice("inv_1", "10", memo="a", otherRefNum="b")
        await netsuite.record("PATCH", f"invoice/{id_}", {"memo": None})
        shown = await netsuite.get("invoice", id_)
        assert ("memo" in shown, shown["otherRefNum"]) == (False, "b")

        await netsuite.record("PATCH", f"invoice/{id_}", {}, replaceSelectedFields="true", replace="otherRefNum")
        assert "otherRefNum" not in await netsuite.get("invoice", id_)

    async def test_what_is_paid_and_credited_is_taken_off(self, netsuite: Driver) -> None:
        """100 less 60 paid less 25 credited leaves 15; one more payment closes it."""
        id_ = await netsuite.an_invoice("inv_1", "100")
        await pay(netsuite, "pay_1", "inv_1", "60")
        credit = {
            "entity": {"externalId": "cus_acme"},
            "item": {"items": [line("25")]},
            "apply": applied("inv_1", "25"),
        }
        await netsuite.save("creditMemo", "cn_1", credit, replace="item,apply")

        shown = await netsuite.get("invoice", id_)
        assert (shown["amountPaid"], shown["amountRemaining"], shown["status"]) == (85, 15, "Open")
        assert (await netsuite.get("customer", "1"))["balance"] == 15

        await pay(netsuite, "pay_2", "inv_1", "15")
        shown = await netsuite.get("invoice", id_)
        assert (shown["amountRemaining"], shown["status"]) == (0, "Paid In Full")

    async def test_cannot_become_less_than_what_is_paid_nor_be_deleted(self, netsuite: Driver) -> None:
        id_ = await netsuite.an_invoice("inv_1", "100")
        await pay(netsuite, "pay_1", "inv_1", "60")

        less = await netsuite.record("PATCH", f"invoice/{id_}", {"item": {"items": [{"line": 1, "amount": D("59")}]}})
        gone = await netsuite.record("DELETE", f"invoice/{id_}")

        assert (less.status_code, gone.status_code) == (400, 400)
        assert "linked to by other transactions" in gone.json()["o:errorDetails"][0]["detail"]
        assert (await netsuite.get("invoice", id_))["total"] == 100


class TestCreditMemo:
    async def test_unapplied_until_it_is_applied_and_a_write_off_uses_a_bad_debt_item(self, netsuite: Driver) -> None:
        invoice = await netsuite.an_invoice("inv_1", "100")
        body = {"entity": {"externalId": "cus_acme"}, "item": {"items": [line("100", "item_bad_debt")]}, "memo": "wo"}
        id_ = await netsuite.save("creditMemo", "wo_1", body, replace="item")
        shown = await netsuite.get("creditMemo", id_)
        assert (shown["total"], shown["applied"], shown["unapplied"], shown["status"]) == (100, 0, 100, "Open")

        await netsuite.save("creditMemo", "wo_1", {"apply": applied("inv_1")}, replace="apply")
        shown = await netsuite.get("creditMemo", id_)
        assert (shown["applied"], shown["unapplied"], shown["status"]) == (100, 0, "Fully Applied")
        assert shown["apply"]["items"][0]["doc"]["id"] == invoice
        assert (await netsuite.get("invoice", invoice))["amountRemaining"] == 0
        assert await ledger(netsuite, id_) == {"20": -100, "51": 100}

        await netsuite.save("creditMemo", "wo_1", {"apply": applied("inv_1", apply=False)})
        assert (await netsuite.get("invoice", invoice))["amountRemaining"] == 100


class TestPayment:
    async def test_goes_into_undeposited_funds_or_a_bank_and_keeps_what_is_not_applied(self, netsuite: Driver) -> None:
        await netsuite.an_invoice("inv_1", "100")
        id_ = await pay(netsuite, "pay_1", "inv_1", "60")
        body = {"customer": {"externalId": "cus_acme"}, "payment": 70, "account": {"id": "10"}}
        bank = await netsuite.save("customerPayment", "pay_2", {**body, "apply": applied("inv_1", "40")})

        shown, other = await netsuite.get("customerPayment", id_), await netsuite.get("customerPayment", bank)

        assert (shown["total"], shown["applied"], shown["unapplied"]) == (60, 60, 0)
        assert (shown["undepFunds"], shown["account"]["id"], shown["status"]) == (True, "25", "Not Deposited")
        assert (other["undepFunds"], other["unapplied"], other["status"]) == (False, 30, "Deposited")
        assert await ledger(netsuite, bank) == {"10": 70, "20": -70}

    async def test_transform_makes_the_payment_of_an_invoice(self, netsuite: Driver) -> None:
        """All that is left of it, into Undeposited Funds, unless the body says otherwise."""
        id_ = await netsuite.an_invoice("inv_1", "100")
        made = await netsuite.record("POST", f"invoice/{id_}/!transform/customerPayment", {"externalId": "pay_1"})
        assert made.status_code == 204

        shown = await netsuite.get("customerPayment", "eid:pay_1")
        assert (shown["payment"], shown["unapplied"], shown["undepFunds"]) == (100, 0, True)
        assert made.headers["Location"].endswith(f"/customerPayment/{shown['id']}")

    async def test_transform_makes_the_credit_memo_of_an_invoice(self, netsuite: Driver) -> None:
        id_ = await netsuite.an_invoice("inv_1", "60", "40")
        await netsuite.record("POST", f"invoice/{id_}/!transform/creditMemo", {"externalId": "cn_1"})

        assert (await netsuite.get("creditMemo", "eid:cn_1"))["total"] == 100
        assert (await netsuite.get("invoice", id_))["amountRemaining"] == 0


class TestRefund:
    async def test_gives_back_a_credit_and_an_overpayment(self, netsuite: Driver) -> None:
        """30 of a credit memo from the bank; a dispute takes 20 of a payment out of Undeposited Funds."""
        await netsuite.an_invoice("inv_1", "100")
        credit = {"entity": {"externalId": "cus_acme"}, "item": {"items": [line("30")]}}
        credit_id = await netsuite.save("creditMemo", "cn_1", credit)
        refund = {"customer": {"externalId": "cus_acme"}, "account": {"id": "10"}, "apply": applied("cn_1", "30")}
        refund_id = await netsuite.save("customerRefund", "re_1", refund, replace="apply")
        assert (await netsuite.get("creditMemo", credit_id))["unapplied"] == 0
        assert (await netsuite.get("customerRefund", refund_id))["total"] == 30
        assert await ledger(netsuite, refund_id) == {"10": -30, "20": 30}

        body = {"customer": {"externalId": "cus_acme"}, "payment": 50, "undepFunds": True}
        payment_id = await netsuite.save("customerPayment", "pay_1", body)
        dispute = {"customer": {"externalId": "cus_acme"}, "account": {"id": "25"}, "apply": applied("pay_1", "20")}
        await netsuite.save("customerRefund", "dp_1", dispute, replace="apply")
        assert (await netsuite.get("customerPayment", payment_id))["unapplied"] == 30


class TestDeposit:
    async def payout(self, netsuite: Driver) -> tuple[str, str, str]:
        """Payments of 100 and 50, a refund of 20, fees of 4.35 and a reserve of 1 kept back: 124.65."""
        await netsuite.an_invoice("inv_1", "150")
        first = await pay(netsuite, "pay_1", "inv_1", "100")
        second = await pay(netsuite, "pay_2", "inv_1", "50")
        await netsuite.save(
            "creditMemo", "cn_1", {"entity": {"externalId": "cus_acme"}, "item": {"items": [line("20")]}}
        )
        refund = {"customer": {"externalId": "cus_acme"}, "account": {"id": "25"}, "apply": applied("cn_1", "20")}
        back = await netsuite.save("customerRefund", "re_1", refund)
        picked = [{"id": {"id": one}, "deposit": True} for one in (first, second)]
        body = {
            "account": {"id": "10"},
            "tranDate": "2026-11-05",
            "memo": "po_1",
            "payment": {"items": [*picked, {"id": {"externalId": "re_1"}, "deposit": True}]},
            "other": {
                "items": [{"account": {"id": "50"}, "amount": D("-4.35"), "memo": "fees", "entity": {"id": "1"}}]
            },
            "cashBack": {"items": [{"account": {"id": "52"}, "amount": 1}]},
        }
        return await netsuite.save("deposit", "po_1", body, replace="payment,other,cashBack"), first, back

    async def test_is_the_payout_less_its_fees(self, netsuite: Driver) -> None:
        id_, payment, _ = await self.payout(netsuite)

        shown = await netsuite.get("deposit", id_)

        assert (shown["total"], shown["memo"], shown["currency"]["id"]) == (D("124.65"), "po_1", "1")
        assert [one["paymentAmount"] for one in shown["payment"]["items"]] == [100, 50, -20]
        assert (await netsuite.get("customerPayment", payment))["status"] == "Deposited"
        rows = (await netsuite.control("GET", "dump"))["ledger"]
        undeposited = sum(D(row["amount"]) for row in rows if row["account"] == "25")
        bank = sum(D(row["amount"]) for row in rows if row["account"] == "10")
        assert (undeposited, bank) == (0, D("124.65"))

    async def test_a_payment_is_deposited_once_and_stands_then(self, netsuite: Driver) -> None:
        """Another deposit cannot pick it; its amount cannot change; it cannot be deleted; taken out again it can."""
        id_, payment, refund = await self.payout(netsuite)
        other = {"account": {"id": "10"}, "payment": {"items": [{"id": {"id": payment}, "deposit": True}]}}

        twice = await netsuite.record("PUT", "deposit/eid:po_2", other)
        more = await netsuite.record("PATCH", f"customerPayment/{payment}", {"payment": 101})
        less = await netsuite.record("PATCH", f"customerRefund/{refund}", {"apply": applied("cn_1", "19")})
        gone = await netsuite.record("DELETE", f"customerPayment/{payment}")

        assert [one.status_code for one in (twice, more, less, gone)] == [400, 400, 400, 400]
        assert "matching line for sublist payment" in twice.json()["o:errorDetails"][0]["detail"]
        await netsuite.save("deposit", "po_1", {"payment": {"items": [{"id": {"id": payment}, "deposit": False}]}})
        assert (await netsuite.get("deposit", id_))["total"] == D("24.65")
        assert (await netsuite.record("DELETE", f"customerPayment/{payment}")).status_code == 204


class TestJournal:
    async def test_balances(self, netsuite: Driver) -> None:
        def lines(credit: str) -> dict[str, Any]:
            items = [{"account": {"id": "50"}, "debit": 5}, {"account": {"id": "10"}, "credit": D(credit), "memo": "x"}]
            return {"subsidiary": {"id": "1"}, "line": {"items": items}}

        id_ = await netsuite.save("journalEntry", "je_1", lines("5.00"))
        refused = await netsuite.record("PUT", "journalEntry/eid:je_2", lines("4.99"))

        assert await ledger(netsuite, id_) == {"50": 5, "10": -5}
        assert "must balance" in refused.json()["o:errorDetails"][0]["detail"]


class TestReading:
    async def test_sublists_are_links_until_they_are_expanded_or_asked_for(self, netsuite: Driver) -> None:
        """The whole list, one line by its number, one application by its document; enumerations in both forms."""
        id_ = await netsuite.an_invoice("inv_1", "10", "20")
        payment = await pay(netsuite, "pay_1", "inv_1", "5")
        base = f"{netsuite.url}/services/rest/record/v1/invoice/{id_}"

        plain = (await netsuite.record("GET", f"invoice/{id_}")).json()
        lines = (await netsuite.record("GET", "invoice/eid:inv_1/item")).json()
        line_two = (await netsuite.record("GET", f"invoice/{id_}/item/2")).json()
        application = (await netsuite.record("GET", f"customerPayment/{payment}/apply/{id_}")).json()

        assert plain["item"] == {"links": [{"rel": "self", "href": f"{base}/item"}]}
        assert plain["status"] == {"id": "Open", "refName": "Open"}
        assert (lines["totalResults"], lines["items"][1]) == (2, line_two)
        assert (line_two["amount"], line_two["item"]["refName"]) == (20, "item_resolution")
        assert (application["amount"], application["total"], application["due"]) == (5, 30, 30)
        assert (await netsuite.record("GET", f"invoice/{id_}/item/3")).status_code == 404

    async def test_only_the_fields_that_are_asked_for(self, netsuite: Driver) -> None:
        id_ = await netsuite.an_invoice("inv_1", "10", memo="x")
        shown = (await netsuite.record("GET", f"invoice/{id_}", fields="memo,total")).json()
        assert shown.keys() == {"links", "id", "memo", "total"}
        assert (await netsuite.record("GET", f"invoice/{id_}", fields="memmo")).status_code == 400


class TestMatching:
    async def test_an_application_stays_within_customer_currency_subsidiary_and_receivable(
        self, netsuite: Driver
    ) -> None:
        """Each other one alone is not on the list: another customer, currency, A/R account; paid already."""
        await netsuite.record(
            "PATCH", "customer/eid:cus_irish", {"currencyList": {"items": [{"currency": {"id": "1"}}]}}
        )
        irish = {"customer": "cus_irish", "otherRefNum": "PO"}
        await netsuite.an_invoice("inv_eur", "10", **irish)
        await netsuite.an_invoice("inv_usd", "10", **irish, currency={"id": "1"})
        await netsuite.an_invoice("inv_ar", "10", **irish, account={"id": "21"})
        await netsuite.an_invoice("inv_acme", "10")
        await netsuite.an_invoice("inv_paid", "10", **irish)
        body = {"customer": {"externalId": "cus_irish"}, "payment": 10, "undepFunds": True, "arAcct": {"id": "20"}}
        await netsuite.save("customerPayment", "pay_0", {**body, "apply": applied("inv_paid", "10")})

        answers = {
            invoice: await netsuite.record(
                "PUT", f"customerPayment/eid:pay_{invoice}", {**body, "apply": applied(invoice, "10")}
            )
            for invoice in ("inv_usd", "inv_ar", "inv_acme", "inv_paid", "inv_eur")
        }

        assert {invoice: answer.status_code for invoice, answer in answers.items()} == {
            "inv_usd": 400,
            "inv_ar": 400,
            "inv_acme": 400,
            "inv_paid": 400,
            "inv_eur": 204,
        }
        for invoice, answer in answers.items():
            said = "" if answer.status_code == 204 else answer.json()["o:errorDetails"][0]["detail"]
            assert said.startswith("Error while accessing a resource. Unable to find a matching line") or (
                invoice == "inv_eur"
            )
