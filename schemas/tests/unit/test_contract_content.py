"""Two contracts say the same or not, however they are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from event_schemas.contract_content import differing_fields, fingerprint
from event_schemas.contract_v2 import ContractV2, read_contract
from event_schemas.contract_v2.testing import START, a_change, a_document, document_with, metered, seats
from event_schemas.contracts import Contract

EXAMPLES = Path(__file__).parents[2] / "examples/contract/1"


def an_example(**changed: Any) -> Contract:
    return Contract.model_validate({**json.loads((EXAMPLES / "ordinary.json").read_text())["data"], **changed})


def test_defaults_that_are_written_out_change_nothing() -> None:
    bare = an_example()
    written = Contract.model_validate(bare.model_dump(mode="json"))

    assert fingerprint(written) == fingerprint(bare)
    assert differing_fields(written, bare) == []


def test_an_instant_is_the_same_whatever_its_offset() -> None:
    assert fingerprint(an_example(billing_anchor="2026-11-01T00:00:00Z")) == fingerprint(
        an_example(billing_anchor="2026-11-01T02:00:00+02:00")
    )


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"name": "Another name"}, ["name"]),
        ({"billing_email": "other@acme.example", "name": "Another"}, ["billing_email", "name"]),
        (
            {"metered": [{"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "5"}}]},
            ["metered.resolution.price.unit_price"],
        ),
        ({"free_meters": ["sms_segment"]}, ["free_meters.0"]),
    ],
)
def test_the_fields_that_differ_are_named(changed: dict[str, Any], fields: list[str]) -> None:
    before = an_example(metered=[{"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "0.99"}}])
    after = an_example(**{"metered": before.model_dump(mode="json")["metered"], **changed})

    assert differing_fields(before, after) == fields
    assert fingerprint(before) != fingerprint(after)


def test_two_items_of_one_meter_and_two_words_on_one_instant_are_told_apart() -> None:
    before = a_document(
        items=[metered(until="2026-03-01T00:00:00Z"), metered(key="b", **{"from": "2026-03-01T00:00:00Z"})]
    )
    cheaper = document_with("items/0/price/unit_price", "0.89", before)
    twice = [{"at": START, "quantity": n, "agreed_in": n} for n in (1, 2)]
    seated = a_document(revision=2, history=[a_change(1), a_change(2)], items=[seats(quantities=twice), metered()])
    other = document_with("items/0/quantities/0/withdrawn_in", 2, seated)

    assert differing_fields(read(before), read(cheaper)) == ["items.resolution.price.unit_price"]
    assert differing_fields(read(seated), read(other)) == [f"items.seat.quantities.{START}.0.withdrawn_in"]
    assert fingerprint(read(before)) != fingerprint(read(cheaper))


def read(document: Any) -> ContractV2:
    contract = read_contract(document)
    assert isinstance(contract, ContractV2)
    return contract
