"""When a fault strikes."""

from __future__ import annotations

import pytest

from sandbox.faults import KINDS, Faults, Refusal


def test_strikes_by_kind_path_and_customer_and_is_used_up() -> None:
    """The second customer, the other path and the third try are spared."""
    faults = Faults()
    faults.add("slow", path="/v1/billing", count=2, customer="cus_1")

    struck = [
        faults.strike("slow", path, customer=customer) is not None
        for path, customer in [
            ("/v1/customers", "cus_1"),
            ("/v1/billing/meters", "cus_2"),
            ("/v1/billing/meters", "cus_1"),
            ("/v1/billing/meter_events", "cus_1"),
            ("/v1/billing/meters", "cus_1"),
        ]
    ]

    assert struck == [False, False, True, True, False]
    assert faults.active == []


def test_the_same_seed_strikes_the_same_way() -> None:
    """About as often as the probability says."""

    def run() -> list[bool]:
        faults = Faults()
        faults.add("rate_limit_429", probability=0.3, seed=11)
        return [faults.strike("rate_limit_429", "/v1") is not None for _ in range(1000)]

    assert run() == run()
    assert 250 < sum(run()) < 350


def test_ends_after_its_duration_or_when_it_is_removed() -> None:
    """Duration is process time."""
    faults = Faults()
    faults.add("slow", duration_s=-1)
    kept, removed = faults.add("slow", path="/a"), faults.add("slow", path="/b")
    faults.remove(removed.id)

    assert faults.strike("slow", "/c") is None
    assert faults.strike("slow", "/b") is None
    assert faults.strike("slow", "/a") is kept
    assert len(KINDS) == 11


@pytest.mark.parametrize(
    ("path", "struck"),
    [
        ("/v1/subscriptions", {"/v1/subscriptions", "/v1/subscriptions/sub_1", "/v1/subscriptions/sub_1/items"}),
        ("/v1/subscriptions$", {"/v1/subscriptions"}),
        ("/v1/subscriptions/*$", {"/v1/subscriptions/sub_1"}),
        ("/v1/*/sub_1", {"/v1/subscriptions/sub_1", "/v1/subscriptions/sub_1/items"}),
        ("/v1/sub.criptions", set()),
    ],
)
def test_a_star_is_one_part_of_a_path_and_a_dollar_its_end(path: str, struck: set[str]) -> None:
    """All else is itself."""
    faults = Faults()
    faults.add("slow", path=path)
    tried = ("/v1/subscriptions", "/v1/subscriptions/sub_1", "/v1/subscriptions/sub_1/items", "/v1/customers")

    assert {one for one in tried if faults.strike("slow", one)} == struck


def test_refuses_by_method_and_parameter_and_spares_the_others() -> None:
    """A request that it was not meant for uses nothing of it up."""
    faults = Faults()
    faults.add("refused", path="/v1/customers", count=1, refusal=Refusal("POST", "email", "email_invalid"))

    tried = [("GET", ["email"]), ("POST", ["name"]), ("POST", ["name", "email"]), ("POST", ["email"])]
    found = [faults.refuse(method, "/v1/customers", params) for method, params in tried]

    assert [one and one.code for one in found] == [None, None, "email_invalid", None]
