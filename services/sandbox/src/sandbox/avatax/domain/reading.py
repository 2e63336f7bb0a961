"""The table out of the parsed `rates.yaml`; rates and shares are written as text, since a float is no rate."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.avatax.domain.table import Country, Jurisdiction, Place, State, Table, Taxability, TaxCode

Raw = Mapping[str, Any]


class WrongTable(ValueError):
    """The file of rates is not as it must be, in a sentence that names the place."""


def table_of(raw: Raw) -> Table:
    """The whole table. Raises WrongTable."""
    return Table(
        states={code: _state(code, each) for code, each in raw["states"].items()},
        countries={code: _country(code, each) for code, each in raw["countries"].items()},
        tax_codes={
            code: TaxCode(code, each["category"], each["description"]) for code, each in raw["tax_codes"].items()
        },
    )


def _number(value: object, where: str) -> Decimal:
    if not isinstance(value, str):
        raise WrongTable(f"{where}: write {value!r} in quotes, a rate is no float")
    try:
        return Decimal(value)
    except InvalidOperation:
        raise WrongTable(f"{where}: {value!r} is no number") from None


def _rates(raw: Raw, where: str) -> tuple[tuple[date, Decimal], ...]:
    found = sorted((date.fromisoformat(str(since)), _number(rate, where)) for since, rate in raw.items())
    for _, rate in found:
        if not 0 <= rate < 1:
            raise WrongTable(f"{where}: the rate {rate} is no fraction of the amount")
    return tuple(found)


def _taxable(raw: Raw, where: str) -> dict[str, Taxability]:
    found = {}
    for category, value in raw.items():
        if isinstance(value, Mapping):
            found[category] = Taxability(_number(value["share"], where), _number(value["rate"], where))
        else:
            found[category] = Taxability(_number(value, where))
    return found


def _prefixes(raw: list[str]) -> tuple[str, ...]:
    """Beginnings of postal codes; `100-104` stands for all five."""
    found = []
    for text in raw:
        first, dash, last = str(text).partition("-")
        found += [str(n).zfill(len(first)) for n in range(int(first), int(last) + 1)] if dash else [first]
    return tuple(found)


def _state(code: str, raw: Raw) -> State:
    own = None
    if "rates" in raw:
        own = _jurisdiction(raw, code, type_="State", number=raw["fips"], name=raw["name"], inherited={})
    places = tuple(_place(code, each, own) for each in raw.get("places", ()))
    return State(code, raw["name"], _prefixes(raw["postal"]), own, places, bool(raw.get("sst", False)))


def _jurisdiction(
    raw: Raw, region: str, *, type_: str, number: str, name: str, inherited: Mapping[str, Taxability]
) -> Jurisdiction:
    where = f"US-{region}, {name}"
    taxable = {**inherited, **_taxable(raw.get("taxable", {}), where)}
    rates = _rates(raw["rates"], where)
    return Jurisdiction("US", region, type_, number, name, raw["tax"], "Sales", rates, taxable)


def _place(code: str, raw: Raw, state: Jurisdiction | None) -> Place:
    inherited = state.taxable if state is not None else {}
    locals_ = tuple(
        _jurisdiction(each, code, type_=each["type"], number=each["code"], name=each["name"], inherited=inherited)
        for each in raw["locals"]
    )
    latitude, longitude = (_number(part, raw["city"]) for part in raw["at"])
    return Place(raw["city"], _prefixes(raw["postal"]), locals_, latitude, longitude)


def _country(code: str, raw: Raw) -> Country:
    rates = _rates(raw["rates"], code)
    tax = f"{code} {raw['tax']}"
    jurisdiction = Jurisdiction(code, "", "Country", code, raw["name"], tax, "Output", rates, {})
    return Country(code, raw.get("union", ""), jurisdiction, bool(raw["reverse_charge"]))
