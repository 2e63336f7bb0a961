"""A draft laid over a contract: the same contract as if the draft had been agreed from its beginning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from event_schemas.contract_v2 import ContractRefused, ContractV2, Flaw, read_contract
from event_schemas.contract_v2.items import Item, MeteredItem
from event_schemas.contract_v2.parts import living
from event_schemas.contracts import OutcomePolicy
from event_schemas.times import iso
from event_schemas.values import Currency
from settled_cli.what_if.domain.draft import Draft, DraftItem, DraftRefused

VERSION = "draft"  # the price version of what a draft brings


def lay(contract: ContractV2, draft: Draft) -> ContractV2:
    """
    The contract with the draft over it; nothing of it that the draft does not name changes.

    Raises:
        DraftRefused: together they cannot be meant; each flaw under the draft's own field.
    """
    return _Overlay(contract, draft).laid()


def not_there(contract: ContractV2, draft: Draft) -> dict[str, str]:
    """What the draft changes and this contract does not have: field -> what is missing. It changes nothing there."""
    found = {}
    keys, meters = _keys(contract), {item.meter for item in _metered(contract)}
    for key, wish in draft.items.items():
        if wish.seats_of is not None and wish.seats_of not in keys:
            found[f"items.{key}.seats_of"] = wish.seats_of
        elif (wish.price is None or not wish.has_seats) and key not in keys:
            found[f"items.{key}"] = key
    found |= {f"remove.{name}": name for name in draft.remove if name not in keys | meters}
    there = keys | meters | {*draft.items, *draft.prices}
    for place, discount in enumerate(draft.discounts or ()):
        if discount.item is not None and discount.item not in there:
            found[f"discounts.{place}.item"] = discount.item
    return found


def policy_said(policy: OutcomePolicy) -> dict[str, Any]:
    """What a draft's policy says, without what it leaves out."""
    return policy.model_dump(mode="json", exclude_unset=True)


def _keys(contract: ContractV2) -> set[str]:
    return {item.key for item in living(contract.items)}


def _metered(contract: ContractV2) -> list[MeteredItem]:
    return [item for item in living(contract.items) if isinstance(item, MeteredItem)]


class _Overlay:
    """One contract and one draft. `fields` maps places of the contract to those of the draft that put them there."""

    def __init__(self, contract: ContractV2, draft: Draft) -> None:
        self.contract, self.draft = contract, draft
        self.own: tuple[Item, ...] = living(contract.items)
        self.anchor = iso(contract.billing_anchor)
        starts = [entry.at for entry in contract.policies] + [item.start for item in self.own]
        self.begin = iso(min(contract.billing_anchor, *starts))
        self.fields: dict[str, str] = {}
        self.flaws: list[Flaw] = []

    def laid(self) -> ContractV2:
        document = self.contract.model_dump(mode="json", by_alias=True)
        document["items"] = self._items()
        document["free_meters"] = self._free()
        for kind, clauses in self._clauses({item["key"] for item in document["items"]}):
            if clauses is not None:
                document[kind] = clauses
        if self.draft.policy is not None:
            said = policy_said(self.draft.policy)
            for entry in document["policies"]:
                windows = {**entry["policy"]["window_hours"], **said.get("window_hours", {})}
                entry["policy"] = {**entry["policy"], **said, "window_hours": windows}
        if self.flaws:
            raise DraftRefused(self.flaws)
        try:
            laid = read_contract(document)
        except ContractRefused as refused:
            raise DraftRefused([self._in_the_draft(flaw) for flaw in refused.flaws]) from None
        assert isinstance(laid, ContractV2)
        return laid

    @property
    def _revision(self) -> int:
        return self.contract.revision

    def _in_the_draft(self, flaw: Flaw) -> Flaw:
        for place, field in self.fields.items():
            if flaw.field == place or flaw.field.startswith(f"{place}."):
                rest = flaw.field.removeprefix(place)
                if field.startswith("prices."):
                    rest = rest.removeprefix(".price")
                return Flaw(flaw.code, f"{field}{rest}", flaw.sentence)
        return flaw

    def _items(self) -> list[Any]:
        gone = set(self.draft.remove) | set(self.draft.free or ())
        kept = {item.key: item for item in self.own if not ({item.key} | _meter_of(item)) & gone}
        documents = {key: item.model_dump(mode="json", by_alias=True) for key, item in kept.items()}
        for key, wish in self.draft.items.items():
            self._set(documents, key, wish)
        for meter, price in self.draft.prices.items():
            before = sorted((item for item in _metered(self.contract) if item.meter == meter), key=lambda i: i.start)
            for item in before:
                documents.pop(item.key, None)
            key = before[-1].key if before else (f"{meter[:44]}-usage" if meter in documents else meter)
            new = {"kind": "metered", "product": meter, "meter": meter, "from": self.begin, **self._common(key)}
            documents[key] = new | {"price": price.model_dump(mode="json")} | _inherited(before)
            self.fields[f"items.{key}"] = f"prices.{meter}"
        return list(documents.values())

    def _set(self, documents: dict[str, Any], key: str, wish: DraftItem) -> None:
        """Add, replace or change one licensed item."""
        by_key = {item.key: item for item in self.own}
        own, source = by_key.get(key), by_key.get(wish.seats_of or "")
        if isinstance(own, MeteredItem):
            sentence = f"is metered with {self.contract.customer}: give its price under prices.{own.meter}"
            self.flaws.append(Flaw("item_metered", f"items.{key}", sentence))
            return
        if isinstance(source, MeteredItem):
            self.flaws.append(Flaw("no_seats", f"items.{key}.seats_of", f"{wish.seats_of} is metered: it has no seats"))
            return
        if (wish.seats_of and source is None) or (own is None and (wish.price is None or not wish.has_seats)):
            return
        self.fields[f"items.{key}"] = f"items.{key}"
        if own is None:
            start = iso(source.start) if source else self.anchor
            document = {"kind": "licensed", "product": key, "from": start, "rhythm": wish.rhythm, **self._common(key)}
            documents[key] = document | ({"plan": source.plan} if source and source.plan else {})
        changed: dict[str, Any] = {"price_version": VERSION}
        if "rhythm" in wish.model_fields_set:
            changed["rhythm"] = wish.rhythm
        if wish.price is not None:
            changed["price"] = wish.price.model_dump(mode="json")
        if source is not None:
            changed["quantities"] = [entry.model_dump(mode="json") for entry in source.quantities]
        elif wish.quantity is not None:
            at = iso(own.start) if own else self.anchor
            changed["quantities"] = [{"at": at, "quantity": wish.quantity, "agreed_in": self._revision}]
        documents[key] |= changed

    def _common(self, key: str) -> dict[str, Any]:
        currency = self.contract.currency.value
        return {"key": key, "currency": currency, "price_version": VERSION, "agreed_in": self._revision}

    def _free(self) -> list[Any]:
        if self.draft.free is not None:
            return [{"meter": meter, "agreed_in": self._revision} for meter in self.draft.free]
        own = [free for free in self.contract.free_meters if free.meter not in self.draft.prices]
        return [free.model_dump(mode="json") for free in own]

    def _clauses(self, items: set[str]) -> Iterable[tuple[str, list[Any] | None]]:
        draft = self.draft
        discounts = self._each("discounts", draft.discounts, self._discount)
        if discounts is not None:  # one on an item that this customer does not have takes nothing off
            discounts = [one for one in discounts if one["item"] is None or one["item"] in items]
        yield "discounts", discounts
        yield "minimums", self._each("minimums", draft.minimums, self._with_amount)
        yield "allowances", self._each("allowances", draft.allowances, _plain)
        yield "limits", self._each("limits", draft.limits, _plain)
        yield "commitments", self._each("commitments", draft.commitments, self._commitment)

    def _each(self, kind: str, clauses: Sequence[Any] | None, form: Any) -> list[Any] | None:
        if clauses is None:
            return None
        written = []
        for place, clause in enumerate(clauses):
            key = f"draft-{place}"
            self.fields[f"{kind}.{key}"] = f"{kind}.{place}"
            base = {"key": key, "from": self.anchor, "agreed_in": self._revision}
            written.append(base | form(clause, f"{kind}.{place}"))
        return written

    def _discount(self, clause: Any, field: str) -> dict[str, Any]:
        scope = "item" if clause.item else "invoice"
        amount = self._amount(clause.amount, field) if clause.amount is not None else None
        return {"scope": scope, "item": clause.item, "percent": clause.percent, "amount": amount}

    def _with_amount(self, clause: Any, field: str) -> dict[str, Any]:
        return {"meter": clause.meter, "amount": self._amount(clause.amount, field)}

    def _commitment(self, clause: Any, _: str) -> dict[str, Any]:
        ramp = [{"at": self.anchor, "quantity": clause.quantity, "agreed_in": self._revision}]
        said = {"meter": clause.meter, "unit_price": clause.unit_price, "bill": clause.bill, "ramp": ramp}
        return {**said, "currency": self.contract.currency.value, "price_version": VERSION}

    def _amount(self, text: str, field: str) -> dict[str, Any]:
        currency: Currency = self.contract.currency
        minor = Decimal(text).scaleb(currency.minor_digits)
        if minor != int(minor):
            sentence = f"{text} has more decimals than {currency} has ({currency.minor_digits})"
            self.flaws.append(Flaw("too_many_decimals", f"{field}.amount", sentence))
        return {"minor": int(minor), "currency": currency.value}


def _meter_of(item: Item) -> set[str]:
    return {item.meter} if isinstance(item, MeteredItem) else set()


def _inherited(before: Sequence[MeteredItem]) -> dict[str, Any]:
    """What the item that a draft's price stands in place of was beside its price."""
    if not before:
        return {}
    last = before[-1]
    return {"product": last.product, "plan": last.plan, "tax_code": last.tax_code}


def _plain(clause: Any, _: str) -> dict[str, Any]:
    return {"meter": clause.meter, "quantity": clause.quantity}
