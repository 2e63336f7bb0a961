"""What a draft may say: prices, items, clauses, a policy, any of them; amounts in one currency or by currency."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from event_schemas.contract_v2 import Flaw
from event_schemas.contract_v2.flaws import flaws_of
from event_schemas.contract_v2.parts import MOST_SEATS, KeyText, Part, Units
from event_schemas.contract_v2.prices import Price, PriceText
from event_schemas.contracts import OutcomePolicy, SlugText
from event_schemas.values import Currency

AMOUNTS = frozenset({"unit_price", "pack_price", "flat_fee", "amount"})  # fields that are money
CODES = frozenset(currency.value for currency in Currency)


class DraftRefused(Exception):
    """A draft that cannot be meant, or not for the customers it is asked for; all that is wrong with it."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        self.flaws = tuple(flaws)
        super().__init__("\n".join(map(str, self.flaws)))


class DraftItem(Part):
    """
    A licensed item. With a price and seats it is added, or stands in place of the one that there is.

    With one of both alone it changes whoever has the item. `seats_of` takes the seats of another item over.
    """

    price: Price | None = None
    quantity: int | None = Field(None, strict=True, ge=0, le=MOST_SEATS)
    seats_of: KeyText | None = None
    rhythm: Literal["month", "year"] = "month"

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.quantity is not None and self.seats_of is not None:
            raise ValueError("say quantity or seats_of, not both")
        if self.price is None and self.quantity is None and self.seats_of is None:
            raise ValueError("say a price, a quantity or seats_of; `remove` takes an item away")
        return self

    @property
    def has_seats(self) -> bool:
        """Whether it says how many."""
        return self.quantity is not None or self.seats_of is not None


class DraftDiscount(Part):
    """Percent or amount (major units) off one item, or off the whole invoice."""

    item: KeyText | None = None
    percent: PriceText | None = None
    amount: PriceText | None = None


class DraftMinimum(Part):
    """What a meter comes to at least in each period, in major units."""

    meter: SlugText
    amount: PriceText


class DraftUnits(Part):
    """Units of a meter in each period: of an allowance, or of a hard limit."""

    meter: SlugText
    quantity: Units


class DraftCommitment(Part):
    """Units of a meter paid for in each period, used or not."""

    meter: SlugText
    quantity: Units
    unit_price: PriceText
    bill: Literal["advance", "arrears", "shortfall"]


class Draft(Part):
    """
    A draft as it is meant for one currency. What is left out stays as each contract has it.

    A list of clauses, and `free`, stands in place of the contract's own of that kind; an empty one takes them away.
    """

    name: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    currency: Currency | None = None
    prices: dict[SlugText, Price] = {}
    items: dict[KeyText, DraftItem] = {}
    remove: tuple[KeyText, ...] = ()
    free: tuple[SlugText, ...] | None = None
    discounts: tuple[DraftDiscount, ...] | None = None
    minimums: tuple[DraftMinimum, ...] | None = None
    allowances: tuple[DraftUnits, ...] | None = None
    limits: tuple[DraftUnits, ...] | None = None
    commitments: tuple[DraftCommitment, ...] | None = None
    policy: OutcomePolicy | None = None

    @model_validator(mode="after")
    def _is_of_one_mind(self) -> Self:
        if not self.model_fields_set - {"name", "currency"}:
            raise ValueError("the draft changes nothing: give it prices, items, remove, a clause or a policy")
        both = ("prices", "free"), ("prices", "remove"), ("items", "remove"), ("free", "remove")
        for one, other in both:
            if twice := sorted(set(getattr(self, one) or ()) & set(getattr(self, other) or ())):
                raise ValueError(f"{other}: {twice[0]} stands under {one} too; say one of them")
        return self


@dataclass(frozen=True, slots=True)
class DraftFile:
    """A draft for each currency that it can be tried in."""

    name: str
    drafts: Mapping[Currency, Draft]


def read_draft(document: Any, *, name: str) -> DraftFile:
    """
    A draft from what YAML gave; `name` is for one that has none.

    Where a price or an amount stands, `{USD: ..., EUR: ...}` may stand. One without is in the draft's `currency`.

    Raises:
        DraftRefused: with all that is wrong, each with field and sentence.
    """
    if not isinstance(document, Mapping):
        sentence = "must be a group of named fields, such as prices, items or policy"
        raise DraftRefused([Flaw("wrong_type", "the draft", sentence)])
    drafts: dict[Currency, Draft] = {}
    flaws: dict[Flaw, None] = {}
    for currency in _currencies(document):
        meant = _in(document, currency)
        try:
            drafts[currency] = Draft.model_validate(meant)
        except ValidationError as error:
            flaws.update(dict.fromkeys(_named(flaw) for flaw in flaws_of(error, meant)))
    if flaws:
        raise DraftRefused(list(flaws))
    said = next(iter(drafts.values())).name
    return DraftFile(said or name, drafts)


def _named(flaw: Flaw) -> Flaw:
    return flaw if flaw.field else Flaw(flaw.code, "the draft", flaw.sentence.removeprefix("the contract: "))


def _currencies(document: Mapping[str, Any]) -> list[Currency]:
    """The currencies in which every amount of the draft is told; all, where it tells none."""
    bare, by_currency = [], []
    for field, value in _walk(document, ""):
        if isinstance(value, Mapping):
            by_currency.append((field, frozenset(value)))
        else:
            bare.append(field)
    said = document.get("currency")
    if bare and said is None:
        sentence = f"is missing, and {bare[0]} is an amount: say in which currency it is, or give it by currency"
        raise DraftRefused([Flaw("field_missing", "currency", sentence)])
    told = [names for _, names in by_currency] + ([frozenset({said})] if isinstance(said, str) else [])
    codes = CODES.intersection(*told)
    if not codes and isinstance(said, str) and said not in CODES:
        codes = frozenset({Currency.USD.value})  # the model says what a currency may be
    if not codes:
        field, names = by_currency[0]
        sentence = f"is told in {', '.join(sorted(names))}, and no currency has all amounts of this draft"
        raise DraftRefused([Flaw("no_common_currency", field, sentence)])
    return [currency for currency in Currency if currency.value in codes]


def _walk(value: Any, field: str) -> Iterator[tuple[str, Any]]:
    """Each amount that is told once, and each group by currency, with its field."""
    if isinstance(value, Mapping):
        if _is_by_currency(value):
            yield field, value
            return
        for name, member in value.items():
            inner = f"{field}.{name}" if field else str(name)
            if name in AMOUNTS and not isinstance(member, Mapping | list):
                yield inner, member
            else:
                yield from _walk(member, inner)
    elif isinstance(value, list):
        for place, member in enumerate(value):
            yield from _walk(member, f"{field}.{place}")


def _in(value: Any, currency: Currency) -> Any:
    if isinstance(value, Mapping):
        if _is_by_currency(value):
            return _in(value[currency.value], currency)
        return {name: _in(member, currency) for name, member in value.items()}
    if isinstance(value, list):
        return [_in(member, currency) for member in value]
    return value


def _is_by_currency(value: Mapping[Any, Any]) -> bool:
    return bool(value) and all(name in CODES for name in value)
