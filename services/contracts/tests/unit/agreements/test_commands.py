"""What each command makes of a contract, by hand."""

from __future__ import annotations

from datetime import UTC, datetime

from contracts_service.agreements.domain.changes import changes_of
from contracts_service.agreements.domain.commands import DealTerms
from contracts_service.agreements.domain.decide import Decided, decide
from contracts_service.agreements.domain.signing import Quoted
from contracts_service.catalog.folder import read_document
from contracts_service.testing import COMMANDS, START, a_catalog, a_sign_up, after, asked, terms, told
from event_schemas.contract_v2 import billing_at, items_at, plan_at, price_of_meter_at, quantity_at, seats_at
from event_schemas.contract_v2.clauses import Discount

MID = datetime(2026, 2, 15, 12, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)


def at(instant: datetime) -> str:
    return instant.isoformat()


class TestSignUp:
    def test_takes_everything_by_value(self) -> None:
        contract = after([], coupon="welcome", add_ons=[{"add_on": "outreach", "quantity": 2}])

        assert [(i.key, i.product, i.plan, i.price_version) for i in contract.items] == [
            ("basic_seat", "basic_seat", "basic", "plans/basic/1"),
            ("resolution", "resolution", "basic", "outcome_prices/resolution/1"),
            ("sms", "sms", "basic", "usage_prices/sms/1"),
            ("outreach", "outreach", None, "add_ons/outreach/1"),
            ("messages", "outreach", None, "usage_prices/messages/1"),
        ]
        assert (quantity_at(contract, "basic_seat", START), quantity_at(contract, "outreach", START)) == (3, 2)
        assert [(a.meter, a.quantity) for a in contract.allowances] == [("message", 500)]
        assert contract.discounts == (
            Discount(key="welcome", start=START, agreed_in=1, scope="invoice", percent="35", invoices=3),
        )
        assert [p.policy.version for p in contract.policies] == ["standard/1"]
        assert (contract.channel, contract.revision, contract.billing_anchor) == ("self_serve", 1, START)

    def test_a_trial_moves_the_first_paid_period(self) -> None:
        contract = after([], trial=True)

        assert contract.trial is not None
        assert (contract.trial.start, contract.trial.until) == (START, datetime(2026, 2, 15, tzinfo=UTC))
        assert contract.billing_anchor == contract.trial.until
        assert [(a.meter, a.quantity) for a in contract.trial.allowances] == [("resolution", 200)]

    def test_without_an_instant_it_begins_now_on_a_whole_second(self) -> None:
        now = datetime(2026, 2, 1, 9, 30, 5, 999_999, tzinfo=UTC)
        decided = told(asked("sign_up", terms=terms()), None, now=now)

        assert isinstance(decided, Decided)
        assert decided.contract.billing_anchor == datetime(2026, 2, 1, 9, 30, 5, tzinfo=UTC)
        assert decided.contract.history[0].agreed_at == now

    def test_says_which_entries_of_the_catalogue_it_uses(self) -> None:
        decided = told(a_sign_up(coupon="tenner"), None)

        assert isinstance(decided, Decided)
        assert decided.uses == {
            ("plans", "basic", 1),
            ("policies", "standard", 1),
            ("outcome_prices", "resolution", 1),
            ("usage_prices", "sms", 1),
            ("coupons", "tenner", 1),
        }


class TestSign:
    QUOTED = Quoted("Q-1", "acme", "D-7", MAY, DealTerms.model_validate(terms()), read_document(a_catalog()))
    SIGN = asked("sign", quote="Q-1", at=at(START))

    def test_both_channels_end_with_contracts_equal_but_for_channel_and_actor(self) -> None:
        dearer = read_document(a_catalog(plans__basic__version=2, plans__basic__prices={"USD": "45", "JPY": "1"}))
        signed = decide(
            "acme", COMMANDS.validate_python(self.SIGN | {"actor": "crm"}), None, dearer, now=START, quoted=self.QUOTED
        )
        web = after([])

        assert isinstance(signed, Decided)
        assert signed.contract.channel == "sales_led"
        differing = {"channel", "history"}
        assert signed.contract.model_dump(exclude=differing) == web.model_dump(exclude=differing)
        assert signed.contract.history[0].model_dump(exclude={"actor", "channel"}) == web.history[0].model_dump(
            exclude={"actor", "channel"}
        )

    def test_a_deal_has_prices_and_commitments_of_its_own(self) -> None:
        step = {"at": at(START), "quantity": 1000}
        commitment = {"meter": "resolution", "unit_price": "0.8", "bill": "advance", "ramp": [step]}
        agreed = DealTerms.model_validate(
            terms()
            | {"prices": {"basic_seat": {"scheme": "per_unit", "unit_price": "30"}}, "commitments": [commitment]}
        )
        quoted = Quoted("Q-1", "acme", "D-7", MAY, agreed, self.QUOTED.catalog)
        signed = decide("acme", COMMANDS.validate_python(self.SIGN), None, quoted.catalog, now=START, quoted=quoted)

        assert isinstance(signed, Decided)
        seat = signed.contract.items[0]
        assert (seat.price.unit_price, seat.price_version) == ("30", "deals/D-7")  # type: ignore[union-attr]
        assert [(c.key, c.unit_price, c.price_version) for c in signed.contract.commitments] == [
            ("resolution-commitment", "0.8", "deals/D-7")
        ]
        assert ("plans", "basic", 1) in signed.uses


class TestItems:
    def test_seats_change_at_an_instant(self) -> None:
        contract = after([asked("change_seats", at=at(MID), quantity=5)], now=MID)

        assert [seats_at(contract, "basic_seat", when) for when in (START, MID, MAY)] == [3, 5, 5]
        assert [c.sentence for c in changes_of(contract)] == ["5 of basic_seat from 2026-02-15T12:00:00Z"]

    def test_without_an_instant_it_is_the_second_that_runs(self) -> None:
        contract = after([])
        decided = told(asked("change_seats", quantity=5), contract, now=MID.replace(second=7, microsecond=999_999))

        assert isinstance(decided, Decided)
        assert decided.contract.history[-1].effective_at == MID.replace(second=7)

    def test_of_two_changes_for_one_instant_the_later_one_counts(self) -> None:
        changes = [asked("change_seats", at=at(MID), quantity=quantity) for quantity in (5, 4)]

        assert seats_at(after(changes, now=MID), "basic_seat", MID) == 4

    def test_another_plan_ends_the_old_items_and_begins_the_new_ones(self) -> None:
        contract = after([asked("change_plan", at=at(MID), plan="pro")], now=MID)

        before, then = items_at(contract, START), items_at(contract, MID)
        assert [i.key for i in before] == ["basic_seat", "resolution", "sms"]
        assert [i.key for i in then] == ["pro_seat", "resolution-2", "sms-2"]
        assert (plan_at(contract, START), plan_at(contract, MID)) == ("basic", "pro")
        assert seats_at(contract, "pro_seat", MID) == 3
        policy = contract.policy_at(MID)
        assert policy is not None
        assert policy.version == "patient/1"

    def test_a_policy_that_was_negotiated_can_be_kept(self) -> None:
        contract = after([asked("change_plan", at=at(MID), plan="pro", keep_policy=True, seats=7)], now=MID)

        assert [p.policy.version for p in contract.policies] == ["standard/1"]
        assert seats_at(contract, "pro_seat", MID) == 7

    def test_a_new_version_of_the_same_plan_is_taken_by_asking_for_it_again(self) -> None:
        two = read_document(a_catalog(plans__basic__version=2, plans__basic__prices={"USD": "45", "JPY": "1"}))
        before = after([])
        decided = told(asked("change_plan", at=at(MARCH), plan="basic"), before, now=MID, catalog=two)

        assert isinstance(decided, Decided)
        assert next((i.key, i.price_version) for i in items_at(decided.contract, MARCH)) == (
            "basic_seat-2",
            "plans/basic/2",
        )

    def test_an_add_on_comes_and_goes_with_what_it_includes(self) -> None:
        contract = after(
            [
                asked("add_add_on", at=at(MID), add_on="outreach"),
                asked("remove_add_on", at=at(MARCH), add_on="outreach"),
            ],
            now=MID,
        )

        assert [price_of_meter_at(contract, "message", when) is not None for when in (START, MID, MARCH)] == [
            False,
            True,
            False,
        ]
        assert [(a.start, a.until) for a in contract.allowances] == [(MID, MARCH)]
        again = told(asked("add_add_on", at=at(MAY), add_on="outreach"), contract, now=MID)
        assert isinstance(again, Decided)
        assert [i.key for i in again.contract.items][-2:] == ["outreach-2", "messages-2"]


class TestClauses:
    def test_a_coupon_on_a_product_is_a_discount_on_its_item(self) -> None:
        contract = after(
            [asked("add_add_on", add_on="copilot"), asked("give_discount", coupon="copilot_half", at=at(MID))],
            now=START,
        )

        assert [(d.key, d.item, d.percent, d.until) for d in contract.discounts] == [
            ("copilot_half", "copilot", "50", datetime(2027, 2, 15, 12, tzinfo=UTC))
        ]

    def test_an_amount_off_the_invoice_is_in_minor_units(self) -> None:
        contract = after([asked("give_discount", coupon="tenner"), asked("give_credit", amount_minor=5000)])

        assert contract.discounts[0].amount is not None
        assert contract.discounts[0].amount.minor == 1000
        assert contract.prepaid[0].amount.minor == 5000

    def test_a_commitment_begins_on_a_billing_day(self) -> None:
        terms = {"meter": "resolution", "unit_price": "0.8", "bill": "advance"}
        ramp = [{"at": at(MARCH), "quantity": 100}, {"at": at(MAY), "quantity": 200}]
        contract = after([asked("commit", commitment=terms | {"ramp": ramp})])

        assert [(s.at, s.quantity) for s in contract.commitments[0].ramp] == [(MARCH, 100), (MAY, 200)]


class TestMeters:
    LIMIT = asked("set_limit", meter="resolution", quantity=100)

    def test_a_limit_replaces_the_one_before(self) -> None:
        contract = after([self.LIMIT, self.LIMIT | {"at": at(MID), "quantity": 50}])

        assert [(one.key, one.quantity, one.start, one.until) for one in contract.limits] == [
            ("resolution-limit", 100, START, MID),
            ("resolution-limit-2", 50, MID, None),
        ]
        assert [change.sentence for change in changes_of(contract)] == [
            "resolution-limit ends 2026-02-15T12:00:00Z",
            "resolution-limit-2, 50 units charged at most from 2026-02-15T12:00:00Z",
        ]

    def test_a_limit_is_lifted_and_an_undo_brings_it_back(self) -> None:
        lifted = [self.LIMIT, self.LIMIT | {"at": at(MARCH), "quantity": None}]

        assert after(lifted).limits[0].until == MARCH
        assert after([*lifted, asked("undo", revision=3)], now=MID).limits[0].until is None

    def test_thresholds_are_replaced_whole(self) -> None:
        alerts = asked("set_alerts", meter="resolution", thresholds=[50, 90])
        contract = after([alerts, alerts | {"at": at(MID), "thresholds": [80]}])

        assert [(one.thresholds, one.until) for one in contract.alerts] == [((50, 90), MID), ((80,), None)]

    def test_a_minimum_is_money_in_the_contracts_currency(self) -> None:
        contract = after([asked("set_minimum", at=at(MARCH), meter="resolution", amount_minor=5000)])

        assert [(one.start, str(one.amount.currency), one.amount.minor) for one in contract.minimums] == [
            (MARCH, "USD", 5000)
        ]
        assert [c.sentence for c in changes_of(contract)] == ["resolution-minimum, at least USD 50.00 from 2026-03-01"]

    def test_what_was_given_outlives_a_change_of_plan_and_ends_with_the_contract(self) -> None:
        given = asked("give_allowance", meter="resolution", quantity=10)
        moved = after([given, asked("change_plan", at=at(MID), plan="pro")])
        gone = after([given, self.LIMIT, asked("cancel", at=at(MID))])

        assert [(one.key, one.until) for one in moved.allowances] == [("resolution-given", None)]
        assert (gone.allowances[0].until, gone.limits[0].until) == (MID, MID)


class TestBilling:
    def test_tax_data_is_replaced_whole(self) -> None:
        ids = [{"kind": "eu_vat", "value": "DE123456789"}]
        contract = after([asked("change_tax", tax_address={"country": "DE"}, tax_ids=ids, at=at(MID))], now=MID)

        assert billing_at(contract, START).tax_address is None
        entry = billing_at(contract, MID)
        assert (entry.name, entry.tax_ids[0].value) == ("Acme Ltd", "DE123456789")

    def test_what_is_left_out_of_a_change_of_billing_stays(self) -> None:
        contract = after([asked("change_billing", purchase_order="PO 1", at=at(MID))], now=MID)

        entry = billing_at(contract, MID)
        assert (entry.purchase_order, entry.billing_email) == ("PO 1", "billing@acme.example")

    def test_the_issuer_moves_on_a_billing_day(self) -> None:
        contract = after([asked("move_issuer", issuer="settled-ie", at=at(MARCH))], now=MID)

        assert (billing_at(contract, MID).issuer, billing_at(contract, MARCH).issuer) == ("settled-us", "settled-ie")


class TestEnding:
    def test_a_cancellation_ends_all_that_is_sold(self) -> None:
        contract = after([asked("cancel", at=at(MID))], now=MID)

        assert len(items_at(contract, START)) == 3
        assert items_at(contract, MID) == ()

    def test_at_the_period_end_is_the_end_of_the_month(self) -> None:
        contract = after([asked("cancel", when="period_end")], now=MID)

        assert {i.until for i in contract.items} == {MARCH}

    def test_at_the_period_end_of_a_year_is_the_end_of_the_year(self) -> None:
        contract = after([asked("cancel", when="period_end")], now=START, plan="basic_yearly")

        assert {i.until for i in contract.items} == {datetime(2027, 2, 1, tzinfo=UTC)}

    def test_at_the_period_end_within_a_trial_is_the_end_of_the_trial(self) -> None:
        contract = after([asked("cancel", when="period_end")], now=START, trial=True)

        assert {i.until for i in contract.items} == {datetime(2026, 2, 15, tzinfo=UTC)}

    def test_an_undo_takes_back_all_that_a_revision_did(self) -> None:
        before = after([])
        contract = after(
            [asked("change_plan", at=at(MARCH), plan="pro"), asked("undo", revision=2)], now=MID, catalog=None
        )

        for when in (START, MARCH, MAY):
            assert [(i.key, i.price) for i in items_at(contract, when)] == [
                (i.key, i.price) for i in items_at(before, when)
            ]
            assert contract.policy_at(when) == before.policy_at(when)
        assert (contract.revision, contract.history[-1].effective_at) == (3, MARCH)
        assert {c.what for c in changes_of(contract)} == {"withdrawn", "changed"}
        assert "basic_seat goes on" in [c.sentence for c in changes_of(contract)]


def test_both_channels_end_with_one_contract_but_for_channel_and_actor() -> None:
    """The same life by commands of the customer's own, and by a deal and a salesperson's commands."""
    life = [
        asked("change_seats", at=at(MID), quantity=5),
        asked("add_add_on", at=at(MID), add_on="copilot", quantity=2),
        asked("set_limit", at=at(MARCH), meter="resolution", quantity=100),
        asked("give_allowance", at=at(MARCH), meter="resolution", quantity=10),
        asked("change_plan", at=at(MAY), plan="pro"),
        asked("undo", revision=4),
    ]
    catalog = read_document(a_catalog())
    quoted = Quoted("Q-1", "acme", "D-7", MAY, DealTerms.model_validate(terms()), catalog)
    ends = []
    for channel, actor, first in (
        ("self_serve", "self-serve", a_sign_up()),
        ("sales_led", "person:sam", asked("sign", at=at(START), quote="Q-1")),
    ):
        contract = None
        for command in (first, *life):
            said = COMMANDS.validate_python(command | {"channel": channel, "actor": actor})
            decided = decide("acme", said, contract, catalog, now=START, quoted=quoted)
            assert isinstance(decided, Decided), decided
            contract = decided.contract
        assert contract is not None
        assert {(change.channel, change.actor) for change in contract.history} == {(channel, actor)}
        document = contract.model_dump(
            mode="json", exclude={"channel": True, "history": {"__all__": {"channel", "actor"}}}
        )
        ends.append(document)

    assert ends[0] == ends[1]
