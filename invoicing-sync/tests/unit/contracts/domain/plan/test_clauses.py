"""The table of clauses is whole, and the README shows it."""

from __future__ import annotations

import re
from pathlib import Path

from event_schemas.contract_v2 import ContractV2
from event_schemas.contract_v2.billing import BillingFrom
from invoicing_sync.contracts.domain.plan.clauses import CLAUSES

README = Path(__file__).parents[5] / "README.md"


def test_every_field_of_a_contract_stands_in_the_table() -> None:
    named = {name.strip() for one in CLAUSES for name in re.split("[,:]", one.clause)}

    assert set(ContractV2.model_fields) - named == set()
    assert set(BillingFrom.model_fields) - {"at", "agreed_in", "withdrawn_in"} - named == set()


def test_the_readme_shows_the_table_word_for_word() -> None:
    section = README.read_text().split("\n## How a contract stands at Stripe\n")[1].split("\n## ")[0]
    shown = re.findall(r"^\| (.+) \| (.+) \| (.+) \| (.+) \| (.+) \| (.+) \|$", section, re.MULTILINE)[1:]

    assert [row for row in shown if not row[0].startswith("---")] == [
        (one.clause, one.way.value, one.how, one.why, one.compared, "yes" if one.billed else "no") for one in CLAUSES
    ]
