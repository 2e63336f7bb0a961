"""The end of a contract, and the undoing of what has not taken effect yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from contracts_service.agreements.domain.draft import Draft, must_be_last_word, no, nothing_begins_later, with_end
from contracts_service.agreements.domain.items import end_items
from event_schemas.contract_v2 import ContractV2, items_at
from event_schemas.contract_v2.checks.shared import say
from event_schemas.contract_v2.clauses import Alert, HardLimit, Minimum
from event_schemas.contract_v2.items import Item, LicensedItem, MeteredItem
from event_schemas.contract_v2.parts import Dated, Entry, living
from event_schemas.contract_v2.state import DATED, TIMELINES
from event_schemas.times import month_after, period_containing

TIMELINE_OF = {"items": "quantities", "commitments": "ramp"}


def end_of_term(contract: ContractV2, now: datetime) -> datetime:
    """The end of what is paid ahead: of the month, of a yearly item's year, or of the trial, whichever is last."""
    if now < contract.billing_anchor:
        return contract.billing_anchor
    anchor, living_now = contract.billing_anchor, items_at(contract, now)
    yearly = [item for item in living_now if isinstance(item, LicensedItem) and item.rhythm == "year"]
    return max([period_containing(anchor, now).end, *(_end_of_year(anchor, item, now) for item in yearly)])


def _end_of_year(anchor: datetime, item: LicensedItem, now: datetime) -> datetime:
    begin = item.term_anchor or period_containing(anchor, max(item.start, anchor)).start
    anchor, begin = anchor.astimezone(UTC), begin.astimezone(UTC)
    months = (begin.year - anchor.year) * 12 + begin.month - anchor.month
    while month_after(anchor, months) <= now:
        months += 12
    return month_after(anchor, months)


def cancel(draft: Draft) -> None:
    """Everything that is sold ends at the draft's instant; what holds for whole periods on the billing day after it."""
    contract, at = draft.before, draft.at
    items = items_at(contract, at)
    nothing_begins_later(living(contract.items), at)
    if not items:
        raise no("contract_ended", "at", f"nothing is sold to the customer at {say(at)} any more")
    end_items(draft, items)
    period = period_containing(contract.billing_anchor, at)
    day = at if period.start == at else period.end
    for name in ("commitments", "minimums"):
        clauses: tuple[Dated, ...] = getattr(contract, name)
        nothing_begins_later(clauses, at)
        for clause in clauses:
            if clause.holds_at(day) and clause.start < day:
                must_be_last_word(clause, day)
                draft.end(name, clause, day)
    for name in ("allowances", "limits", "alerts"):
        about: tuple[Dated, ...] = getattr(contract, name)
        nothing_begins_later(about, at)
        for clause in [one for one in draft.parts[name] if one.holds_at(at)]:
            draft.end(name, clause)


def undo(draft: Draft, revision: int, *, now: datetime) -> None:
    """
    Take back all that a revision brought, ended and entered; nothing else changes.

    Raises:
        No: there is no such revision, it has taken effect, it is the first one, it was undone or is an undo itself, or
            a later one rests on it.
    """
    contract = draft.before
    change = next((one for one in contract.history if one.revision == revision), None)
    if change is None:
        newest = f"; the newest one is {contract.revision}"
        raise no("unknown_revision", "revision", f"the contract has no revision {revision}{newest}")
    if revision == contract.history[0].revision:
        raise no("first_revision", "revision", "the first revision is the contract itself: cancel it instead")
    if change.effective_at <= now:
        sentence = f"revision {revision} took effect at {say(change.effective_at)}; agree on a change back instead"
        raise no("already_effective", "revision", sentence)
    if any(_took_back(one, revision) for one in _all_of(contract)):
        sentence = f"revision {revision} took another one back; agree on that one again instead"
        raise no("is_an_undo", "revision", sentence)
    touched = False
    for name in DATED:
        for clause in getattr(contract, name):
            touched |= _undo_clause(draft, name, clause, revision)
    for name in TIMELINES:
        for entry in getattr(contract, name):
            if entry.agreed_in == revision and entry.withdrawn_in is None:
                if name == "billing":
                    _not_copied_on(contract, entry)
                draft.replace(name, entry, _withdrawn(entry, draft.revision))
                touched = True
    if not touched:
        sentence = f"nothing of revision {revision} stands any more: it was undone already"
        raise no("nothing_to_undo", "revision", sentence)


def _undo_clause(draft: Draft, name: str, clause: Dated, revision: int) -> bool:
    """Whether the revision had a part in this clause; what it had is taken back."""
    if clause.withdrawn_in is not None:
        return False
    changed = clause
    if clause.agreed_in == revision:
        _rests_on_nothing(clause, _timeline(name, clause), revision)
        changed = clause.model_copy(update={"withdrawn_in": draft.revision})
    elif clause.until_agreed_in == revision:
        if isinstance(clause, LicensedItem | MeteredItem):
            _nothing_in_its_place(draft.before, clause, revision)
        elif isinstance(clause, Minimum | HardLimit | Alert):
            _nothing_about_its_meter(draft.before, name, clause, revision)
        changed = with_end(clause, clause.earlier_untils[-1].until, draft.revision)
    else:
        entries = _timeline(name, clause)
        mine = [entry for entry in entries if entry.agreed_in == revision and entry.withdrawn_in is None]
        if not mine:
            return False
        kept = tuple(_withdrawn(entry, draft.revision) if entry in mine else entry for entry in entries)
        changed = clause.model_copy(update={TIMELINE_OF[name]: kept})
    draft.replace(name, clause, changed)
    return True


def _not_copied_on(contract: ContractV2, entry: Entry) -> None:
    """Raise No where a later revision took over what an entry of billing says, which is whole each time."""
    for other in contract.billing:
        if other.agreed_in > entry.agreed_in and other.at >= entry.at and other.withdrawn_in is None:
            raise _rests("billing", other.agreed_in, entry.agreed_in)


def _all_of(contract: ContractV2) -> Iterator[Dated | Entry]:
    """Every clause and every entry of every timeline."""
    for name in DATED:
        for clause in getattr(contract, name):
            yield clause
            yield from _timeline(name, clause)
    for name in TIMELINES:
        yield from getattr(contract, name)


def _nothing_in_its_place(contract: ContractV2, item: Item, revision: int) -> None:
    """Raise No where the same product was agreed again after the revision that ended an item."""
    for other in living(contract.items):
        if other.product == item.product and other.agreed_in > revision:
            raise _rests(other.product, other.agreed_in, revision)


def _nothing_about_its_meter(
    contract: ContractV2, name: str, clause: Minimum | HardLimit | Alert, revision: int
) -> None:
    """Raise No where the same was agreed anew for a meter after the revision that ended a clause about it."""
    others: tuple[Minimum | HardLimit | Alert, ...] = getattr(contract, name)
    for other in living(others):
        if other.meter == clause.meter and other.agreed_in > revision:
            raise _rests(clause.key, other.agreed_in, revision)


def _said_ends(clause: Dated) -> list[int]:
    """
    The revisions that ever spoke of a clause's end, oldest first.

    They take turns: its own, one that ended it, one that took that back, and so on, since what has an end agreed is not
    ended otherwise before that was undone.
    """
    newest = [clause.until_agreed_in] if clause.until_agreed_in is not None else []
    return [*(end.agreed_in for end in clause.earlier_untils), *newest]


def _took_back(part: Dated | Entry, revision: int) -> bool:
    """Whether a revision withdrew this part, or took its end back."""
    if part.withdrawn_in == revision:
        return True
    said = _said_ends(part) if isinstance(part, Dated) else []
    return revision in said[2::2]


def _timeline(name: str, clause: Dated) -> tuple[Entry, ...]:
    entries: tuple[Entry, ...] = getattr(clause, TIMELINE_OF.get(name, ""), ())
    return entries


def _withdrawn(entry: Entry, revision: int) -> Entry:
    return entry.model_copy(update={"withdrawn_in": revision})


def _rests_on_nothing(clause: Dated, timeline: tuple[Entry, ...], revision: int) -> None:
    if clause.until_agreed_in is not None and clause.until != clause.earlier_untils[0].until:
        raise _rests(clause.key, clause.until_agreed_in, revision)
    for entry in timeline:
        if entry.agreed_in > revision and entry.withdrawn_in is None:
            raise _rests(clause.key, entry.agreed_in, revision)


def _rests(key: str, later: int, revision: int) -> Exception:
    sentence = f"revision {later} changed {key}, which revision {revision} had changed before; undo that one first"
    return no("later_change_agreed", "revision", sentence)
