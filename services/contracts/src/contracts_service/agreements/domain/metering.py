"""What is agreed about one meter: a minimum, an allowance, a hard limit, thresholds at which somebody is told."""

from __future__ import annotations

from typing import Any

from contracts_service.agreements.domain.commands import GiveAllowance, SetAlerts, SetLimit, SetMinimum
from contracts_service.agreements.domain.draft import Draft, goes_on, must_be_last_word, no, nothing_begins_later
from contracts_service.catalog.domain.resolving import fresh_key
from event_schemas.contract_v2.checks.shared import say
from event_schemas.contract_v2.clauses import Alert, Allowance, HardLimit, Minimum
from event_schemas.contract_v2.parts import Amount
from event_schemas.times import period_containing


def give_allowance(draft: Draft, command: GiveAllowance) -> None:
    """Units free in each period, beside those of the plan. Raises No."""
    dated = _from_now(draft, "allowances", command.meter, "given")
    draft.add("allowances", [Allowance(**dated, until=command.until, quantity=command.quantity)])


def set_minimum(draft: Draft, command: SetMinimum) -> None:
    """What a meter comes to at least in each period from a billing day on, in place of the one before. Raises No."""
    period = period_containing(draft.before.billing_anchor, draft.at)
    if draft.at != period.start:
        sentence = f"a minimum holds for whole periods, so it begins on a billing day; the next is {say(period.end)}"
        raise no("not_a_billing_day", "at", sentence)
    amount = None
    if command.amount_minor is not None:
        currency = command.currency if command.currency is not None else draft.before.currency
        amount = Amount(minor=command.amount_minor, currency=currency)
    had = _in_force(draft, "minimums", command.meter)
    if (had.amount if isinstance(had, Minimum) else None) == amount:
        raise _no_change("minimum", draft, command.meter, "amount_minor")
    _end(draft, "minimums", had)
    if amount is not None:
        dated = _from_now(draft, "minimums", command.meter, "minimum")
        draft.add("minimums", [Minimum(**dated, amount=amount)])


def set_limit(draft: Draft, command: SetLimit) -> None:
    """Units charged at most in a period, in place of the limit before. Raises No."""
    had = _in_force(draft, "limits", command.meter)
    if (had.quantity if isinstance(had, HardLimit) else None) == command.quantity:
        raise _no_change("hard limit", draft, command.meter, "quantity")
    _end(draft, "limits", had)
    if command.quantity is not None:
        dated = _from_now(draft, "limits", command.meter, "limit")
        draft.add("limits", [HardLimit(**dated, quantity=command.quantity)])


def set_alerts(draft: Draft, command: SetAlerts) -> None:
    """Units at which somebody is told, in place of those before. Raises No."""
    had = _in_force(draft, "alerts", command.meter)
    if (had.thresholds if isinstance(had, Alert) else ()) == command.thresholds:
        raise _no_change("set of thresholds", draft, command.meter, "thresholds")
    _end(draft, "alerts", had)
    if command.thresholds:
        dated = _from_now(draft, "alerts", command.meter, "alerts")
        draft.add("alerts", [Alert(**dated, thresholds=command.thresholds)])


Replaced = Minimum | HardLimit | Alert


def _in_force(draft: Draft, name: str, meter: str) -> Replaced | None:
    """The clause about a meter that a new one replaces. Raises No where one is agreed for later."""
    of_meter: list[Replaced] = [one for one in getattr(draft.before, name) if one.meter == meter]
    nothing_begins_later(of_meter, draft.at)
    return next((one for one in of_meter if one.holds_at(draft.at)), None)


def _end(draft: Draft, name: str, clause: Replaced | None) -> None:
    """Where a clause holds, it ends. Raises No where its end is agreed, or where it begins at that very instant."""
    if clause is None:
        return
    must_be_last_word(clause, draft.at)
    if clause.start == draft.at:
        sentence = f"{clause.key} begins at {say(draft.at)} too, by revision {clause.agreed_in}; choose a later instant"
        raise no("same_instant", "at", sentence)
    draft.end(name, clause)


def _from_now(draft: Draft, name: str, meter: str, what: str) -> dict[str, Any]:
    """What every clause has that begins with this revision. Raises No where the contract has ended by then."""
    goes_on(draft.before, draft.at)
    key = fresh_key(f"{meter}-{what}", draft.keys(name))
    return {"key": key, "start": draft.at, "agreed_in": draft.revision, "meter": meter}


def _no_change(what: str, draft: Draft, meter: str, field: str) -> Exception:
    return no("no_change", field, f"the {what} of {meter} is so at {say(draft.at)} already")
