"""When a fault strikes."""

from __future__ import annotations

from sandbox.faults import KINDS, Faults


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
    assert len(KINDS) == 10
