"""The catalogue on a running line: applied twice it has nothing to do, and an edit by hand at Stripe is named."""

from __future__ import annotations

from pathlib import Path

from .conftest import Month

SHIPPED = str(Path(__file__).parents[2] / "services" / "contracts" / "catalog")


def test_a_second_apply_has_nothing_to_do_and_a_plan_names_an_edit_at_stripe(month: Month) -> None:
    first = month.settled("catalog", "apply", SHIPPED)
    code, again = month.settled("catalog", "apply", SHIPPED)
    planned, before = month.settled("catalog", "plan", SHIPPED)

    assert (first[0], code, again["number"], again["changes"]) == (0, 0, first[1]["number"], [])
    assert (planned, before["changes"], before["stripe"]["asked"], before["stripe"]["edited"]) == (0, [], True, [])

    objects = month.get("invoicing-sync", "/v1/catalogue")["objects"]
    price = next(one for one in objects if one["kind"] == "price" and one["ours"])
    month.stripe(f"/v1/prices/{price['stripe_id']}", data={"nickname": "Mine"}).raise_for_status()
    try:
        planned, after = month.settled("catalog", "plan", SHIPPED)
        told = month.said("catalog", "plan", SHIPPED)
    finally:
        month.stripe(f"/v1/prices/{price['stripe_id']}", data={"nickname": ""}).raise_for_status()

    assert (planned, told.returncode) == (1, 1)
    (edited,) = after["stripe"]["edited"]
    assert (edited["stripe_id"], edited["edits"]) == (price["stripe_id"], ["it was given the nickname Mine"])
    assert "nothing to do" in told.stdout
    assert "it was given the nickname Mine" in " ".join(told.stdout.split())
