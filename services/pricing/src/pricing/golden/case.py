"""An invoice case of the golden file as terms, usage and billing days. No expected amount is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from event_schemas.times import Period, month_after, parse_instant
from event_schemas.values import Currency, Money
from pricing.golden.clauses import clauses
from pricing.periods import beside
from pricing.prices import Flat, Graduated, Package, PerUnit, Price, Tier, Volume
from pricing.terms import Item, Licensed, Metered, QuantityFrom, Rhythm, Taxes, TaxRate, TaxRounding, Terms
from pricing.usage import Used

Table = list[list[Any]]


@dataclass(frozen=True)
class Case:
    """One case, with the price tables of its file. Dates of invoices are read from what is expected; no amount is."""

    raw: Mapping[str, Any]
    tables: Mapping[str, Table]
    agree: Callable[[Terms], Terms] = lambda terms: terms

    @property
    def inputs(self) -> Mapping[str, Any]:
        """What the case gives."""
        given: Mapping[str, Any] = self.raw["inputs"]
        return given

    @cached_property
    def currency(self) -> Currency:
        """The case's currency."""
        return Currency(self.raw["currency"])

    @cached_property
    def billing_days(self) -> tuple[datetime, ...]:
        """The days of the invoices that are expected, each once."""
        days = [parse_instant(f"{invoice['date']}T00:00:00Z") for invoice in self.raw["expected"]["invoices"]]
        return tuple(dict.fromkeys(days))

    @cached_property
    def anchor(self) -> datetime:
        """Where the case begins: its trial's end, its period's start, or a month before its first invoice."""
        for key, place in (("trial", 1), ("period", 0), ("usage_period", 0)):
            if key in self.inputs:
                return parse_instant(self.inputs[key][place])
        return month_after(self.billing_days[0], -1)

    @cached_property
    def begin(self) -> datetime:
        """From when the items live."""
        return parse_instant(self.inputs["trial"][0]) if "trial" in self.inputs else self.anchor

    @cached_property
    def terms(self) -> Terms:
        """What the case's contract says, by the way that it is agreed."""
        terms = Terms(
            currency=self.currency,
            billing_anchor=self.anchor,
            items=(*self._licensed(), *self._metered()),
            card_step=self.inputs.get("card_step", 1),
            **clauses(self),
        )
        return self.agree(terms)

    def money(self, minor: int) -> Money:
        """Minor units of the case's currency."""
        return Money(minor, self.currency)

    def taxes(self) -> tuple[Taxes, ...]:
        """The tax slot of each invoice of one day: most cases have one, G22 three."""
        if "tax_variants" in self.inputs:
            return tuple(
                Taxes(
                    (TaxRate(variant.get("note", f"VAT {variant['issuer']}"), Decimal(variant["percent"])),),
                    TaxRounding(variant.get("rounding", "invoice")),
                )
                for variant in self.inputs["tax_variants"]
            )
        if tax := self.inputs.get("tax"):
            return (Taxes((TaxRate(tax["name"], Decimal(tax["percent"])),)),)
        return (Taxes(),)

    def usage(self, billing_day: datetime) -> tuple[Used, ...]:
        """What is metered for one billing day."""
        given = [*self.inputs.get("metered", ())]
        given += [
            entry
            for entry in self.inputs.get("metered_by_invoice", ())
            if parse_instant(f"{entry['date']}T00:00:00Z") == billing_day
        ]
        period, _ = beside(self.terms, billing_day)
        return tuple(self._used(entry, period) for entry in given)

    def price(self, entry: Mapping[str, Any]) -> Price:
        """The price of a metered entry, in any of the file's spellings."""
        if entry.get("mode") == "package":
            return Package(entry["pack_size"], Decimal(entry["pack_price"]), entry.get("free", 0))
        if "unit" in entry:
            return PerUnit(Decimal(entry["unit"]))
        table = self.tables[entry["tiers"]] if "tiers" in entry else entry["tiers_inline"]
        bounds = [*(bound for bound, _ in table[:-1]), None]  # X01's table ends where ours must be open
        tiers = tuple(Tier(bound, Decimal(price)) for bound, (_, price) in zip(bounds, table, strict=True))
        return Volume(tiers) if entry["mode"] == "volume" else Graduated(tiers)

    def _licensed(self) -> Iterator[Item]:
        changes = self.inputs.get("changes", ())
        given = self.inputs.get("licensed", ())
        quantities = {entry["item"]: [QuantityFrom(self.anchor, entry["qty"])] for entry in given}
        prices: dict[str, Price] = {entry["item"]: PerUnit(Decimal(entry["unit"])) for entry in given}
        begins, ends = dict[str, datetime](), dict[str, datetime]()
        if legacy := self.inputs.get("legacy"):
            quantities[legacy["item"]] = [QuantityFrom(self.anchor, 1)]
            prices[legacy["item"]] = Flat(Decimal(legacy["unit"]))
        for change in changes:
            at = parse_instant(change["at"])
            if "to" in change:  # another item takes its place
                ends[change["from"]] = begins[change["to"]] = at
                quantities[change["to"]] = [QuantityFrom(at, change["to_qty"])]
                prices[change["to"]] = PerUnit(Decimal(change["to_unit"]))
                continue
            quantities.setdefault(change["item"], []).append(QuantityFrom(at, change["to_qty"]))
            if "unit" in change:
                prices[change["item"]] = PerUnit(Decimal(change["unit"]))
        # A case that leans on R3 and not on R2 shows prorations alone (X03): its items end, and nothing is paid ahead.
        alone = "R3" in self.raw["rules"] and "R2" not in self.raw["rules"]
        last = self.billing_days[-1] if alone else None
        for key, timeline in quantities.items():
            start = begins.get(key, timeline[0].at)
            rhythm = Rhythm.YEAR if key.endswith("_year") else Rhythm.MONTH
            yield Licensed(key, prices[key], tuple(timeline), start, ends.get(key, last), rhythm)

    def _metered(self) -> Iterator[Item]:
        entries = [*self.inputs.get("metered", ()), *self.inputs.get("metered_by_invoice", ())]
        overage = {"unit": self.inputs["commitment"]["overage_unit"]} if "commitment" in self.inputs else {}
        for entry in {entry["item"]: entry for entry in reversed(entries)}.values():
            meter = entry["item"]
            start = parse_instant(entry["since"]) if "since" in entry else self.begin
            until = parse_instant(entry["until"]) if "until" in entry else None
            if meter == "people":  # G11: the legacy plan's table is named apart from its meter
                legacy = self.inputs["legacy"]
                free = legacy["includes"][meter]
                yield Metered(
                    "legacy_people", meter, self.price({**legacy["extra_people"], "free": free}), start, until
                )
            else:
                yield Metered(meter, meter, self.price({**entry, **overage}), start, until)

    def _used(self, entry: Mapping[str, Any], period: Period) -> Used:
        charged = Decimal(entry.get("charged", entry.get("matured", entry.get("qty", 0))))
        start = parse_instant(entry["since"]) if "since" in entry else period.start
        end = parse_instant(entry["until"]) if "until" in entry else period.end
        return Used(entry["item"], Period(start, end), charged, Decimal(entry.get("reversed_in_period", 0)))
