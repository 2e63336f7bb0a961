"""A new tiered price, an add-on and its usage fee go live by YAML alone, and nothing that was invoiced moves."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from event_schemas.times import iso
from invoicing_sync.testing import a_charge
from settled_cli.fleet import Fleet, Plan
from settled_cli.golden_invoices import Ledger
from settled_cli.line import Line

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.asyncio(loop_scope="module"),
]

SETTLED = str(Path(sys.executable).parent / "settled")
SHIPPED = Path(__file__).parents[2] / "services" / "contracts" / "catalog"
SERVICES = ("sandbox", "contracts", "invoicing-sync")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MARCH, APRIL, MAY = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4, 5))
FREEZE = timedelta(minutes=31)
# What a person writes into the folder on 1 April.
SMS = {"scheme": "graduated", "tiers": [{"up_to": 100, "unit_price": "0.10"}, {"unit_price": "0.05"}]}
VIDEO = {"scheme": "graduated", "tiers": [{"up_to": 60, "unit_price": "0.50"}, {"unit_price": "0.25"}]}


class Months:
    """The line after two months, and what the old customer's first invoice was before and after the new prices."""

    def __init__(self, folder: Path) -> None:
        self.catalog, self.state = folder / "catalog", folder / "state"
        self.fleet = Fleet(self.state, fsync=False)
        self.planned: list[str] = []
        self.first: list[dict[str, Any]] = []
        shutil.copytree(SHIPPED, self.catalog)

    def settled(self, *arguments: str) -> Any:
        """A command of the line, as a person types it."""
        env = os.environ | {"SETTLED_STATE": str(self.state)}
        command = [SETTLED, "catalog", *arguments, str(self.catalog), "--json"]
        said = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        assert said.stdout, said.stderr
        return json.loads(said.stdout)

    def write(self, file: str, kind: str, **entries: Any) -> None:
        path = self.catalog / file
        document = yaml.safe_load(path.read_text())
        document[kind] |= entries
        path.write_text(yaml.safe_dump(document, sort_keys=False))

    async def live(self, line: Line) -> None:
        """Two months of an old customer, the second of them beside a new one."""
        self.line, self.ledger = line, Ledger(self.fleet)
        await self.ledger.open()
        try:
            assert self.settled("apply")["changes"]
            await self.at(MARCH)
            await self.sign_up("old", MARCH)
            await self.at(MARCH + 5 * DAY, old={"sms_segment": "600"})
            await self.at(APRIL - HOUR)
            await self.at(APRIL)
            await self.at(APRIL + FREEZE)
            self.first.append(await self.invoice("old", APRIL))
            self.new_prices()
            await self.sign_up("new", APRIL)
            await self.do("old", do="add_add_on", add_on="video_calls", at=iso(APRIL + 15 * DAY))
            await self.do("new", do="add_add_on", add_on="video_calls", at=iso(APRIL))
            await self.at(APRIL + 15 * DAY)
            await self.at(
                APRIL + 16 * DAY,
                old={"sms_segment": "600", "video_minute": "100"},
                new={"sms_segment": "600", "video_minute": "100"},
            )
            await self.at(MAY - HOUR)
            await self.at(MAY)
            await self.at(MAY + FREEZE)
            self.first.append(await self.invoice("old", APRIL))
        finally:
            await self.ledger.close()

    def new_prices(self) -> None:
        in_all = dict.fromkeys(("USD", "EUR", "GBP"), VIDEO)
        sms = yaml.safe_load((self.catalog / "usage.yaml").read_text())["usage_prices"]["us_sms"]
        self.write("frame.yaml", "meters", video_minute={"name": "Video", "kind": "usage", "unit": "minute"})
        self.write(
            "usage.yaml",
            "usage_prices",
            video={"name": "Video above what is included", "meter": "video_minute", "prices": in_all},
            us_sms=sms | {"version": 2, "prices": sms["prices"] | {"USD": SMS}},
        )
        self.write(
            "add-ons.yaml",
            "add_ons",
            video_calls={
                "name": "Video calls, 20 minutes included",
                "sold_in": ["USD", "EUR", "GBP"],
                "prices": {"USD": "50", "EUR": "46", "GBP": "40"},
                "usage": ["video"],
                "allowances": {"video_minute": 20},
            },
        )
        self.planned = [change["sentence"] for change in self.settled("plan")["changes"]]
        self.settled("apply")

    async def at(self, moment: datetime, **used: dict[str, str]) -> None:
        await self.line.advance(iso(moment))
        async with asyncio.timeout(30):
            while not (await self.line.get("contracts", "/quiet", at=iso(moment)))["quiet"]:
                await asyncio.sleep(0.01)
        entries = [
            a_charge(f"{who}-{meter}-{iso(moment)}", seq=0, at=moment, customer=who, meter=meter, quantity=quantity)
            for who, meters in used.items()
            for meter, quantity in meters.items()
        ]
        await self.ledger.add(entries, read_up_to=moment)
        await self.line.quiet(iso(moment))

    async def sign_up(self, customer: str, at: datetime) -> None:
        terms = {"name": customer, "issuer": "settled-us", "currency": "USD", "plan": "essential_monthly", "seats": 1}
        email = f"billing@{customer}.example"
        await self.do(customer, do="sign_up", at=iso(at), terms=terms | {"billing_email": email})

    async def do(self, customer: str, **command: Any) -> None:
        whole = {"key": f"{customer}-{command['do']}", "actor": "person:ann", "reason": "as agreed"} | command
        await self.line.post("contracts", f"/v1/contracts/{customer}/commands", whole)

    async def invoice(self, customer: str, day: datetime) -> dict[str, Any]:
        found = (await self.line.get("invoicing-sync", "/v1/invoices", customer=customer, limit=100))["invoices"]
        [one] = [one for one in found if one["period_end"] == iso(day) and one["lines"]]
        assert one["released_at"], one
        return {key: value for key, value in one.items() if key != "read_at"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def months(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Months]:
    months = Months(tmp_path_factory.mktemp("prices"))
    try:
        env = {"GATE_S": "0.2", "SWEEP_S": "1", "SETTLE_S": "1", "RECHECK_S": "1"}
        months.fleet.up(Plan(clock_start=iso(MARCH - DAY), services=SERVICES, env=env))
        async with Line(months.fleet, services=SERVICES) as line:
            await months.live(line)
            yield months
    finally:
        months.fleet.down(remove_state=True)


async def test_the_plan_says_what_goes_live(months: Months) -> None:
    said = "\n".join(months.planned)

    for words in (
        "the meter video_minute is new",
        "the usage price video is new",
        "the add-on video_calls is new",
        "version 2 of the usage price us_sms: prices.USD.tiers.0.up_to 500 -> 100",
        "1 customer stays on version 1",
    ):
        assert words in said


async def test_who_signed_before_keeps_his_price_and_buys_the_new_add_on(months: Months) -> None:
    """500 segments at 0.06 and 100 at 0.03; half of April's 50.00; 80 minutes, 60 at 0.50 and 20 at 0.25."""
    found = await months.invoice("old", MAY)

    assert amounts(found) == [
        ("advance", "essential_seat", 3900),
        ("advance", "video_calls", 5000),
        ("proration", "video_calls", 2500),
        ("usage", "sms_segment", 300),
        ("usage", "sms_segment", 3000),
        ("usage", "video_minute", 500),
        ("usage", "video_minute", 3000),
    ]


async def test_who_signs_after_has_the_new_ones(months: Months) -> None:
    """100 segments at 0.10 and 500 at 0.05."""
    found = await months.invoice("new", MAY)

    assert [line for line in amounts(found) if line[1] == "sms_segment"] == [
        ("usage", "sms_segment", 1000),
        ("usage", "sms_segment", 2500),
    ]
    lines = [line for line in found["lines"] if line["item"] == "sms_segment" and line["amount_minor"]]
    versions = {line["why"]["price_version"] for line in lines}
    assert versions == {"usage_prices/us_sms/2"}


async def test_the_old_invoice_is_the_same_in_every_field(months: Months) -> None:
    """
    Its reasons too, but for the words of two: the contract was said in version 1 and is in version 2, since the add-on.
    """
    before, after = [first | {"lines": [_in_version_2(line) for line in first["lines"]]} for first in months.first]

    assert before == after
    assert amounts(before) == [
        ("advance", "essential_seat", 3900),
        ("usage", "sms_segment", 300),
        ("usage", "sms_segment", 3000),
    ]


def amounts(invoice: dict[str, Any]) -> list[tuple[str, str, int]]:
    return sorted(
        (line["kind"], line["item"], line["amount_minor"]) for line in invoice["lines"] if line["amount_minor"]
    )


def _in_version_2(line: dict[str, Any]) -> dict[str, Any]:
    why = line["why"] and {key: value for key, value in line["why"].items() if key not in ("clause", "price_version")}
    return line | {"why": why}
