"""The next revision of a contract in the making: it only adds, ends and takes back, and is checked whole at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from contracts_service.agreements.domain.commands import Command
from event_schemas.contract_v2 import Change, ContractRefused, ContractV2, Flaw, read_contract, rewritten
from event_schemas.contract_v2.checks.shared import say
from event_schemas.contract_v2.parts import Dated, EarlierUntil, Entry, in_time, living
from event_schemas.contract_v2.state import DATED, TIMELINES

DatedT = TypeVar("DatedT", bound=Dated)
Use = tuple[str, str, int]  # (section, key, version) of the catalogue's entry that something came from


class No(Exception):
    """The command is refused; all that speaks against it, the first being the reason."""

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__(flaws[0].sentence)
        self.flaws = flaws


def no(code: str, where: str, sentence: str) -> No:
    """A refusal for one reason."""
    return No(Flaw(code, where, sentence))


@dataclass(slots=True)
class Draft:
    """A contract and what the next revision, which takes effect at `at`, does to it."""

    before: ContractV2
    at: datetime
    parts: dict[str, list[Any]] = field(init=False)
    uses: set[Use] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.parts = {name: list(getattr(self.before, name)) for name in (*DATED, *TIMELINES)}

    @property
    def revision(self) -> int:
        """The number that it will have."""
        return self.before.revision + 1

    def keys(self, name: str) -> set[str]:
        """Keys that were ever used for clauses of a kind."""
        return {clause.key for clause in self.parts[name]}

    def add(self, name: str, clauses: Sequence[Dated]) -> None:
        """Clauses that begin."""
        self.parts[name] += clauses

    def replace(self, name: str, old: Dated | Entry, new: Dated | Entry) -> None:
        """A clause or entry in its new state."""
        self.parts[name] = [new if one is old else one for one in self.parts[name]]

    def end(self, name: str, clause: Dated, until: datetime | None = None) -> None:
        """A clause ends, at the draft's instant where no other is named; what was said of its end before is kept."""
        self.replace(name, clause, with_end(clause, until or self.at, self.revision))

    def enter(self, name: str, entry: Entry) -> None:
        """An entry of the timeline of policies or of billing."""
        self.parts[name] = sorted([*self.parts[name], entry], key=lambda one: (one.at, one.agreed_in))

    def finish(self, command: Command, *, now: datetime) -> ContractV2:
        """The contract with the new revision. Raises No where it contradicts itself."""
        change = Change(
            revision=self.revision,
            agreed_at=max(now, self.before.history[-1].agreed_at),
            effective_at=self.at,
            actor=command.actor,
            reason=command.reason,
            channel=command.channel,
        )
        kept = {name: tuple(clauses) for name, clauses in self.parts.items()}
        after = checked(
            {name: getattr(self.before, name) for name in ContractV2.model_fields}
            | kept
            | {"revision": self.revision, "history": (*self.before.history, change)}
        )
        if wrong := rewritten(self.before, after):
            raise AssertionError(f"a revision only adds: {wrong[0]}")
        return after


def checked(document: dict[str, Any]) -> ContractV2:
    """A contract of these parts. Raises No with all that contradicts itself."""
    try:
        contract = read_contract(document)
    except ContractRefused as refused:
        raise No(*refused.flaws) from None
    assert isinstance(contract, ContractV2)
    return contract


def with_end(clause: DatedT, until: datetime | None, revision: int) -> DatedT:
    """The clause with another end, agreed in a revision."""
    said = EarlierUntil(until=clause.until, agreed_in=clause.until_agreed_in or clause.agreed_in)
    earlier = (*clause.earlier_untils, said)
    return clause.model_copy(update={"until": until, "until_agreed_in": revision, "earlier_untils": earlier})


def must_be_last_word(clause: Dated, at: datetime, *, timeline: Sequence[Entry] = ()) -> None:
    """Raise No where something is agreed about a clause for after an instant, which ending it there would lose."""
    if clause.until is not None and clause.until > at:
        raise _later(clause.key, clause.until_agreed_in or clause.agreed_in, clause.until, at)
    for entry in in_time(timeline):
        if entry.at > at:
            raise _later(clause.key, entry.agreed_in, entry.at, at)


def nothing_begins_later(clauses: Sequence[Dated], at: datetime) -> None:
    """Raise No where one of these clauses begins after an instant."""
    for clause in clauses:
        if clause.withdrawn_in is None and clause.start > at:
            raise _later(clause.key, clause.agreed_in, clause.start, at)


def nothing_entered_later(name: str, timeline: Sequence[Entry], at: datetime) -> None:
    """Raise No where a timeline has an entry for after an instant, which would say the old thing again."""
    for entry in in_time(timeline):
        if entry.at > at:
            raise _later(name, entry.agreed_in, entry.at, at)


def goes_on(contract: ContractV2, at: datetime) -> None:
    """
    Raise No where the contract has ended at an instant, or its end is agreed: what begins would outlive it.

    It lives as long as its plan; one that came whole from a file, and names no plan, as long as anything in it.
    """
    items = living(contract.items)
    plans = [item for item in items if item.plan is not None] or items
    if not any(item.holds_at(at) for item in plans):
        raise no("contract_ended", "at", f"the customer has no plan at {say(at)}")
    last = max(plans, key=lambda item: (item.until is None, item.until or at))
    if last.until is not None:
        raise _later("the contract, its end,", last.until_agreed_in or last.agreed_in, last.until, at)


def _later(what: str, revision: int, then: datetime, at: datetime) -> No:
    sentence = (
        f"revision {revision} agreed on a change of {what} for {say(then)}, which is after {say(at)}; undo it first, "
        "or choose an instant from then on"
    )
    return no("later_change_agreed", "at", sentence)
