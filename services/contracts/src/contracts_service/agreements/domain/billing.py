"""Whom and how to bill, how it is taxed, from which issuer, by which policy; commitments and credits."""

from __future__ import annotations

from typing import Any

from contracts_service.agreements.domain.commands import (
    ChangeBilling,
    ChangePolicy,
    ChangeTax,
    Commit,
    GiveCredit,
    MoveIssuer,
)
from contracts_service.agreements.domain.draft import Draft, goes_on, no, nothing_entered_later
from contracts_service.agreements.domain.items import take_policy
from contracts_service.agreements.domain.signing import commitment_clause
from contracts_service.catalog.domain.models import Catalog
from contracts_service.catalog.domain.resolving import fresh_key, policy_entry
from event_schemas.contract_v2 import billing_at
from event_schemas.contract_v2.checks.shared import say
from event_schemas.contract_v2.clauses import PrepaidCredit
from event_schemas.contract_v2.parts import Amount
from event_schemas.times import period_containing


def change_policy(draft: Draft, command: ChangePolicy, catalog: Catalog) -> None:
    """Another policy from the draft's instant on. Raises No or NotOffered."""
    entry = policy_entry(catalog, command.policy, at=draft.at, revision=draft.revision)
    if draft.before.policy_at(draft.at) == entry.policy:
        raise no("no_change", "policy", f"the policy {command.policy} is in force at {say(draft.at)} already")
    take_policy(draft, entry, command.policy, catalog)


def change_billing(draft: Draft, command: ChangeBilling) -> None:
    """What is named is changed, the rest stays. Raises No."""
    names = ("name", "billing_email", "collection_method", "payment_terms_days", "purchase_order", "corrections")
    _enter(draft, {name: value for name in names if (value := getattr(command, name)) is not None})


def change_tax(draft: Draft, command: ChangeTax) -> None:
    """Address, tax ids and exemption, whole. Raises No."""
    _enter(draft, {name: getattr(command, name) for name in ("tax_address", "tax_ids", "exemption")})


def move_issuer(draft: Draft, command: MoveIssuer, catalog: Catalog) -> None:
    """Another issuer from a billing day on: an invoice has one. Raises No."""
    if command.issuer not in catalog.issuers:
        known = ", ".join(sorted(catalog.issuers)) or "none"
        raise no("unknown_issuer", "issuer", f"there is no issuer {command.issuer}; there are: {known}")
    period = period_containing(draft.before.billing_anchor, draft.at)
    if draft.at not in (period.start, draft.before.history[0].effective_at):
        sentence = f"an invoice has one issuer, so it moves on a billing day; the next one is {say(period.end)}"
        raise no("not_a_billing_day", "at", sentence)
    _enter(draft, {"issuer": command.issuer})


def _enter(draft: Draft, changes: dict[str, Any]) -> None:
    """One more entry of the timeline of billing: what is in force then, with changes."""
    nothing_entered_later("billing", draft.before.billing, draft.at)
    now = billing_at(draft.before, draft.at)
    entry = now.model_copy(update={**changes, "at": draft.at, "agreed_in": draft.revision})
    if entry.model_copy(update={"at": now.at, "agreed_in": now.agreed_in}) == now:
        raise no("no_change", "", f"all of it is so at {say(draft.at)} already")
    draft.enter("billing", entry)


def commit(draft: Draft, command: Commit) -> None:
    """A commitment; whether it can be meant is the contract's own check."""
    goes_on(draft.before, draft.at)
    terms, taken = command.commitment, draft.keys("commitments")
    if terms.ramp[0].at < draft.at:
        sentence = f"the ramp begins at {say(terms.ramp[0].at)}, before the instant of this change, {say(draft.at)}"
        raise no("ramp_start", "commitment.ramp", sentence)
    clause = commitment_clause(terms, draft.before.currency, draft.revision, f"agreed/{draft.revision}", taken)
    draft.add("commitments", [clause])


def give_credit(draft: Draft, command: GiveCredit) -> None:
    """Prepaid credit from the draft's instant on."""
    credit = PrepaidCredit(
        key=fresh_key("credit", draft.keys("prepaid")),
        start=draft.at,
        until=command.until,
        agreed_in=draft.revision,
        amount=Amount(minor=command.amount_minor, currency=draft.before.currency),
    )
    draft.add("prepaid", [credit])
