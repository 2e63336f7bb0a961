"""The numbered assumptions."""

from __future__ import annotations

import re
from pathlib import Path

from invoicing_sync.assumptions.check import SELLING, TRIALS
from invoicing_sync.assumptions.domain.catalogue import ASSUMPTIONS
from invoicing_sync.contracts.domain.plan.clauses import CLAUSES
from sandbox.stripe.answers import choices


def test_numbers_are_stable_and_without_gaps() -> None:
    assert list(ASSUMPTIONS) == [f"A{number}" for number in range(1, len(ASSUMPTIONS) + 1)]


def test_every_switch_of_the_sandbox_belongs_to_one_assumption() -> None:
    switches = [one.switch for one in ASSUMPTIONS.values() if one.switch]

    assert sorted(switches) == sorted(choices(selling=True))


def test_every_assumption_is_tried_by_one_trial() -> None:
    tried = [number for trial in TRIALS for number in trial.numbers]

    assert sorted(tried) == sorted(ASSUMPTIONS)


def test_what_no_text_decides_has_a_switch() -> None:
    assert [one.number for one in ASSUMPTIONS.values() if one.source.startswith("no text") and not one.switch] == []


def test_what_the_plan_rests_on_names_its_clauses() -> None:
    known = {clause.clause for clause in CLAUSES}

    assert [name for one in ASSUMPTIONS.values() for name in one.clauses if name not in known] == []
    sold = [one for trial in SELLING for number in trial.numbers for one in [ASSUMPTIONS[number]]]
    assert [one.number for one in sold if not one.clauses] == []


def test_the_readme_shows_the_list_word_for_word() -> None:
    text = (Path(__file__).parents[4] / "README.md").read_text().split("\n## What we assume of Stripe\n")[1]
    shown = re.findall(r"^\| (A\d+) \| (.+) \| (.+) \| (.+) \| (.*) \|$", text, re.MULTILINE)

    switches = {one.number: f"`{one.switch}`" if one.switch else "" for one in ASSUMPTIONS.values()}
    rests = {one.number: "; ".join(one.clauses) and f" ({'; '.join(one.clauses)})" for one in ASSUMPTIONS.values()}
    assert shown == [(n, one.says, one.source, one.otherwise + rests[n], switches[n]) for n, one in ASSUMPTIONS.items()]
