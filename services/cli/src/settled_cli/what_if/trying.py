"""Tries a draft on the chosen customers: gather, lay over, decide again where it has a policy, reckon both sides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from event_schemas.contract_v2 import ContractV2, Flaw
from event_schemas.values import Currency
from settled_cli.line import Line
from settled_cli.what_if import gathering
from settled_cli.what_if.domain.draft import Draft, DraftFile, DraftRefused
from settled_cli.what_if.domain.overlay import lay, not_there, policy_said
from settled_cli.what_if.domain.reckoning import CannotTry, Tried, Units, after_policy, decided_otherwise, side
from settled_cli.what_if.gathering import Decided, Known, LeftOut

NAMED = 3  # customers whose flaw is told by name


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a draft, one customer or all, a month (2026-10) or the latest period that is frozen whole."""

    draft: DraftFile
    customer: str | None
    month: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came out. `decided` is there where the draft has a policy; `otherwise` holds sentences by customer."""

    name: str
    tried: tuple[Tried, ...]
    left_out: tuple[LeftOut, ...]
    decided: Decided | None
    otherwise: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Steps:
    """How far it is: `begin` names a step and its length, `done` moves it by one."""

    begin: Callable[[str, int], None]
    done: Callable[[], None]


async def ask(line: Line, question: Question, steps: Steps) -> Answer:
    """
    Try the draft; nothing is written anywhere.

    Raises:
        DraftRefused: the draft cannot be laid over these contracts. Nothing has been reckoned then.
        Refused: the customer has no contract.
    """
    names = [question.customer] if question.customer else await gathering.customers(line)
    steps.begin("contracts and periods", len(names))
    found = await gathering.each(lambda name: gathering.known(line, name, question.month), names, steps.done)
    there, left_out = gathering.split(found)
    there, others = _in_currencies(there, question.draft, alone=question.customer is not None)
    laid = _laid(there, question.draft)
    policy = next(iter(question.draft.drafts.values())).policy
    decided: list[Decided] | None = None
    if policy is not None:
        steps.begin("deciding again", len(there))
        document = policy_said(policy)
        decided = await gathering.each(lambda one: gathering.decided(line, one, document), there, steps.done)
    steps.begin("reckoning", len(there))
    tried, cannot = _reckoned(there, laid, decided, steps.done)
    otherwise = [
        (one.customer, sentence)
        for one, of in zip(there, decided or [], strict=False)
        for sentence in decided_otherwise(one.ledger, of.meters.values())
    ]
    return Answer(
        question.draft.name,
        tuple(tried),
        (*left_out, *others, *cannot),
        None if decided is None else _added(_of_those(tried, there, decided)),
        tuple(otherwise),
    )


def _in_currencies(there: Sequence[Known], file: DraftFile, *, alone: bool) -> tuple[list[Known], list[LeftOut]]:
    """Those whose currency the draft has amounts in; one who was asked for by name and is not among them is refused."""
    said = ", ".join(currency.value for currency in file.drafts)
    others = [
        LeftOut(one.customer, f"pays in {one.contract.currency}, and the draft has amounts in {said}")
        for one in there
        if one.contract.currency not in file.drafts
    ]
    if alone and others:
        raise DraftRefused([Flaw("other_currency", "currency", f"{others[0].customer} {others[0].why}")])
    return [one for one in there if one.contract.currency in file.drafts], others


def _laid(there: Sequence[Known], file: DraftFile) -> list[ContractV2]:
    """The draft over each contract; all or none."""
    laid: list[ContractV2] = []
    flaws: dict[Flaw, list[str]] = {}
    for one in there:
        try:
            laid.append(lay(one.contract, _of(file, one.contract.currency)))
        except DraftRefused as refused:
            for flaw in refused.flaws:
                flaws.setdefault(flaw, []).append(one.customer)
    if flaws:
        told = [Flaw(f.code, f.field, f"{f.sentence} ({_whose(whose)})") for f, whose in flaws.items()]
        raise DraftRefused(told)
    missing = [not_there(one.contract, _of(file, one.contract.currency)) for one in there]
    nowhere = [field for field in (missing[0] if missing else {}) if all(field in one for one in missing)]
    if nowhere:
        whose = f"{there[0].customer} has no" if len(there) == 1 else f"none of the {len(there):,} customers has"
        raise DraftRefused(
            [Flaw("not_there", field, f"{whose} {missing[0][field]}, so it would change nothing") for field in nowhere]
        )
    return laid


def _of(file: DraftFile, currency: Currency) -> Draft:
    return file.drafts[currency]


def _whose(customers: Sequence[str]) -> str:
    more = len(customers) - NAMED
    return ", ".join(customers[:NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _reckoned(
    there: Sequence[Known], laid: Sequence[ContractV2], decided: Sequence[Decided] | None, done: Callable[[], None]
) -> tuple[list[Tried], list[LeftOut]]:
    tried: list[Tried] = []
    cannot: list[LeftOut] = []
    for place, (one, contract) in enumerate(zip(there, laid, strict=True)):
        after: Units = after_policy(one.ledger, decided[place].meters.values()) if decided else one.ledger
        try:
            both = side(one.contract, one.period, one.ledger), side(contract, one.period, after)
        except CannotTry as why:
            cannot.append(LeftOut(one.customer, str(why)))
        else:
            tried.append(Tried(one.customer, one.contract.currency, one.period, *both))
        done()
    return tried, cannot


def _of_those(tried: Sequence[Tried], there: Sequence[Known], decided: Sequence[Decided]) -> list[Decided]:
    """What was decided again of customers who are tried: what turns for the others is in no sum."""
    names = {one.customer for one in tried}
    return [of for one, of in zip(there, decided, strict=True) if one.customer in names]


def _added(decided: Sequence[Decided]) -> Decided:
    sums = Decided()
    for one in decided:
        sums.add(one.as_page())
    return sums
