"""`settled golden`: what was computed by hand, through the pure functions or through the running service."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from event_schemas.contract_v2 import ContractRefused, ContractV2, read_contract
from event_schemas.contracts import Contract
from event_schemas.times import iso, parse_instant
from pricing.agreed import terms_of
from pricing.golden import answer, rounding_point, written
from pricing.terms import Terms
from settled_cli.contracts import agree
from settled_cli.fleet import Fleet, Plan
from settled_cli.line import Line

Case = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    One case held against its expectation; `got` is None where it is not run.

    `note` says why it is not run, or what of it is not compared.
    """

    id: str
    title: str
    expected: Any
    got: Any
    note: str = ""

    @property
    def state(self) -> str:
        """ok, miss or not run."""
        if self.got is None:
            return "not run"
        return "ok" if self.got == self.expected else "miss"


def read(path: Path) -> tuple[list[Case], list[Case]]:
    """The decisions and the invoice cases of a file of the golden format."""
    document = whole(path)
    return document.get("outcome_cases", []), document.get("cases", [])


def whole(path: Path) -> Case:
    """A file of the golden format."""
    document: Case = yaml.safe_load(path.read_text())
    return document


def not_run(cases: Iterable[Case]) -> list[Verdict]:
    """Invoice cases, where only decisions are asked for."""
    note = "an invoice: --through engine, contract or service"
    return [Verdict(case["id"], case["title"], case["expected"], None, note) for case in cases]


def through_function(cases: list[Case]) -> list[Verdict]:
    """Decide in rating's own process, without any service."""
    result = subprocess.run(
        [sys.executable, "-m", "usage_rating", "decide"],
        input=json.dumps({"cases": cases}, default=str),
        capture_output=True,
        text=True,
        check=True,
    )
    decided = {case.pop("id"): case for case in json.loads(result.stdout)["cases"]}
    return [Verdict(case["id"], case["title"], case["expected"], decided[case["id"]]) for case in cases]


def through_engine(path: Path) -> list[Verdict]:
    """Invoice cases and points of rounding through the pricing engine; an invoice agrees line by line or misses."""
    document = yaml.safe_load(path.read_text())
    verdicts = _invoices(document, lambda terms: terms)
    for point in document.get("rounding_points", []):
        title = f"{point['exact']} is rounded to {point['rounded']}"
        verdicts.append(Verdict(f"rounding {point['exact']}", title, point["rounded"], rounding_point(point)))
    return verdicts


def through_contract(path: Path) -> list[Verdict]:
    """
    Invoice cases by the contract that says them: written as JSON, read and checked as one from the bus, priced by the
    engine. Tax rates and what came late are no part of a contract: the engine is told them, as ever.
    """
    return _invoices(yaml.safe_load(path.read_text()), by_contract)


def by_contract(terms: Terms) -> Terms:
    """
    The terms of the contract that says these terms.

    Raises:
        ContractRefused: a contract cannot say them.
    """
    contract = read_contract(json.loads(json.dumps(written(terms))))
    assert isinstance(contract, ContractV2)
    return terms_of(contract)


def _invoices(document: Case, agree: Callable[[Terms], Terms]) -> list[Verdict]:
    verdicts = []
    for case in document.get("cases", []):
        try:
            expected, said = answer(case, document.get("price_tables", {}), agree=agree)
        except ContractRefused as refused:
            expected, said = case["expected"], {"refused": str(refused)}
        verdicts.append(Verdict(case["id"], case["title"], expected, said))
    return verdicts


async def through_service(cases: list[Case], say: Callable[[str], None]) -> list[Verdict]:
    """
    Send each case through HTTP, Kafka and PostgreSQL, as a customer and conversation of its own.

    It starts a stack of its own and steps business time through the `evaluate_at` values in order.
    """
    ordered = sorted(cases, key=lambda case: case["evaluate_at"])
    start = parse_instant(ordered[0]["evaluate_at"]) - timedelta(hours=1)
    verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory(prefix="settled-golden-") as folder:
        fleet = Fleet(Path(folder), fsync=False)
        services = ("sandbox", "usage-ingest", "rating")  # whose quiet is waited for at each step
        try:
            fleet.up(Plan(clock_start=iso(start), services=(*services, "contracts")), say)
            async with Line(fleet, services=services) as line:
                say("agreeing the contracts")
                contracts = tuple(_contract(case) for case in cases)
                await agree(line, contracts)
                await line.quiet(iso(start))
                for instant, group in groupby(ordered, key=lambda case: case["evaluate_at"]):
                    say(f"business time is {instant}")
                    verdicts += await _evaluate(line, instant, list(group))
        finally:
            fleet.down(remove_state=True)
    place = {case["id"]: number for number, case in enumerate(cases)}
    return sorted(verdicts, key=lambda verdict: place[verdict.id])


async def _evaluate(line: Line, instant: str, cases: list[Case]) -> list[Verdict]:
    events = [event for case in cases for event in _events(case)]
    await line.step(instant, [json.dumps(events).encode()])
    verdicts = []
    for case in cases:
        found = await line.get("rating", f"/v1/conversations/{_customer(case)}/{case['id']}")
        verdicts.append(Verdict(case["id"], case["title"], case["expected"], _golden_form(found["entries"])))
    return verdicts


def _customer(case: Case) -> str:
    return f"golden-{case['id'].lower()}"


def _contract(case: Case) -> Contract:
    policy = {"version": "golden", **case.get("policy", {})}
    if "window_hours" in policy:
        policy["window_hours"] = {"default": policy["window_hours"]}
    return Contract.model_validate(
        {
            "customer": _customer(case),
            "name": f"Golden {case['id']}",
            "issuer": "settled-us",
            "billing_email": f"billing@{_customer(case)}.example",
            "channel": "self_serve",
            "currency": "USD",
            "billing_anchor": "2026-01-01T00:00:00Z",
            "revision": 1,
            "timeline": [{"effective_from": "2026-01-01T00:00:00Z", "policy": policy}],
            "metered": [{"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "0.99"}}],
        }
    )


_DATA = {"intent": "intent", "as": "flag", "conversation": "into", "outcome_type": "outcome_type", "channel": "channel"}


def _events(case: Case) -> list[dict[str, Any]]:
    made = []
    for place, event in enumerate(case["events"]):
        name = "customer_message" if event["type"] == "customer" else event["type"]
        resolution = name == "resolution"
        data = {"state": event["state"]} if resolution else {"signal": name}
        data |= {ours: event[theirs] for theirs, ours in _DATA.items() if theirs in event}
        made.append(
            {
                "specversion": "1.0",
                "id": event.get("id", f"event-{place}"),
                "source": "urn:golden",
                "type": "resolution" if resolution else "conversation.signal",
                "subject": case["id"],
                "time": event["at"],
                "customer": _customer(case),
                "data": data,
            }
        )
    return made


def _golden_form(entries: list[dict[str, Any]]) -> dict[str, Any]:
    ledger = []
    net = 0
    for entry in sorted(entries, key=lambda entry: entry["ordinal"]):
        line = {"at": iso(parse_instant(entry["caused_at"])), "op": entry["op"]}
        if entry["op"] == "charge":
            net += 1
            line |= {"type": entry["meter"], "how": entry["how"]}
        else:
            net -= 1
            line["reason"] = entry["reason"]
        ledger.append(line)
    return {"net": net, "ledger": ledger}
