"""What people ask of a line: each command on a real month, in words, as JSON and as CSV, and what it says no to."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal

import pytest

from tests.e2e.conftest import Month

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(1200)]

CUSTOMER = "customer-0004"
LIBRARY = re.compile(r"Traceback|KeyError|Input should|refused GET|\bErrno\b|pydantic")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_running_month_is_what_the_contract_prices(month: Month) -> None:
    code, facts = month.settled("usage", CUSTOMER)
    sheet = month.said("usage", CUSTOMER, "--csv")
    told = month.said("usage", CUSTOMER)

    period = facts["period"]
    assert (code, sheet.returncode, told.returncode) == (0, 0, 0)
    assert (period["start"], period["end"]) == ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")
    assert sum(line["amount_minor"] for line in period["expected"]) == period["total_minor"]
    amounts = [Decimal(row["amount"]) for row in rows(sheet.stdout)]
    assert sum(amounts) == Decimal(period["total_minor"]).scaleb(-2)
    assert "The invoice as it would be now" in told.stdout
    assert "Pending:" in told.stdout


def test_cases_of_rating_and_of_the_door_stand_together(month: Month) -> None:
    code, found = month.settled("cases")
    told = month.said("cases")
    sheet = rows(month.said("cases", "--csv").stdout)

    assert code == 0
    assert {case["id"][0] for case in found} >= {"R"}
    assert all(case["sentence"] and case["do"] for case in found)
    assert [row["id"] for row in sheet] == [case["id"] for case in found]
    assert all(re.search(rf"^{case['id']} ", told.stdout, re.MULTILINE) for case in found)


def test_contracts_deliveries_and_invoices_are_listed_whole(month: Month) -> None:
    _, contracts = month.settled("contracts", "list")
    _, shown = month.settled("contracts", "show", CUSTOMER)
    _, deliveries = month.settled("deliveries", "--customer", CUSTOMER, "--limit", "2000")
    _, invoices = month.settled("explain", CUSTOMER)
    lines = rows(month.said("explain", CUSTOMER, "--csv").stdout)

    assert len(contracts) == 26
    assert shown["document"]["customer"] == CUSTOMER
    assert {each["customer"] for each in deliveries} == {CUSTOMER}
    assert len(lines) == sum(len(invoice["lines"]) for invoice in invoices)
    assert {row["currency"] for row in lines} == {invoices[0]["currency"].upper()}


def test_one_picture_of_the_line_shows_both_equations(month: Month) -> None:
    told = month.said("watch", "--once", "--every", "0.2")

    assert told.returncode == 0
    assert told.stdout.count("✓ holds") == 2
    assert "does not answer" not in told.stdout


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("usage nobody", "no contract of nobody is known here"),
        ("explain nobody", "no contract of nobody is known here"),
        ("explain in_none", "no invoice in_none is known here"),
        ("explain in_none il_none", "`settled explain in_none` lists its lines"),
        (f"explain {CUSTOMER} --correction 2020-01-01", "came after its freeze"),
        (f"explain --customer {CUSTOMER} --conversation none", f"{CUSTOMER} has no conversation none"),
        ("contracts show nobody", "`settled contracts list` shows whose are"),
        ("cases close D999999 --reason nothing", "no case D999999 is known here"),
        ("deliveries --state bogus", "state must be one of"),
        ("dead-letters --reason bogus", "reason must be one of"),
        ("usage -x-", None),
        ("usage a/b", None),
    ],
)
def test_what_is_unknown_or_wrong_is_a_sentence(command: str, sentence: str | None, month: Month) -> None:
    ended = month.said(*command.split())

    assert ended.returncode == (1 if sentence else ended.returncode)
    assert ended.returncode in (1, 2)
    assert (sentence or "") in " ".join(ended.stderr.split())
    assert not LIBRARY.search(ended.stderr)


def test_a_revision_never_says_two_things_and_a_change_that_is_set_aside_is_told_at_once(month: Month) -> None:
    """Last in this file: the month gets a customer more. Its first period has begun, which is a case of its own."""
    begun = month.get("sandbox", "/_sandbox/clock")["now"][:8] + "01T00:00:00Z"

    def applied(revision: int, price: str) -> tuple[int, str]:
        file = month.folder / "newcomer.json"
        file.write_text(json.dumps({"contracts": [a_newcomer(revision, price, begun)]}))
        done = month.said("contracts", "apply", str(file))
        return done.returncode, done.stdout + done.stderr

    code, told = applied(1, "0.99")
    assert (code, "first_period_not_billed_in_advance" in told) == (0, True), told
    code, told = applied(1, "0.99")
    assert (code, told.count("✓ newcomer revision 1")) == (0, 1), told
    code, told = applied(1, "1.99")
    assert code == 1
    assert "says something else in metered.resolution.price.unit_price: raise revision to 2" in " ".join(told.split())
    assert (
        month.get("invoicing-sync", "/v1/contracts/newcomer")["document"]["metered"][0]["price"]["unit_price"] == "0.99"
    )
    code, told = applied(2, "1.99")
    assert (code, "revision 1 stays in force" in told, "contract_change_not_supported" in told) == (1, True, True), told


def a_newcomer(revision: int, price: str, begun: str) -> dict[str, object]:
    return {
        "customer": "newcomer",
        "name": "Newcomer Ltd",
        "issuer": "settled-us",
        "channel": "self_serve",
        "currency": "USD",
        "billing_email": "billing@newcomer.example",
        "billing_anchor": begun,
        "revision": revision,
        "timeline": [{"effective_from": begun, "policy": {"version": "standard-1"}}],
        "metered": [{"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": price}}],
        "licensed": [{"item": "essential_seat", "quantity": 2, "unit_price": "39"}],
    }
