"""What every other check relies on: instants with an offset, and something to look at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pricing.checking.contradiction import Contradiction
from pricing.periods import say_instant
from pricing.terms import Licensed, Spanned, Terms


def frame(terms: Terms) -> Iterator[Contradiction]:
    """Instants that are none, ramps without a step, an anchor within a second, a trial that ends elsewhere."""
    for commitment in terms.commitments:
        if not commitment.ramp:
            field = f"commitments.{commitment.key}.ramp"
            yield Contradiction("empty_ramp", field, "says for no instant how much is committed")
            return
    for field, instant in _instants(terms):
        if instant.tzinfo is None:
            yield Contradiction("no_offset", field, f"{instant.isoformat()} has no offset, such as Z")
            return
    if terms.billing_anchor.microsecond:
        yield Contradiction("anchor_within_a_second", "billing_anchor", "the billing anchor is a whole second")
    if terms.card_step < 1:
        yield Contradiction(
            "card_step", "card_step", f"a payment's step is 1 minor unit or more, not {terms.card_step}"
        )
    trial = terms.trial
    if trial is not None and trial.until != terms.billing_anchor:
        sentence = (
            f"the trial ends at {say_instant(trial.until)} and the first paid period begins at"
            f" {say_instant(terms.billing_anchor)}; they must be one instant"
        )
        yield Contradiction("trial_ends_elsewhere", "trial.until", sentence)
    if trial is not None and trial.until <= trial.start:
        yield Contradiction("empty_life", "trial.until", "the trial ends before it begins")


def _instants(terms: Terms) -> Iterator[tuple[str, datetime]]:
    yield "billing_anchor", terms.billing_anchor
    if terms.trial is not None:
        yield "trial.start", terms.trial.start
        yield "trial.until", terms.trial.until
    for name in ("items", "discounts", "commitments", "minimums", "allowances", "limits", "prepaid"):
        for clause in getattr(terms, name):
            yield from _of_clause(f"{name}.{clause.key}", clause)


def _of_clause(field: str, clause: Spanned) -> Iterator[tuple[str, datetime]]:
    if clause.start is not None:
        yield f"{field}.start", clause.start
    if clause.until is not None:
        yield f"{field}.until", clause.until
    timeline = getattr(clause, "quantities", ()) or getattr(clause, "ramp", ())
    yield from ((f"{field}.quantities", entry.at) for entry in timeline)
    if isinstance(clause, Licensed) and clause.term_anchor is not None:
        yield f"{field}.term_anchor", clause.term_anchor
