"""A command, the contract so far and the catalogue in; the next revision out, or why there is none. Nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts_service.agreements.domain import billing, discounts, ending, items, metering
from contracts_service.agreements.domain.agreeing import agree, uses_of
from contracts_service.agreements.domain.commands import (
    AddAddOn,
    Agree,
    AnyCommand,
    Cancel,
    ChangeBilling,
    ChangePlan,
    ChangePolicy,
    ChangeSeats,
    ChangeTax,
    Commit,
    Correctable,
    GiveAllowance,
    GiveCredit,
    GiveDiscount,
    MoveIssuer,
    RemoveAddOn,
    SetAlerts,
    SetLimit,
    SetMinimum,
    Sign,
    SignUp,
    Undo,
)
from contracts_service.agreements.domain.draft import Draft, No, Use, no
from contracts_service.agreements.domain.signing import Quoted, first_contract, still_valid
from contracts_service.catalog.domain.models import Catalog
from contracts_service.catalog.domain.resolving import NotOffered
from event_schemas.contract_v2 import ContractV2, Flaw
from event_schemas.contract_v2.checks.shared import say
from event_schemas.times import month_after, period_containing

FURTHEST_MONTHS = 60  # nobody means an instant beyond it


@dataclass(frozen=True, slots=True)
class Decided:
    """
    The contract with its new revision, the catalogue's entries that it took by value, and the revision it follows.

    `unchanged` where a whole contract was agreed already: it is answered with, and nothing is stored.
    """

    contract: ContractV2
    uses: frozenset[Use]
    follows: int = 0  # for a first one
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not. `moved` is true where the contract is another one than the caller has looked at."""

    flaws: tuple[Flaw, ...]
    moved: bool = False

    @property
    def flaw(self) -> Flaw:
        """The reason, where there are several: the first."""
        return self.flaws[0]


def decide(
    customer: str,
    command: AnyCommand,
    contract: ContractV2 | None,
    catalog: Catalog,
    *,
    now: datetime,
    quoted: Quoted | None = None,
) -> Decided | Refusal:
    """
    What a command makes of a contract; `contract` None where the customer has none, `quoted` what a Sign names.

    The same for the same arguments; `now` is business time.
    """
    newest = contract.revision if contract is not None else 0
    if command.expected_revision is not None and command.expected_revision != newest:
        sentence = f"you looked at revision {command.expected_revision}, and the contract is at {newest}; look again"
        return Refusal((Flaw("revision_moved", "expected_revision", sentence),), moved=True)
    try:
        if isinstance(command, SignUp | Sign):
            return _first(customer, command, contract, catalog, now, quoted)
        if isinstance(command, Agree):
            return _whole(customer, command, contract, catalog, now)
        if contract is None:
            sentence = f"{customer} has no contract here; sign_up or sign makes one"
            raise no("unknown_customer", "customer", sentence)
        return _next(command, contract, catalog, now)
    except No as refused:
        return Refusal(refused.flaws)
    except NotOffered as refused:
        return Refusal((refused.flaw,))


def _first(
    customer: str,
    command: SignUp | Sign,
    contract: ContractV2 | None,
    catalog: Catalog,
    now: datetime,
    quoted: Quoted | None,
) -> Decided:
    if contract is not None:
        raise no("has_contract", "customer", f"{customer} has a contract, at revision {contract.revision}; change it")
    at = command.at if command.at is not None else now.replace(microsecond=0)
    _not_too_far(at, now)
    if isinstance(command, SignUp):
        made, uses = first_contract(customer, command, command.terms, catalog, at=at, now=now, deal=None)
        return Decided(made, uses)
    if quoted is None:
        raise no("unknown_quote", "quote", f"there is no quote {command.quote}")
    if (wrong := still_valid(quoted, customer, now)) is not None:
        raise No(wrong)
    made, uses = first_contract(customer, command, quoted.terms, quoted.catalog, at=at, now=now, deal=quoted.deal)
    return Decided(made, uses)


def _whole(customer: str, command: Agree, contract: ContractV2 | None, catalog: Catalog, now: datetime) -> Decided:
    agreed = agree(customer, command, contract, now=now)
    if agreed is None:
        assert contract is not None
        return Decided(contract, frozenset(), unchanged=True)
    known = contract.revision if contract is not None else 0
    for change in agreed.history:
        if change.revision > known:
            _not_too_far(change.effective_at, now)
    return Decided(agreed, uses_of(agreed, catalog), follows=known)


def _next(command: AnyCommand, contract: ContractV2, catalog: Catalog, now: datetime) -> Decided:
    draft = Draft(contract, _instant(command, contract, now))
    match command:
        case ChangePlan():
            items.change_plan(draft, command, catalog)
        case ChangeSeats():
            items.change_seats(draft, command, catalog)
        case AddAddOn():
            items.add_add_on(draft, command, catalog)
        case RemoveAddOn():
            items.remove_add_on(draft, command)
        case GiveDiscount():
            discounts.give_discount(draft, command, catalog, now=now)
        case Commit():
            billing.commit(draft, command)
        case GiveCredit():
            billing.give_credit(draft, command)
        case GiveAllowance():
            metering.give_allowance(draft, command)
        case SetMinimum():
            metering.set_minimum(draft, command)
        case SetLimit():
            metering.set_limit(draft, command)
        case SetAlerts():
            metering.set_alerts(draft, command)
        case ChangePolicy():
            billing.change_policy(draft, command, catalog)
        case ChangeBilling():
            billing.change_billing(draft, command)
        case ChangeTax():
            billing.change_tax(draft, command)
        case MoveIssuer():
            billing.move_issuer(draft, command, catalog)
        case Cancel():
            ending.cancel(draft)
        case Undo():
            ending.undo(draft, command.revision, now=now)
        case SignUp() | Sign() | Agree():
            raise AssertionError("a first or a whole contract is not made from the revision before it")
    return Decided(draft.finish(command, now=now), frozenset(draft.uses), follows=contract.revision)


def _instant(command: AnyCommand, contract: ContractV2, now: datetime) -> datetime:
    """When it takes effect. Raises No where that lies in a period that has ended, or before the contract."""
    if isinstance(command, Cancel) and command.when == "period_end":
        return ending.end_of_term(contract, now)
    if isinstance(command, Undo):
        if command.at is not None:
            raise no("malformed", "at", "an undo takes effect with the revision that it takes back; leave at out")
        undone = next((one.effective_at for one in contract.history if one.revision == command.revision), now)
        return max(now, undone)
    begin = contract.history[0].effective_at
    at = command.at if command.at is not None else max(now.replace(microsecond=0), begin)  # as Stripe counts
    if at < begin:
        raise no("before_the_contract", "at", f"the contract begins at {say(begin)}")
    opened = period_containing(contract.billing_anchor, now).start
    if at < opened and not (isinstance(command, Correctable) and command.as_correction):
        sentence = f"{say(at)} lies in a period that has ended; the open one began at {say(opened)}"
        if isinstance(command, Correctable):
            sentence += "; with as_correction: true it corrects what was billed"
        raise no("period_closed", "at", sentence)
    if at < opened and isinstance(command, ChangePlan) and not command.keep_policy:
        sentence = "the policy of a period that has ended decided what was charged, and stays: say keep_policy: true"
        raise no("policy_is_past", "keep_policy", sentence)
    _not_too_far(at, now)
    return at


def _not_too_far(at: datetime, now: datetime) -> None:
    if at > month_after(now, FURTHEST_MONTHS):
        raise no("too_far_ahead", "at", f"{say(at)} is more than five years ahead")
