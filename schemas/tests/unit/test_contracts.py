"""A contract is refused with the field at fault, and answers which policy, window and period an instant falls under."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pydantic import ValidationError

from event_schemas.contract_v2.file import ContractFile
from event_schemas.contracts import Contract, OutcomePolicy, WindowHours
from event_schemas.times import iso, parse_instant
from event_schemas.vocabulary import Channel, DecidedBy

ACME: dict[str, Any] = {
    "customer": "acme",
    "name": "Acme Ltd",
    "issuer": "settled-us",
    "channel": "self_serve",
    "currency": "USD",
    "billing_anchor": "2026-10-31T00:00:00Z",
    "revision": 1,
    "timeline": [
        {"effective_from": "2026-10-31T00:00:00Z", "policy": {"version": "standard-1"}},
        {"effective_from": "2026-12-01T00:00:00Z", "policy": {"version": "standard-2"}},
    ],
    "metered": [
        {"meter": "resolution", "price": {"scheme": "per_unit", "unit_price": "0.99"}},
        {
            "meter": "sms_segment",
            "price": {
                "scheme": "graduated",
                "tiers": [{"up_to": 500, "unit_price": "0.06"}, {"up_to": None, "unit_price": "0.03"}],
            },
        },
    ],
    "licensed": [{"item": "essential_seat", "quantity": 3, "unit_price": "39"}],
}


def acme_with(path: str, value: Any) -> dict[str, Any]:
    """Acme's contract with one value set."""
    document = copy.deepcopy(ACME)
    *parents, last = path.split("/")
    target: Any = document
    for name in parents:
        target = target[int(name) if name.isdigit() else name]
    target[last] = value
    return document


class TestRefusals:
    @pytest.mark.parametrize(
        ("path", "value", "field"),
        [
            ("discount", "10", "discount"),
            ("timeline/0/policy/grace_hours", 1, "timeline.0.policy.grace_hours"),
            ("timeline/0/policy/window_hours", {"fax": 24}, "timeline.0.policy.window_hours.fax"),
            ("timeline/0/policy/window_hours", {"chat": 0}, "timeline.0.policy.window_hours.chat"),
            ("timeline/0/policy/decided_by", "customer", "timeline.0.policy.decided_by"),
            ("timeline/0/policy/version", "two words", "timeline.0.policy.version"),
            ("timeline/0/policy/return_horizon_days", -1, "timeline.0.policy.return_horizon_days"),
            ("timeline/0/effective_from", "2026-10-31T00:00:00", "timeline.0.effective_from"),
            ("timeline", [], "timeline"),
            ("customer", "acme corp", "customer"),
            ("customer", "-acme", "customer"),
            ("currency", "CHF", "currency"),
            ("revision", 0, "revision"),
            ("billing_anchor", "2026-10-31T00:00:00", "billing_anchor"),
            ("metered/0/price/unit_price", "-0.99", "metered.0.price.per_unit.unit_price"),
            ("metered/0/price/unit_price", 0.99, "metered.0.price.per_unit.unit_price"),
            ("metered/0/price/unit_price", "1e-2", "metered.0.price.per_unit.unit_price"),
            ("metered/0/price/scheme", "volume", "metered.0.price"),
            ("metered/0/meter", "Resolution", "metered.0.meter"),
            ("licensed/0/quantity", -1, "licensed.0.quantity"),
            ("billing_email", "acme", "billing_email"),
            ("billing_email", "billing @acme.example", "billing_email"),
            ("collection_method", "by_carrier_pigeon", "collection_method"),
        ],
    )
    def test_names_the_field(self, path: str, value: Any, field: str) -> None:
        with pytest.raises(ValidationError) as refused:
            Contract.model_validate(acme_with(path, value))

        assert [".".join(str(part) for part in error["loc"]) for error in refused.value.errors()] == [field]

    @pytest.mark.parametrize(
        "bounds", [[500, 500, None], [500, 100, None], [None, 500], [500], [500, None, None]], ids=str
    )
    def test_tier_bounds_grow_and_the_last_alone_has_none(self, bounds: list[int | None]) -> None:
        tiers = [{"up_to": bound, "unit_price": "1"} for bound in bounds]

        with pytest.raises(ValidationError, match="tier bounds must grow"):
            Contract.model_validate(acme_with("metered/1/price/tiers", tiers))

    def test_a_timeline_out_of_order_or_with_one_instant_twice_is_refused(self) -> None:
        for starts in (["2026-12-01T00:00:00Z", "2026-11-01T00:00:00Z"], ["2026-12-01T00:00:00Z"] * 2):
            timeline = [{"effective_from": start, "policy": {"version": "v"}} for start in starts]

            with pytest.raises(ValidationError, match="sorted by effective_from"):
                Contract.model_validate(acme_with("timeline", timeline))

    def test_two_prices_for_one_meter_or_item_are_refused(self) -> None:
        with pytest.raises(ValidationError, match="a meter is priced twice"):
            Contract.model_validate(acme_with("metered", [ACME["metered"][0]] * 2))
        with pytest.raises(ValidationError, match="an item is priced twice"):
            Contract.model_validate(acme_with("licensed", ACME["licensed"] * 2))

    def test_an_anchor_between_two_seconds_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="whole second"):
            Contract.model_validate(acme_with("billing_anchor", "2026-10-31T00:00:00.5Z"))

    def test_a_meter_cannot_be_priced_and_free(self) -> None:
        with pytest.raises(ValidationError, match="free_meters: resolution has a price"):
            Contract.model_validate(acme_with("free_meters", ["resolution"]))

    @pytest.mark.parametrize("method", ["send_invoice", "charge_automatically"])
    def test_a_file_needs_an_address_for_its_invoices(self, method: str) -> None:
        agreed = ACME | {"collection_method": method}
        with pytest.raises(ValidationError, match=r"contracts\.0\.billing_email"):
            ContractFile.model_validate({"contracts": [agreed]})

        read = ContractFile.model_validate({"contracts": [agreed | {"billing_email": "billing@acme.example"}]})

        assert read.contracts[0].billing_email == "billing@acme.example"

    def test_the_bus_still_holds_contracts_without_an_address(self) -> None:
        assert Contract.model_validate(ACME).billing_email is None

    def test_an_empty_file_is_refused(self) -> None:
        with pytest.raises(ValidationError):
            ContractFile.model_validate({"contracts": []})


class TestPolicyAt:
    @pytest.mark.parametrize(
        ("instant", "version"),
        [
            ("2026-10-30T23:59:59.999999Z", None),
            ("2026-10-31T00:00:00Z", "standard-1"),
            ("2026-11-30T23:59:59.999999Z", "standard-1"),
            ("2026-12-01T00:00:00Z", "standard-2"),
            ("2036-01-01T00:00:00Z", "standard-2"),
        ],
    )
    def test_a_policy_is_in_force_from_its_instant_on(self, instant: str, version: str | None) -> None:
        policy = Contract.model_validate(ACME).policy_at(parse_instant(instant))

        assert (policy.version if policy else None) == version


class TestWindowHours:
    def test_a_channel_without_hours_of_its_own_has_the_default(self) -> None:
        hours = WindowHours(default=24, email=72, voice=1)

        assert {channel.value: hours.of(channel) for channel in Channel} == {
            "chat": 24,
            "email": 72,
            "whatsapp": 24,
            "sms": 24,
            "voice": 1,
            "social": 24,
        }

    def test_every_channel_can_be_given_hours(self) -> None:
        assert set(WindowHours.model_fields) == {"default", *Channel}


def test_a_policy_that_says_nothing_is_the_one_of_the_golden_file() -> None:
    policy = OutcomePolicy(version="v")

    assert policy.window_hours.default == 24
    assert policy.decided_by is DecidedBy.SIGNALS
    assert not policy.teammate_takeover_voids
    assert policy.return_horizon_days is None
    assert policy.type_precedence == ()


def test_a_contract_that_starts_on_the_31st_is_billed_to_the_end_of_short_months() -> None:
    contract = Contract.model_validate(ACME)

    period = contract.period_of(parse_instant("2027-02-10T00:00:00Z"))

    assert (iso(period.start), iso(period.end)) == ("2027-01-31T00:00:00Z", "2027-02-28T00:00:00Z")
    assert contract.period(3) == period


def test_what_is_written_is_read_again_as_the_same() -> None:
    contract = Contract.model_validate(ACME)

    assert Contract.model_validate_json(contract.model_dump_json()) == contract
