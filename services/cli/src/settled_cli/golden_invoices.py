"""
Invoice cases of the golden file through the running service: each a customer of its own, on one line, in stepped time.

Its contract is agreed on through services/contracts, its usage lies on the ledger's topic, the door carries the
contract to Stripe and bills it; then the door is asked for the invoices of the days that the case expects. Lines are
compared as multisets of item, kind, quantity and amount; lines of amount 0 bill nothing and are left out. The door
names usage by its meter, says `proration` where the sign tells credit from debit, and counts what has no quantity once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from chassis import settings
from chassis.bus import BatchProducer, confirmed, partition_of_key
from event_schemas.times import iso, month_after, parse_instant
from event_schemas.values import decimal_text
from event_schemas.wire import Cause, ProgressData, RatedEntry, RatingProgress, UsageRated
from pricing.golden import Case, written
from pricing.golden.form import number
from pricing.terms import Licensed
from settled_cli.fleet import PARTITIONS, Fleet, Plan
from settled_cli.golden import Verdict
from settled_cli.line import Line

Fields = dict[str, Any]
SERVICES = ("sandbox", "contracts", "invoicing-sync")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
FREEZE = 31 * MINUTE  # the door freezes half an hour after a period's end
SETTLE_H = 24  # how long the door lets corrections settle

# Why a case is not run, or what of it is not compared, by what it gives.
NOT_RUN = {"charge_days": "it expects two amounts of a proration and no invoice"}
NOT_COMPARED = {
    "tax": "its tax, which comes with the tax door",
    "tax_variants": "its taxes, which come with the tax door",
    "card_step": "what a card can pay of it, which Stripe is not told",
    "points": "other quantities than that of its invoice",
}


@dataclass(frozen=True)
class Run:
    """A case on the line: its customer, and what happens to it when."""

    case: Case
    customer: str

    @classmethod
    def of(cls, raw: Mapping[str, Any], tables: Mapping[str, Any]) -> Run:
        """The run of a case."""
        return cls(Case(raw, tables), f"golden-{str(raw['id']).lower()}")

    @property
    def agreed_at(self) -> datetime:
        """An hour before anything of it begins."""
        return min([self.case.anchor, self.case.begin]) - HOUR

    def document(self) -> Fields:
        """The contract."""
        contract = written(self.case.terms, customer=self.customer)
        [billing] = contract["billing"]
        billing["billing_email"] = f"billing@{self.customer}.example"
        return contract

    def moments(self) -> Iterator[datetime]:
        """Where business time stops: at each change, half a day before each billing day, on it, and at its freeze."""
        last = self.case.billing_days[-1]
        changes = {at for item in self.case.terms.items for at in (item.start, item.until) if at is not None}
        changes |= {
            entry.at for item in self.case.terms.items if isinstance(item, Licensed) for entry in item.quantities
        }
        day, count = self.case.anchor, 0
        yield self.agreed_at
        while day <= last:
            yield from (day - 12 * HOUR, day, day + FREEZE)
            count += 1
            day = month_after(self.case.anchor, count)
        yield from (at for at in changes if self.agreed_at < at <= last)
        for entry in self.entries():
            yield entry.recorded_at
            if entry.recorded_at > entry.effective_at + HOUR:  # late
                yield entry.recorded_at + (SETTLE_H + 1) * HOUR

    def entries(self) -> Iterator[RatedEntry]:
        """The ledger of the case; what was reversed is a charge of its own, taken back an hour later."""
        for day in self.case.billing_days:
            for place, used in enumerate(self.case.usage(day)):
                name, at = f"{self.customer}/{day:%Y-%m-%d}/{place}", used.span.start + HOUR
                late = self.case.inputs.get("late_reversals", ())
                kept = used.charged - used.reversed - sum(each["qty"] for each in late)
                if kept > 0:
                    yield self._entry(f"{name}/kept", used.meter, kept, at)
                if used.reversed:
                    taken = self._entry(f"{name}/taken", used.meter, used.reversed, at)
                    yield taken
                    yield self._reversal(taken, at + HOUR)
                for count, each in enumerate(late):
                    taken = self._entry(f"{name}/late{count}", used.meter, Decimal(each["qty"]), at)
                    yield taken
                    yield self._reversal(taken, parse_instant(f"{each['noted']}T00:00:00Z"))
        yield from self._late()

    def _late(self) -> Iterator[RatedEntry]:
        """What comes a day after the close of its period."""
        for count, late in enumerate(self.case.inputs.get("late", ())):
            start = parse_instant(f"{late['event_period']}-01T00:00:00Z")
            meter = next(item.meter for item in self.case.terms.metered if item.key == late["item"])
            name, come = f"{self.customer}/{late['event_period']}/late{count}", month_after(start, 1) + 24 * HOUR
            entry = self._entry(name, meter, Decimal(late["qty"]), start + HOUR)
            yield msgspec.structs.replace(entry, recorded_at=come)

    def _entry(self, entry_id: str, meter: str, quantity: Decimal, at: datetime) -> RatedEntry:
        return RatedEntry(
            entry_id=entry_id,
            partition=0,
            seq=0,
            customer=self.customer,
            subject=entry_id,
            subject_kind="record",
            meter=meter,
            op="charge",
            ordinal=0,
            quantity=decimal_text(quantity),
            effective_at=at,
            caused_at=at,
            recorded_at=at,
            cause=Cause("golden", None, None, (("urn:golden", entry_id),)),
        )

    def _reversal(self, of: RatedEntry, at: datetime) -> RatedEntry:
        cause = Cause("golden", None, "customer_returned", (("urn:golden", of.entry_id),), of.entry_id)
        return msgspec.structs.replace(
            of, entry_id=f"{of.entry_id}/back", op="reverse", ordinal=1, caused_at=at, recorded_at=at, cause=cause
        )

    def expected(self) -> list[Fields]:
        """The invoices that the file expects, without taxes; one of several of a day, which differ by these alone."""
        by_day = {invoice["date"]: invoice for invoice in self.case.raw["expected"]["invoices"]}
        meters = {item.key: item.meter for item in self.case.terms.metered}
        return [
            {
                "date": day,
                "lines": _sorted(_told(line, meters) for line in invoice["lines"] if line["amount"]),
                "net": _net(invoice),
            }
            for day, invoice in by_day.items()
        ]

    def expected_notes(self) -> list[Fields]:
        """The credit notes that the file expects, without taxes."""
        notes = self.case.raw["expected"].get("credit_notes", ())
        return [{"for_invoice": note["for_invoice"], "net": note["net"]} for note in notes]

    def left_out(self) -> tuple[str, ...]:
        """What of the case is not compared."""
        given = {*self.case.inputs, *self.case.raw["expected"]}
        return tuple(why for key, why in NOT_COMPARED.items() if key in given)


def _net(invoice: Fields) -> int:
    return int(invoice.get("net", sum(line["amount"] for line in invoice["lines"])))


def _told(line: Mapping[str, Any], meters: Mapping[str, str]) -> Fields:
    """An expected line in the door's words."""
    return {
        "item": meters.get(line["item"], line["item"]),
        "kind": "proration" if line["kind"].startswith("proration_") else line["kind"],
        "qty": line.get("qty", 1),
        "amount": line["amount"],
    }


def _sorted(lines: Iterable[Fields]) -> list[Fields]:
    return sorted(lines, key=lambda line: (line["item"], line["kind"], line["amount"], str(line["qty"])))


def found(invoices: Iterable[Fields], days: Iterable[str]) -> list[Fields]:
    """The door's invoices of these days in the same form."""
    by_day: dict[str, list[Fields]] = {}
    for invoice in invoices:
        by_day.setdefault(invoice["period_end"][:10], []).append(invoice)
    answers = []
    for day in days:
        for invoice in by_day.get(day, ()):
            lines = [
                {
                    "item": line["item"],
                    "kind": line["kind"],
                    "qty": number(Decimal(line["quantity"])),
                    "amount": line["amount_minor"],
                }
                for line in invoice["lines"]
                if line["amount_minor"]
            ]
            said = {"date": day, "lines": _sorted(lines), "net": invoice["subtotal_minor"]}
            answers.append(said if invoice["released_at"] else said | {"held": invoice["held_reason"]})
    return answers


async def through_service(document: Fields, say: Callable[[str], None]) -> list[Verdict]:
    """Run the invoice cases of a file of the golden format on a line of their own."""
    verdicts, runs = list[Verdict](), list[Run]()
    for raw in document.get("cases", []):
        why = next((why for key, why in NOT_RUN.items() if key in raw["inputs"]), None)
        if why is None:
            runs.append(Run.of(raw, document.get("price_tables", {})))
        else:
            verdicts.append(Verdict(raw["id"], raw["title"], raw["expected"], None, why))
    with tempfile.TemporaryDirectory(prefix="settled-golden-") as folder:
        fleet = Fleet(Path(folder), fsync=False)
        start = min(moment for run in runs for moment in run.moments()) - HOUR
        try:
            env = {"PUBLISH_VERSION_2": "true", "GATE_S": "0.2", "CONTRACTS_S": "0.2", "SWEEP_S": "1", "SETTLE_S": "1"}
            env |= {"RECHECK_S": "1", "CORRECTIONS_SETTLE_H": str(SETTLE_H)}
            fleet.up(Plan(clock_start=iso(start), services=SERVICES, env=env), say)
            async with Line(fleet, services=SERVICES) as line:
                await _live(line, fleet, runs, say)
                for run in runs:
                    verdicts.append(await _verdict(line, run))
        finally:
            fleet.down(remove_state=True)
    place = {case["id"]: number for number, case in enumerate(document["cases"])}
    return sorted(verdicts, key=lambda verdict: place[verdict.id])


async def _live(line: Line, fleet: Fleet, runs: list[Run], say: Callable[[str], None]) -> None:
    """Walk through all moments of all cases; whoever is due is agreed on, and whatever is due is on the ledger."""
    moments = sorted({moment for run in runs for moment in run.moments()})
    entries = sorted((entry for run in runs for entry in run.entries()), key=lambda entry: entry.recorded_at)
    ledger = Ledger(fleet)
    await ledger.open()
    try:
        for moment in moments:
            say(f"business time is {iso(moment)}")
            await line.advance(iso(moment))
            for run in runs:
                if run.agreed_at == moment:
                    await _agree(line, run)
            await ledger.add([entry for entry in entries if entry.recorded_at == moment], read_up_to=moment)
            await line.quiet(iso(moment))
    finally:
        await ledger.close()


async def _agree(line: Line, run: Run) -> None:
    whole = {
        "do": "agree",
        "key": run.customer,
        "actor": "golden",
        "reason": "as the case has it",
        "contract": run.document(),
    }
    await line.post("contracts", "/v1/contracts", {"commands": [whole]})


class Ledger:
    """Writes entries to the ledger's topic, in rating's place, and says how far it has read."""

    def __init__(self, fleet: Fleet) -> None:
        urls = fleet.stack.urls
        kafka = settings.read(settings.KafkaSettings, "cli", kafka_bootstrap_servers=urls.kafka_bootstrap_servers)
        self._producer, self._seq = BatchProducer(kafka.broker), 0

    async def open(self) -> None:
        """Connect."""
        await self._producer.start()

    async def close(self) -> None:
        """Let go."""
        await self._producer.stop()

    async def add(self, entries: Iterable[RatedEntry], *, read_up_to: datetime) -> None:
        """Append entries, numbered anew, and say that every partition was read up to an instant."""
        for entry in entries:
            self._seq += 1
            numbered = msgspec.structs.replace(entry, seq=self._seq)
            record = UsageRated(
                id=entry.entry_id, source="urn:golden", subject=entry.customer, time=entry.recorded_at, data=numbered
            )
            await self._put("usage.rated", entry.customer.encode(), msgspec.json.encode(record))
        for partition in range(PARTITIONS):
            data = ProgressData(
                topic_id="golden", partition=partition, read_up_to=read_up_to, seq=0 if partition else self._seq
            )
            progress = RatingProgress(
                id=f"{partition}-{iso(read_up_to)}-{self._seq}",
                source="urn:golden",
                subject=str(partition),
                time=read_up_to,
                data=data,
            )
            await self._put("rating.progress", str(partition).encode(), msgspec.json.encode(progress))

    async def _put(self, topic: str, key: bytes, value: bytes) -> None:
        partitions = await self._producer.partitions_for(topic)
        await confirmed([self._producer.append(topic, partition_of_key(key, partitions), key, value)])


async def _verdict(line: Line, run: Run) -> Verdict:
    expected = run.expected()
    answer = await line.get("invoicing-sync", "/v1/invoices", customer=run.customer, limit=100)
    got = found(
        (one for one in answer["invoices"] if one["billing_reason"] == "subscription_cycle"),
        [invoice["date"] for invoice in expected],
    )
    notes = await line.get("invoicing-sync", "/v1/credit-notes", customer=run.customer, limit=100)
    given = [{"for_invoice": n["period_end"][:10], "net": -n["amount_minor"]} for n in notes["credit_notes"]]
    raw = run.case.raw
    without = f"without {'; '.join(run.left_out())}" if run.left_out() else ""
    wanted = {"invoices": expected, "credit_notes": run.expected_notes()}
    return Verdict(raw["id"], raw["title"], wanted, {"invoices": got, "credit_notes": given}, without)
