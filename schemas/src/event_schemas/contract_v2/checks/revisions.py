"""The history, and the revisions that clauses and entries name."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from event_schemas.contract_v2.checks.shared import say
from event_schemas.contract_v2.flaws import Flaw
from event_schemas.contract_v2.parts import Dated, Entry

if TYPE_CHECKING:
    from event_schemas.contract_v2.contract import ContractV2

CLAUSES = ("items", "discounts", "commitments", "minimums", "allowances", "limits", "alerts", "prepaid")


def revisions(contract: ContractV2) -> Iterator[Flaw]:
    """History goes forward and ends at the revision; nothing rests on one that it does not know."""
    for one, other in pairwise(contract.history):
        if other.revision <= one.revision or other.agreed_at < one.agreed_at:
            sentence = (
                f"revision {other.revision} of {say(other.agreed_at)} stands after revision {one.revision} of "
                f"{say(one.agreed_at)}; history goes forward"
            )
            yield Flaw("history_order", f"history.{other.revision}", sentence)
    last = contract.history[-1].revision
    if last != contract.revision:
        sentence = f"the contract is revision {contract.revision}, and its history ends with revision {last}"
        yield Flaw("revision_without_history", "revision", sentence)
    known = {change.revision for change in contract.history}
    for field, named in _named(contract):
        if named not in known:
            yield Flaw("unknown_revision", field, f"revision {named} is not in the history")


def _named(contract: ContractV2) -> Iterator[tuple[str, int]]:
    for free in contract.free_meters:
        yield f"free_meters.{free.meter}", free.agreed_in
    for name in CLAUSES:
        for clause in getattr(contract, name):
            yield from _of_clause(f"{name}.{clause.key}", clause)
    for name in ("billing", "policies"):
        yield from _of_timeline(name, getattr(contract, name))


def _of_clause(field: str, clause: Dated) -> Iterator[tuple[str, int]]:
    ends = [end.agreed_in for end in clause.earlier_untils]
    for named in (clause.agreed_in, clause.until_agreed_in, clause.withdrawn_in, *ends):
        if named is not None:
            yield field, named
    yield from _of_timeline(f"{field}.quantities", getattr(clause, "quantities", ()))
    yield from _of_timeline(f"{field}.ramp", getattr(clause, "ramp", ()))


def _of_timeline(field: str, timeline: tuple[Entry, ...]) -> Iterator[tuple[str, int]]:
    for entry in timeline:
        for named in (entry.agreed_in, entry.withdrawn_in):
            if named is not None:
                yield field, named


def ends(contract: ContractV2) -> Iterator[Flaw]:
    """An end that was moved names what was said before, from the clause's own revision on."""
    for name in CLAUSES:
        for clause in getattr(contract, name):
            field = f"{name}.{clause.key}.earlier_untils"
            said = [end.agreed_in for end in clause.earlier_untils]
            if clause.until_agreed_in is not None:
                said.append(clause.until_agreed_in)
            if said and (said[0] != clause.agreed_in or len(said) == 1 or any(a >= b for a, b in pairwise(said))):
                sentence = (
                    f"an end that revision {said[-1]} moved needs all that was said before, from revision "
                    f"{clause.agreed_in} on"
                )
                yield Flaw("end_without_history", field, sentence)
