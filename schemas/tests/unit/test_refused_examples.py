"""Every example under `refused/` is refused, by the field that is at fault."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from event_schemas.contract_v2.flaws import follows
from event_schemas.registry import EVENT_TYPES

EXAMPLES = Path(__file__).parents[2] / "examples"
MODELS = {f"{event.name}/{event.version}": event.model for event in EVENT_TYPES}
FIELDS = {
    "contract/1/refused/price-as-number": "data.licensed.0.unit_price",
    "contract/1/refused/tiers-shrink": "data.metered.0.price.graduated",
    "contract/1/refused/unknown-field": "data.discount",
    "contract/2/refused/meter-without-price": "data",
    "contract/2/refused/seat-count-negative": "data.items.0.licensed.quantities.0.quantity",
    "contract/2/refused/two-prices-at-once": "data",
    "contract/2/refused/unknown-field": "data.discount",
    "contract.change/1/refused/unknown-channel": "data.channel",
    "conversation.signal/1/refused/identifier-with-space": "id",
    "conversation.signal/1/refused/intent-missing": "data",
    "conversation.signal/1/refused/outcome-without-type": "data",
    "conversation.signal/1/refused/text-smuggled": "data.body",
    "conversation.signal/1/refused/time-without-offset": "time",
    "conversation.signal/1/refused/unknown-channel": "data.channel",
    "event.quarantined/1/refused/unknown-reason": "data.reason",
    "rating.progress/1/refused/topic-missing": "data.topic_id",
    "resolution/1/refused/unknown-field": "data.confidence",
    "resolution/1/refused/unknown-state": "data.state",
    "stripe.event/1/refused/object-missing": "data.object",
    "usage.alert/1/refused/unknown-state": "data.state",
    "usage.rated/1/refused/unknown-op": "data.op",
    "usage/1/refused/exponent": "data.quantity",
    "usage/1/refused/meter-with-capital": "data.meter",
    "usage/1/refused/negative": "data.quantity",
    "usage/1/refused/number": "data.quantity",
    "usage/1/refused/other-digits": "data.quantity",
}


def test_each_refused_example_names_its_field_here_and_each_type_has_one() -> None:
    present = {str(path.relative_to(EXAMPLES).with_suffix("")) for path in EXAMPLES.glob("*/*/refused/*.json")}

    assert present == set(FIELDS)
    assert {path.partition("/refused")[0] for path in present} == set(MODELS)


@pytest.mark.parametrize(("example", "field"), FIELDS.items())
def test_the_field_at_fault_is_named(example: str, field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        MODELS[example.partition("/refused")[0]].model_validate_json((EXAMPLES / f"{example}.json").read_text())

    faults = refused.value.errors()
    assert [".".join(map(str, fault["loc"])) for fault in faults if not follows(fault, faults)] == [field]
