"""Commitments, minimums, allowances, hard limits and prepaid credits."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from pricing.checking.contradiction import Contradiction, exact_price, life, on_billing_days, overlap, quantities
from pricing.terms import Commitment, Minimum, PrepaidCredit, Terms

MOST_UNITS = 10**12  # of a meter in a period: beyond it nobody means what is written


def clauses(terms: Terms) -> Iterator[Contradiction]:
    """All clauses about meters, and the credits."""
    for commitment in terms.commitments:
        yield from _commitment(terms, commitment)
    for minimum in terms.minimums:
        yield from _minimum(terms, minimum)
    trial = terms.trial.allowances if terms.trial is not None else ()
    for name, counted in (("allowances", (*terms.allowances, *trial)), ("limits", terms.limits)):
        for clause in counted:
            field = f"{name}.{clause.key}"
            yield from life(field, clause)
            yield from _meter(terms, field, clause.meter)
            if not 0 <= clause.quantity <= MOST_UNITS:
                yield Contradiction("units", f"{field}.quantity", f"{clause.quantity} is not within 0 and {MOST_UNITS}")
    for credit in terms.prepaid:
        yield from _prepaid(terms, credit)
    yield from _twice(terms)


def _commitment(terms: Terms, clause: Commitment) -> Iterator[Contradiction]:
    field = f"commitments.{clause.key}"
    yield from life(field, clause)
    yield from exact_price(f"{field}.unit_price", clause.unit_price)
    yield from quantities(f"{field}.ramp", clause.ramp, most=MOST_UNITS)
    yield from on_billing_days(terms, f"{field}.ramp", [*(step.at for step in clause.ramp), clause.until])
    yield from _meter(terms, field, clause.meter)
    if clause.currency is not terms.currency:
        sentence = f"committed in {clause.currency}, and the contract is in {terms.currency}"
        yield Contradiction("other_currency", f"{field}.currency", sentence)


def _minimum(terms: Terms, clause: Minimum) -> Iterator[Contradiction]:
    field = f"minimums.{clause.key}"
    yield from life(field, clause)
    yield from on_billing_days(terms, field, [clause.start, clause.until])
    yield from _meter(terms, field, clause.meter)
    if clause.amount.currency is not terms.currency:
        sentence = f"a minimum in {clause.amount.currency}, and the contract is in {terms.currency}"
        yield Contradiction("other_currency", f"{field}.amount", sentence)
    elif clause.amount.minor <= 0:
        yield Contradiction("minimum_amount", f"{field}.amount", "a minimum is more than 0")


def _prepaid(terms: Terms, credit: PrepaidCredit) -> Iterator[Contradiction]:
    field = f"prepaid.{credit.key}"
    yield from life(field, credit)
    if credit.amount.currency is not terms.currency:
        sentence = f"paid in {credit.amount.currency}, and the contract is in {terms.currency}"
        yield Contradiction("other_currency", f"{field}.amount", sentence)
    elif credit.amount.minor <= 0:
        yield Contradiction("prepaid_amount", f"{field}.amount", "a prepaid credit is more than 0")
    metered = {item.key for item in terms.metered}
    for item in credit.items or ():
        if item not in metered:
            sentence = f"{item} is no metered item, and prepaid credits pay only these"
            yield Contradiction("prepaid_item", f"{field}.items", sentence)


def _meter(terms: Terms, field: str, meter: str) -> Iterator[Contradiction]:
    if meter not in {item.meter for item in terms.metered}:
        yield Contradiction("unknown_meter", f"{field}.meter", f"no item prices {meter}, so this clause bills nothing")


def _twice(terms: Terms) -> Iterator[Contradiction]:
    """What says two things about one meter at one time."""
    for name in ("commitments", "minimums", "limits"):
        for one, other in combinations(getattr(terms, name), 2):
            if one.meter == other.meter and overlap(one, other):
                sentence = f"{one.key} speaks of {one.meter} at the same time; end one where the other begins"
                yield Contradiction(f"{name}_overlap", f"{name}.{other.key}", sentence)
    for commitment in terms.commitments:
        for minimum in terms.minimums:
            if commitment.meter == minimum.meter and overlap(commitment, minimum):
                sentence = f"{minimum.meter} has the commitment {commitment.key} at the same time; agree on one of them"
                yield Contradiction("minimum_beside_commitment", f"minimums.{minimum.key}", sentence)
    for name in ("commitments", "minimums", "allowances", "limits", "prepaid"):
        keys = [clause.key for clause in getattr(terms, name)]
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            yield Contradiction("duplicate_key", f"{name}.{key}", f"the key {key} is used twice in {name}")
