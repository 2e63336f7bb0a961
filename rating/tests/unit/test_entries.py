"""Ids, ordinals and the wire form of entries."""

from __future__ import annotations

import json

import pytest

from event_schemas.events.usage_rated_v1 import UsageRatedEvent
from usage_rating.domain.entries import Held, Wanted
from usage_rating.entries import append_entries, entry_id, held_ids, to_wire

CHARGE = Wanted("charge", "resolution", 5_000_000, 5_000_000, "v1", how="confirmed", signals=(("urn:a", "1"),))
REVERSAL = Wanted("reverse", "resolution", 5_000_000, 9_000_000, "v1", reason="customer_returned")


def appended(*wanted: Wanted, held: tuple[Held, ...] = ()):  # type: ignore[no-untyped-def]
    return append_entries(
        wanted,
        held,
        ledger_id="L",
        customer="acme",
        subject="c",
        kind="conversation",
        partition=3,
        first_seq=7,
        recorded_at=10_000_000,
    )


def test_an_id_is_the_same_for_ever() -> None:
    """Written out: a change of this value would charge every customer again."""
    assert entry_id("L", "acme", "c", "resolution", "charge", 1) == "7d0ad2f34bbff1bcf6b47894e82033eb"


def test_an_id_depends_on_each_of_its_parts() -> None:
    parts = ["L", "acme", "c", "resolution", "charge"]
    variants = {entry_id(*[p + "x" if i == place else p for i, p in enumerate(parts)], 1) for place in range(5)}

    assert len(variants | {entry_id(*parts, 1), entry_id(*parts, 2)}) == 7


def test_a_reversal_names_the_charge_it_takes_back() -> None:
    entries, held = appended(CHARGE, REVERSAL)

    assert entries[1].cause.reverses == entries[0].entry_id
    assert [entry.ordinal for entry in entries] == [1, 2]
    assert held_ids("L", "acme", "c", held) == [entry.entry_id for entry in entries]


def test_a_reversal_after_two_charges_names_the_later_one() -> None:
    held = (Held("charge", "resolution", 5_000_000), Held("reverse", "resolution", 5_000_000))
    entries, _ = appended(CHARGE, REVERSAL, held=held)

    assert entries[1].cause.reverses == entries[0].entry_id
    assert [entry.ordinal for entry in entries] == [3, 4]


def test_a_reversal_without_its_charge_is_a_bug() -> None:
    with pytest.raises(ValueError, match="without its charge"):
        appended(REVERSAL)


def test_what_is_published_holds_against_the_contract_of_the_bus() -> None:
    entries, _ = appended(CHARGE, REVERSAL)

    for entry in entries:
        record = UsageRatedEvent.model_validate(json.loads(to_wire(entry)))
        assert (record.id, record.subject, record.data.entry_id) == (entry.entry_id, "acme", entry.entry_id)
