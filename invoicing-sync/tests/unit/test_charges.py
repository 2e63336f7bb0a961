"""Every entry has a place: priced, free, unpriced, a correction, or waiting for its contract."""

from __future__ import annotations

from invoicing_sync.charges import Made, shares

AGREED = {"acme": (frozenset({"resolution"}), frozenset({"voice_outcome"}))}


def test_each_entry_is_counted_once_by_what_is_agreed() -> None:
    made = [
        Made("acme", "resolution", "delivered", 5),
        Made("acme", "resolution", "netted", 2),
        Made("acme", "voice_outcome", "netted", 3),
        Made("acme", "qualification", "delivered", 1),
        Made("acme", "resolution", "correction", 4),
        Made("beta", "resolution", "waiting_for_contract", 6),
    ]

    found = shares(made, AGREED)

    assert found == {"priced": 7, "free": 3, "unpriced": 1, "corrections": 4, "without_contract": 6}
    assert found.total() == sum(each.count for each in made)
