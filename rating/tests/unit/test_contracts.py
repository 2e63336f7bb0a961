"""A draft of a policy over a contract's own: what it says changes, what it leaves out stays."""

from __future__ import annotations

from typing import Any

import pytest

from event_schemas.contracts import OutcomePolicy
from usage_rating.contracts import FIELDS, changed
from usage_rating.domain.policy import DAY, HOUR, ContractTimeline, Policy

FIRST = Policy("a", {"default": 24 * HOUR, "email": 72 * HOUR}, teammate_takeover_voids=True, return_horizon=14 * DAY)
LATER = Policy("b", decided_by_product=True, precedence={"resolution": 0})
OWN = ContractTimeline((5, 9), (FIRST, LATER))


def tried(**said: Any) -> tuple[Policy, ...]:
    found = changed(OWN, OutcomePolicy.model_validate({"version": "d", **said}))
    assert found.starts == OWN.starts
    return found.policies


def test_a_draft_that_says_only_its_version_changes_nothing_else() -> None:
    first, later = tried()

    assert (first.version, later.version) == ("d", "d")
    assert (first.window, first.teammate_takeover_voids, first.return_horizon) == (FIRST.window, True, 14 * DAY)
    assert (later.decided_by_product, later.precedence) == (True, {"resolution": 0})


@pytest.mark.parametrize(
    ("said", "field", "first", "later"),
    [
        (
            {"window_hours": {"default": 12}},
            "window",
            {"default": 12 * HOUR, "email": 72 * HOUR},
            {"default": 12 * HOUR},
        ),
        (
            {"window_hours": {"chat": 2}},
            "window",
            {"default": 24 * HOUR, "email": 72 * HOUR, "chat": 2 * HOUR},
            {"default": 24 * HOUR, "chat": 2 * HOUR},
        ),
        ({"teammate_takeover_voids": False}, "teammate_takeover_voids", False, False),
        ({"return_horizon_days": None}, "return_horizon", None, None),
        ({"return_horizon_days": 3}, "return_horizon", 3 * DAY, 3 * DAY),
        ({"decided_by": "signals"}, "decided_by_product", False, False),
        ({"type_precedence": ["sale"]}, "precedence", {"sale": 0}, {"sale": 0}),
    ],
)
def test_what_a_draft_says_holds_in_every_policy_of_the_timeline(
    said: dict[str, Any], field: str, first: Any, later: Any
) -> None:
    assert [getattr(policy, field) for policy in tried(**said)] == [first, later]


def test_every_field_of_a_policy_can_be_drafted() -> None:
    assert set(FIELDS) == set(OutcomePolicy.model_fields)
