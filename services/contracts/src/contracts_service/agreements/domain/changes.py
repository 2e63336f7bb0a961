"""What a revision changed, clause by clause, in words."""

from __future__ import annotations

from collections.abc import Iterator

from event_schemas.contract_v2 import ContractV2
from event_schemas.contract_v2.checks.shared import say
from event_schemas.contract_v2.clauses import Alert, Allowance, HardLimit, Minimum
from event_schemas.contract_v2.parts import Dated, Entry, SeatsFrom, UnitsFrom
from event_schemas.contract_v2.state import DATED
from event_schemas.events.contract_change_v1 import ClauseChange
from event_schemas.values import Money


def changes_of(contract: ContractV2) -> tuple[ClauseChange, ...]:
    """What the newest revision of a contract did, in the order of the contract's fields."""
    return (*_clauses(contract), *_billing(contract), *_policies(contract))


def _clauses(contract: ContractV2) -> Iterator[ClauseChange]:
    revision = contract.revision
    for name in DATED:
        for clause in getattr(contract, name):
            path = f"{name}.{clause.key}"
            if clause.withdrawn_in == revision:
                sentence = f"{clause.key} is taken back"
                yield ClauseChange(path=path, what="withdrawn", at=clause.start, sentence=sentence)
            elif clause.agreed_in == revision:
                ends = f" until {say(clause.until)}" if clause.until is not None else ""
                sentence = f"{_quantity(clause)}{clause.key}{_said(clause)} from {say(clause.start)}{ends}"
                yield ClauseChange(path=path, what="began", at=clause.start, sentence=sentence)
            elif clause.until_agreed_in == revision:
                yield _end(path, clause)
            for field in ("quantities", "ramp"):
                if clause.agreed_in != revision and clause.withdrawn_in != revision:
                    yield from _steps(f"{path}.{field}", clause, getattr(clause, field, ()), revision)


def _end(path: str, clause: Dated) -> ClauseChange:
    before = clause.earlier_untils[-1].until
    if clause.until is None:
        assert before is not None
        return ClauseChange(path=path, what="changed", at=before, sentence=f"{clause.key} goes on")
    return ClauseChange(path=path, what="ended", at=clause.until, sentence=f"{clause.key} ends {say(clause.until)}")


def _steps(
    path: str, clause: Dated, timeline: tuple[SeatsFrom | UnitsFrom, ...], revision: int
) -> Iterator[ClauseChange]:
    for entry in timeline:
        told = f"{entry.quantity:,} of {clause.key} from {say(entry.at)}"
        if entry.withdrawn_in == revision:
            yield ClauseChange(path=path, what="withdrawn", at=entry.at, sentence=f"{told} is taken back")
        elif entry.agreed_in == revision:
            yield ClauseChange(path=path, what="changed", at=entry.at, sentence=told)


def _billing(contract: ContractV2) -> Iterator[ClauseChange]:
    for entry in contract.billing:
        yield from _entry("billing", entry, f"invoices go to {entry.name}, from {entry.issuer}", contract.revision)


def _policies(contract: ContractV2) -> Iterator[ClauseChange]:
    for entry in contract.policies:
        yield from _entry("policies", entry, f"the policy is {entry.policy.version}", contract.revision)


def _entry(path: str, entry: Entry, told: str, revision: int) -> Iterator[ClauseChange]:
    sentence = f"{told} from {say(entry.at)}"
    if entry.withdrawn_in == revision:
        yield ClauseChange(path=path, what="withdrawn", at=entry.at, sentence=f"{sentence} is taken back")
    elif entry.agreed_in == revision:
        yield ClauseChange(path=path, what="changed", at=entry.at, sentence=sentence)


def _quantity(clause: Dated) -> str:
    quantities: tuple[SeatsFrom, ...] = getattr(clause, "quantities", ())
    return f"{quantities[0].quantity:,} of " if quantities else ""


def _said(clause: Dated) -> str:
    """What a clause about a meter says of it."""
    match clause:
        case Allowance():
            return f", {clause.quantity:,} units included"
        case HardLimit():
            return f", {clause.quantity:,} units charged at most"
        case Alert():
            return f", told at {', '.join(f'{units:,}' for units in clause.thresholds)} units"
        case Minimum():
            return f", at least {Money(clause.amount.minor, clause.amount.currency)}"
        case _:
            return ""
