"""The engine and the truth price the same contracts: line by line, over months, in five currencies."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from event_schemas.contract_v2 import ContractV2, read_contract
from event_schemas.times import from_micros, to_micros
from pricing.agreed import terms_of
from pricing.engine import expected_invoice
from pricing.lines import Invoice, Kind
from pricing.usage import NOTHING_BEFORE, BilledBefore, used_at
from workload.mix import DENSE, contracts
from workload.mix.calendar import at, month
from workload.truth.invoice import Before, TrueInvoice, true_invoice
from workload.truth.units import Entry

METERS = ("resolution", "sms_segment", "proactive_message", "qualification", "fax")
Use = tuple[str, int, int, int]  # meter, instant, charged, reversed


def some_usage(rng: Random, document: dict[str, Any], start: int, end: int) -> list[Use]:
    """Entries of a period; some on its first instant, at its last microsecond, and where a clause begins or ends."""
    found = []
    dated = [clause for name in ("items", "allowances", "limits") for clause in document.get(name, ())]
    turns = {at(clause[name]) for clause in dated for name in ("from", "until") if name in clause}
    special = [start, end - 1, *sorted(at_ for turn in turns for at_ in (turn - 1, turn) if start <= at_ < end)]
    for _ in range(rng.randint(0, 8)):
        instant = rng.choice(special) if rng.random() < 0.5 else rng.randrange(start, end)
        charged = rng.choice(
            [20, 35, 75, rng.randint(1, 60), rng.randint(1, 60)]
        )  # bounds of tiers and packs, and others
        found.append((rng.choice(METERS), instant, charged, rng.choice([0, 0, rng.randint(0, charged)])))
    return found


def as_compared(invoice: Invoice) -> Counter[Any]:
    return Counter(
        (line.kind.value, line.item, line.amount.minor, to_micros(line.at) if line.at is not None else None)
        for line in invoice.lines
    )


def as_true(truth: TrueInvoice) -> Counter[Any]:
    return Counter((line.kind, line.item, line.amount, line.at) for line in truth.lines)


@pytest.mark.parametrize("seed", range(4))
def test_engine_and_truth_ask_for_the_same_lines(seed: int) -> None:
    """
    A hundred dense contracts a seed, six invoices each; each side carries on by itself what was billed before.

    Seen to fail, among others, when a yearly item was billed each month, when a change on a billing day was prorated,
    when a day's change counted as the old quantity's, when each part of a period had the whole limit, when a counted
    discount held once more, when an amount came off before a percent, when ties of a shared discount went to the later
    item, when a trial had the contract's allowances or its minimum, and when a half was rounded to even.
    """
    kinds = Counter[Kind]()
    for document in contracts(seed, 100, DENSE):
        contract = read_contract(document)
        assert isinstance(contract, ContractV2)
        terms, rng = terms_of(contract), Random(f"usage/{seed}/{contract.customer}")
        billed, before = NOTHING_BEFORE, Before()
        anchor = at(document["billing_anchor"])
        for number in (0, 1, 2, 3, 12, 13):
            day = month(anchor, number)
            trial = number == 0 and "trial" in document
            start = at(document["trial"]["from"]) if trial else month(anchor, number - 1)
            uses = [] if number == 0 and not trial else some_usage(rng, document, start, day)

            invoice = _asked(terms, day, uses, billed)
            truth = true_invoice(document, day, [Entry(use[1], use[0], use[2] - use[3]) for use in uses], before)

            where = f"{contract.customer} of seed {seed}, invoice {number}"
            assert as_compared(invoice) == as_true(truth), where
            assert invoice.net.minor == truth.net, where
            assert dict(invoice.drawn) == truth.drawn, where
            unpriced = {account.meter: account.unpriced for account in invoice.unpriced}
            assert unpriced == {meter: count for meter, count in truth.unpriced.items() if count}, where
            billed = billed.plus(invoice)
            before = Before((*before.days, day), dict(Counter(before.drawn) + Counter(truth.drawn)))
            kinds.update(line.kind for line in invoice.lines)

    assert set(Kind) - set(kinds) == {Kind.PRIOR_PERIOD}


def _asked(terms: Any, day: int, uses: list[Use], billed: BilledBefore) -> Invoice:
    usage = [used_at(meter, from_micros(at_), Decimal(c), Decimal(r)) for meter, at_, c, r in uses]
    return expected_invoice(terms, from_micros(day), usage, billed)
