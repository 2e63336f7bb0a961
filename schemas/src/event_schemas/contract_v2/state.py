"""What a contract says at an instant, what it said at a revision, and whether a later one only adds."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from event_schemas.contract_v2.flaws import Flaw
from event_schemas.contract_v2.items import LicensedItem, MeteredItem
from event_schemas.contract_v2.parts import Dated, Entry, entry_at, living

if TYPE_CHECKING:
    from event_schemas.contract_v2.billing import BillingFrom
    from event_schemas.contract_v2.contract import ContractV2
    from event_schemas.contract_v2.items import Item

DATED = ("items", "discounts", "commitments", "minimums", "allowances", "limits", "alerts", "prepaid")
TIMELINES = ("billing", "policies")
FIXED = ("schema_version", "customer", "channel", "currency", "billing_anchor", "trial", "proration", "card_step")


def items_at(contract: ContractV2, instant: datetime) -> tuple[Item, ...]:
    """The items that live at an instant, each with its price."""
    return tuple(item for item in contract.items if item.holds_at(instant))


def quantity_at(contract: ContractV2, key: str, instant: datetime) -> int:
    """Seats of a licensed item at an instant; 0 outside its life and for a key that is none."""
    for item in items_at(contract, instant):
        if item.key == key and isinstance(item, LicensedItem):
            entry = entry_at(item.quantities, instant)
            return entry.quantity if entry is not None else 0
    return 0


def seats_at(contract: ContractV2, product: str, instant: datetime) -> int:
    """Seats of a product at an instant, whichever items it is sold by."""
    return sum(
        quantity_at(contract, item.key, instant) for item in items_at(contract, instant) if item.product == product
    )


def plan_at(contract: ContractV2, instant: datetime) -> str | None:
    """The plan of the catalogue that the customer is on; None where no living item belongs to one."""
    return next((item.plan for item in items_at(contract, instant) if item.plan is not None), None)


def price_of_meter_at(contract: ContractV2, meter: str, instant: datetime) -> MeteredItem | None:
    """The item that prices a meter at an instant; None where none does."""
    living_items = items_at(contract, instant)
    return next((item for item in living_items if isinstance(item, MeteredItem) and item.meter == meter), None)


def billing_at(contract: ContractV2, instant: datetime) -> BillingFrom:
    """Whom and how to bill at an instant; the first entry holds before itself too."""
    return entry_at(contract.billing, instant) or min(contract.billing, key=lambda entry: entry.at)


def revision_at(contract: ContractV2, agreed_at: datetime) -> int | None:
    """The newest revision that was agreed by an instant; None before the first."""
    return next((one.revision for one in reversed(contract.history) if one.agreed_at <= agreed_at), None)


def as_of(contract: ContractV2, revision: int) -> ContractV2:
    """
    The contract as it stood when a revision was the newest, with nothing of what was agreed later.

    Raises:
        ValueError: the history has no such revision.
    """
    if revision not in {change.revision for change in contract.history}:
        raise ValueError(f"history: there is no revision {revision}")
    kept: dict[str, Any] = {
        "revision": revision,
        "history": tuple(change for change in contract.history if change.revision <= revision),
        "free_meters": tuple(free for free in contract.free_meters if free.agreed_in <= revision),
    }
    for name in DATED:
        kept[name] = tuple(_dated(one, revision) for one in getattr(contract, name) if one.agreed_in <= revision)
    for name in TIMELINES:
        kept[name] = _entries(getattr(contract, name), revision)
    return contract.model_copy(update=kept)


def _dated(clause: Dated, revision: int) -> Dated:
    changed: dict[str, Any] = {}
    if clause.withdrawn_in is not None and clause.withdrawn_in > revision:
        changed["withdrawn_in"] = None
    if clause.until_agreed_in is not None and clause.until_agreed_in > revision:
        said = [end for end in clause.earlier_untils if end.agreed_in <= revision]
        last = said[-1]  # the first one is as old as the clause
        changed["until"] = last.until
        changed["until_agreed_in"] = last.agreed_in if len(said) > 1 else None
        changed["earlier_untils"] = tuple(said[:-1])
    for name in ("quantities", "ramp"):
        if hasattr(clause, name):
            changed[name] = _entries(getattr(clause, name), revision)
    return clause.model_copy(update=changed)


def _entries(timeline: tuple[Entry, ...], revision: int) -> tuple[Entry, ...]:
    return tuple(
        entry.model_copy(update={"withdrawn_in": None})
        if entry.withdrawn_in is not None and entry.withdrawn_in > revision
        else entry
        for entry in timeline
        if entry.agreed_in <= revision
    )


def rewritten(before: ContractV2, after: ContractV2) -> tuple[Flaw, ...]:
    """
    What a later revision says otherwise about what was agreed already; empty where it only adds.

    Order within a list is not compared: a timeline is sorted by its instants, not by its revisions.
    """
    if before.currency is not after.currency:
        sentence = f"was {before.currency} and would be {after.currency}; end the contract, and agree on another"
        return (Flaw("currency_change", "currency", sentence),)
    if before.revision >= after.revision:
        sentence = f"revision {after.revision} does not come after revision {before.revision}"
        return (Flaw("revision_order", "revision", sentence),)
    if before.revision not in {change.revision for change in after.history}:
        sentence = f"does not know revision {before.revision}, which it comes after"
        return (Flaw("history_rewritten", "history", sentence),)
    then = as_of(after, before.revision)
    return tuple(
        Flaw(
            "history_rewritten",
            name,
            f"says something else than revision {before.revision} about what was agreed then; a revision only adds",
        )
        for name in (*FIXED, "history", "free_meters", *DATED, *TIMELINES)
        if _canonical(getattr(before, name)) != _canonical(getattr(then, name))
    )


def _canonical(value: Any) -> Any:
    if isinstance(value, tuple):
        return sorted((_canonical(member) for member in value), key=repr)
    if isinstance(value, Dated | Entry):
        return sorted((name, repr(_canonical(getattr(value, name)))) for name in type(value).model_fields)
    return value


def metered(contract: ContractV2) -> tuple[MeteredItem, ...]:
    """The metered items that count."""
    return tuple(item for item in living(contract.items) if isinstance(item, MeteredItem))


def licensed(contract: ContractV2) -> tuple[LicensedItem, ...]:
    """The licensed items that count."""
    return tuple(item for item in living(contract.items) if isinstance(item, LicensedItem))
