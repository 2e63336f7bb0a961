"""
The items of a subscription that runs: which changes are due, at which instant, prorated how.

A licensed item changes at the instant that the contract names, and its change is prorated there; one that changes with
its term is told a day ahead, so that the renewal has it. A metered item changes when its instant has come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from event_schemas.contract_v2 import ContractV2
from event_schemas.times import iso
from invoicing_sync.contracts.domain.plan.at_stripe import HasItem, Told, ToldItem
from invoicing_sync.contracts.domain.plan.operations import (
    ChangedItem,
    ChangeItems,
    GoneItem,
    ItemChange,
    NewItem,
    Operation,
    Proration,
)
from invoicing_sync.contracts.domain.plan.prices import digest
from invoicing_sync.contracts.domain.plan.wanted import Step, TermsOfItems, WantedItem, is_new_year
from invoicing_sync.contracts.domain.plan.ways import over_at, proration_reason

LEAD = timedelta(days=1)  # so long before a term's end its next one is told


@dataclass(frozen=True, slots=True)
class Moment:
    """
    The instant that is planned for, and what follows from it.

    Attributes:
        at: not before the billing anchor: nothing is billed before it.
        ahead: the next billing day, where it is near enough to be told; else `at`.
        unbilled: whether it is before the anchor, so that no invoice has been made yet.
    """

    at: datetime
    ahead: datetime
    unbilled: bool = False

    @classmethod
    def of(cls, contract: ContractV2, at: datetime) -> Moment:
        """The moment of an instant."""
        if at < contract.billing_anchor:
            anchor = contract.billing_anchor
            return cls(anchor, anchor, unbilled=True)
        period, over = contract.period_of(at), over_at(contract)
        if period.end - at > LEAD:
            return cls(at, at)
        ends_before = over is not None and over <= period.end
        return cls(at, at if ends_before else period.end)


@dataclass(frozen=True, slots=True)
class _Due:
    at: datetime
    proration: Proration
    change: ItemChange
    sentence: str
    revision: int


def changes_due(
    contract: ContractV2,
    wanted: Iterable[WantedItem],
    moment: Moment,
    *,
    told: Told,
    has: Mapping[str, HasItem],
    blocked: frozenset[str],
) -> tuple[list[Operation], bool]:
    """
    The calls that bring the items there, in order of time; and whether the last item would go, which Stripe refuses.

    Args:
        blocked: lookup keys that Stripe has for other prices: what needs one of them waits.
    """
    terms = TermsOfItems(contract)
    due = [
        one
        for item in wanted
        if item.price.lookup_key not in blocked
        for one in _of_item(contract, terms, item, moment, told, has.get(item.key))
    ]
    known = {item.key for item in wanted}
    due += [_withdrawn(contract, key, said.since) for key, said in told.items.items() if key not in known]
    due.sort(key=lambda one: (one.at, one.proration))
    return _in_calls(contract, due, present=set(has))


def _of_item(
    contract: ContractV2, terms: TermsOfItems, item: WantedItem, moment: Moment, whole: Told, has: HasItem | None
) -> list[_Due]:
    told = whole.items.get(item.key)
    target, floor = moment.at, None
    if not item.is_metered:
        floor = terms.of(item.key, moment.at).start
        if terms.of(item.key, moment.ahead).start == moment.ahead and not _changes_between(item, moment):
            target = moment.ahead
    found: list[_Due] = []
    running = None if has is None else (1 if has.quantity is None else has.quantity)
    last = told
    for step, is_late in _steps_due(item, told, target, floor, contract.revision):
        is_late = is_late and not moment.unbilled
        proration, words = _proration(contract, terms, item, step, whole, is_late=is_late)
        since = max(step.at, last.since) if last is not None else step.at
        change, sentence = _change(item, step, since, running)
        found.append(_Due(step.at, proration, change, f"{sentence}{words}", step.revision))
        running = step.quantity
        last = None if step.quantity is None else ToldItem(item.price.lookup_key, step.quantity, since)
    if not found and told is not None and told.price != item.price.lookup_key and item.at(target) is not None:
        quantity = item.said(1) if item.is_metered else told.quantity
        change = ChangedItem(item.key, item.price, quantity, told.since)
        found.append(_Due(told.since, "none", change, f"{item.key} at {item.price} from now on", contract.revision))
    return found


def _changes_between(item: WantedItem, moment: Moment) -> bool:
    return any(moment.at < step.at < moment.ahead for step in item.steps)


def _steps_due(
    item: WantedItem, told: ToldItem | None, target: datetime, floor: datetime | None, revision: int
) -> list[tuple[Step, bool]]:
    """Each step that Stripe was not told, with whether it comes too late for its instant; the last leads to now."""
    steps = [step for step in item.steps if step.at <= target and (told is None or step.at > told.since)]
    wanted = item.at(target)
    if told is None and wanted is None:
        return []  # it has not begun, or it came and went between two looks: what it costs goes as explicit items
    early = [step for step in steps if floor is not None and step.at <= floor]
    steps = early[-1:] + steps[len(early) :]
    running = None if told is None else (told.quantity if told.quantity is not None else 1)
    due: list[tuple[Step, bool]] = []
    for step in steps:
        is_first = running is None
        if step.quantity != running and not (is_first and not step.quantity):
            due.append((step, floor is not None and step.at <= floor))  # that term's invoice is made
            running = step.quantity
    quantity = None if wanted is None else wanted.quantity
    if running != quantity and told is not None:  # the past was agreed otherwise since
        at = due[-1][0].at if due else told.since
        due.append((Step(at, quantity, revision), True))
    return due


def _proration(
    contract: ContractV2, terms: TermsOfItems, item: WantedItem, step: Step, told: Told, *, is_late: bool
) -> tuple[Proration, str]:
    if item.is_metered:
        return "none", ""
    if is_late:
        return "none", "; agreed too late for Stripe to prorate, so what it makes goes as explicit items"
    if terms.of(item.key, step.at).start == step.at:
        return "none", ", with its term"
    reason = proration_reason(contract, step.at) or _not_as_billed(contract, terms, item, step, told)
    return ("none", f"; {reason}") if reason is not None else ("create_prorations", ", prorated to the second")


def _not_as_billed(contract: ContractV2, terms: TermsOfItems, item: WantedItem, step: Step, told: Told) -> str | None:
    """Why Stripe, which gives back a part of what it billed last, may come to another amount than we do."""
    term = terms.of(item.key, step.at)
    if told.billed_from is not None and term.start < told.billed_from:
        return "Stripe did not bill the term that runs"
    if item.price.interval == "year" and not is_new_year(contract, told, term.start):
        return "its years at Stripe begin on another day"
    if any(term.start < one.at < step.at for one in item.steps):
        return "it is not the first change in its term, and Stripe prorates what it prorated before"
    price, digits = item.price, contract.currency.minor_digits
    if price.mode != "per_unit" or price.pack > 1:
        return "its price has tiers or packs, and Stripe may round each"
    if price.tiers[0].unit_price.scaleb(digits) % 1:
        return "its price has parts of a minor unit, and Stripe gives back a part of a rounded amount"
    if price.tiers[0].unit_price == 0:
        return "it stands at price 0"
    return None


def _change(item: WantedItem, step: Step, since: datetime, running: int | None) -> tuple[ItemChange, str]:
    at = iso(step.at)
    if step.quantity is None:
        return GoneItem(item.key), f"{item.key} ends at {at}"
    quantity = item.said(step.quantity)
    if running is None:
        many = "" if quantity is None else f"{quantity:,} × "
        new = NewItem(item.key, item.price, quantity, since)
        return new, f"{item.key} begins at {at}: {many}{item.price}"
    changed = ChangedItem(item.key, item.price, quantity, since)
    return changed, f"{item.key} from {running:,} to {step.quantity:,} at {at}"


def _withdrawn(contract: ContractV2, key: str, since: datetime) -> _Due:
    sentence = f"{key} was taken back; what it made goes as explicit items"
    return _Due(since, "none", GoneItem(key), sentence, contract.revision)


def _in_calls(contract: ContractV2, due: list[_Due], *, present: set[str]) -> tuple[list[Operation], bool]:
    """One call for each instant and proration; what would take the last item waits for the next call, or for good."""
    operations: list[Operation] = []
    waiting: list[_Due] = []
    groups: dict[tuple[datetime, Proration], list[_Due]] = {}
    for one in due:
        groups.setdefault((one.at, one.proration), []).append(one)
    for (at, proration), group in groups.items():
        group = [*waiting, *group]
        going = [one for one in group if isinstance(one.change, GoneItem)]
        coming = {one.change.key for one in group if not isinstance(one.change, GoneItem)}
        stay = (present | coming) - {one.change.key for one in going}
        waiting = [] if stay else going
        group = [one for one in group if one not in waiting]
        present = (present | coming) - {one.change.key for one in group if isinstance(one.change, GoneItem)}
        if group:
            operations.append(_call(contract, at, proration, group))
    return operations, bool(waiting)


def _call(contract: ContractV2, at: datetime, proration: Proration, group: list[_Due]) -> Operation:
    said = [[*_said(one.change), one.revision] for one in group]
    changes = tuple(one.change for one in group)
    needs = [f"subscription/{contract.customer}"]
    needs += [f"price/{one.price.lookup_key}" for one in changes if not isinstance(one, GoneItem)]
    return Operation(
        key=f"items/{contract.customer}/{iso(at)}/{digest(said)}",
        sentence="; ".join(one.sentence for one in group),
        what=ChangeItems(changes, at, proration),
        needs=tuple(dict.fromkeys(needs)),
    )


def _said(change: ItemChange) -> list[object]:
    if isinstance(change, GoneItem):
        return ["gone", change.key]
    kind = "new" if isinstance(change, NewItem) else "changed"
    return [kind, change.key, change.price.lookup_key, change.quantity, iso(change.since)]
