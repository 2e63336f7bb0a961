"""Between Stripe's JSON and our values."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from event_schemas.values import Currency
from invoicing_sync.contracts.convert import terms_of
from invoicing_sync.contracts.domain.terms import LicensedTerm, MeteredTerm, Tier
from invoicing_sync.stripe_door.convert import (
    from_lookup_key,
    from_wire_line,
    from_wire_meter_problems,
    from_wire_summary,
    key_of,
    licensed_price_key,
    metered_price_key,
    to_wire_meter_event,
    to_wire_metered_price,
    to_wire_minor,
    to_wire_subscription,
)
from invoicing_sync.stripe_door.wire import MeterEvent
from invoicing_sync.testing import START, a_contract

SMS = MeteredTerm("sms_segment", "graduated", (Tier(500, Decimal("0.06")), Tier(None, Decimal("0.0175"))))


def test_a_meter_event_has_whole_seconds_cut_off_and_a_plain_decimal_value() -> None:
    at = datetime(2026, 10, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    event = MeterEvent("e1", "resolution", "cus_1", Decimal("-1E+1"), at)

    assert to_wire_meter_event(event) == {
        "event_name": "resolution",
        "identifier": "e1",
        "timestamp": 1793491199,
        "payload": {"stripe_customer_id": "cus_1", "value": "-10"},
    }


def test_prices_are_written_in_minor_units_of_their_currency() -> None:
    assert to_wire_minor(Decimal("0.0175"), Currency.USD) == "1.75"
    assert to_wire_minor(Decimal("4.5"), Currency.JPY) == "4.5"
    assert to_wire_minor(Decimal("0.0125"), Currency.KWD) == "12.5"


def test_a_graduated_price_has_one_tier_for_each_of_ours_and_no_bound_on_the_last() -> None:
    params = to_wire_metered_price(SMS, Currency.USD, product="prod_1", meter_id="mtr_1")

    assert params["tiers"] == [
        {"up_to": 500, "unit_amount_decimal": "6"},
        {"up_to": "inf", "unit_amount_decimal": "1.75"},
    ]
    assert (params["billing_scheme"], params["tiers_mode"]) == ("tiered", "graduated")


def test_a_lookup_key_follows_from_the_prices_content_and_names_its_item() -> None:
    same = MeteredTerm("sms_segment", "graduated", (Tier(500, Decimal("0.060")), Tier(None, Decimal("0.0175"))))
    other = MeteredTerm("sms_segment", "graduated", (Tier(501, Decimal("0.06")), Tier(None, Decimal("0.0175"))))
    seat = LicensedTerm("essential_seat", 3, Decimal("39"))

    assert metered_price_key(SMS, Currency.USD) == metered_price_key(same, Currency.USD)
    assert metered_price_key(SMS, Currency.USD) != metered_price_key(other, Currency.USD)
    assert metered_price_key(SMS, Currency.USD) != metered_price_key(SMS, Currency.EUR)
    assert from_lookup_key(metered_price_key(SMS, Currency.USD)) == ("usage", "sms_segment")
    assert from_lookup_key(licensed_price_key(seat, Currency.USD)) == ("advance", "essential_seat")


def test_a_key_holds_every_parameter_and_the_attempt() -> None:
    key = key_of("customer", "acme", {"name": "Acme"}, 1)

    assert key == key_of("customer", "acme", {"name": "Acme"}, 1)
    assert (
        len({key, key_of("customer", "acme", {"name": "Acme!"}, 1), key_of("customer", "acme", {"name": "Acme"}, 2)})
        == 3
    )
    assert len(key) <= 255


class TestSubscription:
    def params(self, now: datetime) -> dict[str, object]:
        terms = terms_of(a_contract())
        prices = {
            metered_price_key(terms.metered[0], terms.currency): "price_m",
            licensed_price_key(terms.licensed[0], terms.currency): "price_l",
        }
        return to_wire_subscription(
            terms, customer="acme", stripe_customer="cus_1", prices=prices, now=now, days_until_due=30
        )

    def test_it_has_licensed_items_with_a_quantity_and_metered_ones_without(self) -> None:
        assert self.params(START)["items"] == [{"price": "price_l", "quantity": 3}, {"price": "price_m"}]

    def test_at_its_anchor_it_starts_now(self) -> None:
        assert "billing_cycle_anchor" not in self.params(START)

    def test_before_its_anchor_it_waits_for_it_and_bills_nothing(self) -> None:
        params = self.params(START - timedelta(hours=1))

        assert (params["billing_cycle_anchor"], params["proration_behavior"]) == (1790812800, "none")

    def test_after_its_anchor_it_is_backdated_to_the_period_that_runs(self) -> None:
        params = self.params(datetime(2026, 12, 24, tzinfo=UTC))

        assert params["backdate_start_date"] == 1796083200  # 1 December
        assert params["billing_cycle_anchor"] == 1798761600  # 1 January


def test_a_line_is_read_with_its_decimal_quantity() -> None:
    raw = {
        "id": "il_1",
        "amount": 267,
        "quantity": 2,
        "quantity_decimal": "2.7",
        "description": "2.7 × resolution",
        "period": {"start": 1790812800, "end": 1793491200},
        "pricing": {"price_details": {"price": "price_1", "product": "prod_1"}},
        "parent": {"subscription_item_details": {"proration": False}},
    }

    line = from_wire_line(raw)

    assert (line.quantity, line.amount_minor, line.price, line.proration) == (Decimal("2.7"), 267, "price_1", False)


def test_a_summary_is_read_without_the_floats_noise() -> None:
    raw = {"start_time": 0, "end_time": 60, "aggregated_value": 0.1 + 0.2}

    assert from_wire_summary(raw).value == Decimal("0.3")


def test_an_error_report_is_read_by_code_with_its_samples() -> None:
    raw = {
        "related_object": {"id": "mtr_1", "type": "billing.meter"},
        "data": {
            "reason": {
                "error_count": 2,
                "error_types": [
                    {
                        "code": "meter_event_customer_not_found",
                        "error_count": 2,
                        "sample_errors": [{"error_message": "no such customer", "request": {"identifier": "e1"}}],
                    }
                ],
            }
        },
    }

    [problem] = from_wire_meter_problems(raw)

    assert (problem.meter, problem.code, problem.count) == ("mtr_1", "meter_event_customer_not_found", 2)
    assert problem.samples == (("e1", "no such customer"),)
