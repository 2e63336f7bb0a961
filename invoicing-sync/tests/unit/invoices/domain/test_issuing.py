"""Documents sum to the period rated right at once; a credit note takes from what its invoice and lines have left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from event_schemas.times import Period
from event_schemas.values import Currency, Money
from invoicing_sync.contracts.domain.terms import MeteredTerm, Terms, Tier
from invoicing_sync.invoices.domain.corrections import LateEntry, price
from invoicing_sync.invoices.domain.engine import engine_terms
from invoicing_sync.invoices.domain.expected_invoice import expected
from invoicing_sync.invoices.domain.issuing import (
    LineLeft,
    MadeNote,
    NoteLine,
    draw_up,
    left_of,
    note_differences,
    owed_back,
    paid_part,
    still_open,
)
from pricing.usage import Used

ANCHOR = datetime(2026, 4, 1, tzinfo=UTC)
APRIL = Period(ANCHOR, datetime(2026, 5, 1, tzinfo=UTC))
TIERS = [LineLeft("tier-1", "outcome", 99_000), LineLeft("tier-2", "outcome", 89), LineLeft("seats", "", 7_800)]


def made(**changes: object) -> MadeNote:
    fields: dict[str, object] = {
        "note_id": "cn_1",
        "number": "X-CN-01",
        "key": "credit:acme:0:1",
        "status": "issued",
        "currency": Currency.USD,
        "amount_minor": 188,
        "lowered_minor": 188,
        "after_minor": 0,
        "balance": False,
        "refunded_minor": 0,
        "elsewhere_minor": 0,
        "lines": (("tier-2", 89), ("tier-1", 99)),
    }
    return MadeNote(**(fields | changes))  # type: ignore[arg-type]


class TestDrawUp:
    def test_the_last_tier_gives_back_first(self) -> None:
        note = draw_up({"outcome": -188}, TIERS, left_minor=106_889)

        assert note is not None
        assert note.lines == (NoteLine("outcome", 89, "tier-2"), NoteLine("outcome", 99, "tier-1"))
        assert (note.amount_minor, dict(note.shares), note.short_minor) == (188, {"outcome": -188}, 0)

    def test_what_the_items_lines_do_not_take_is_a_line_of_its_own(self) -> None:
        note = draw_up({"outcome": -100}, [LineLeft("t", "outcome", 40)], left_minor=500)

        assert note is not None
        assert note.lines == (NoteLine("outcome", 40, "t"), NoteLine("outcome", 60, None))

    def test_what_another_item_owes_more_is_taken_off(self) -> None:
        note = draw_up({"a": -500, "b": 200}, [LineLeft("la", "a", 900), LineLeft("lb", "b", 900)], left_minor=1_800)

        assert note is not None
        assert (note.lines, dict(note.shares)) == ((NoteLine("a", 300, "la"),), {"a": -500, "b": 200})

    def test_no_more_than_the_invoice_has_left(self) -> None:
        note = draw_up({"outcome": -188}, TIERS, left_minor=150)

        assert note is not None
        assert (note.amount_minor, note.short_minor, dict(note.shares)) == (150, 38, {"outcome": -150})
        assert draw_up({"outcome": -188}, TIERS, left_minor=0) is None

    def test_nothing_is_drawn_up_where_more_is_owed(self) -> None:
        assert draw_up({"outcome": 5}, TIERS, left_minor=500) is None


def test_less_than_the_smallest_amount_waits() -> None:
    assert [owed_back({"a": -99}, smallest_minor=smallest) for smallest in (1, 99, 100)] == [99, 99, 0]
    assert owed_back({"a": 99}, smallest_minor=1) == 0


def test_an_open_amount_is_lowered_first() -> None:
    assert [paid_part(198, remaining) for remaining in (500, 198, 100, 0)] == [0, 0, 98, 198]


def test_void_notes_have_taken_nothing() -> None:
    assert left_of({"tier-1": 500, "tier-2": 89}, [made(), made(status="void")]) == {"tier-1": 401, "tier-2": 0}


class TestNoteDifferences:
    LINES = (NoteLine("outcome", 89, "tier-2"), NoteLine("outcome", 99, "tier-1"))

    def found(self, **changes: object) -> tuple[str, ...]:
        return note_differences(Money(188, Currency.USD), self.LINES, made(**changes))

    def test_the_one_that_was_meant(self) -> None:
        assert self.found() == ()
        assert self.found(lowered_minor=0, after_minor=188, balance=True) == ()

    def test_another_amount_by_a_cent(self) -> None:
        assert self.found(amount_minor=187, lowered_minor=187) == ("it comes to USD 1.87, USD 1.88 was meant",)

    def test_other_lines(self) -> None:
        assert self.found(lines=(("tier-1", 99), (None, 89))) == (
            "missing: USD 0.89 of line tier-2",
            "not expected: USD 0.89 on a line of its own",
        )

    def test_money_that_went_elsewhere(self) -> None:
        assert self.found(lowered_minor=0, after_minor=188, elsewhere_minor=188) == (
            "USD 1.88 of it was settled outside Stripe",
            "USD 1.88 of it did not go to the customer's balance",
        )

    def test_a_refund_where_the_balance_was_meant_and_the_other_way_round(self) -> None:
        refunded = made(lowered_minor=0, after_minor=188, refunded_minor=188)
        credited = made(lowered_minor=0, after_minor=188, balance=True)

        assert note_differences(Money(188, Currency.USD), self.LINES, refunded, refund=True) == ()
        assert note_differences(Money(188, Currency.USD), self.LINES, refunded) == (
            "USD 1.88 of it was refunded, and nothing was meant to be",
            "USD 1.88 of it did not go to the customer's balance",
        )
        assert note_differences(Money(188, Currency.USD), self.LINES, credited, refund=True) == (
            "USD 0.00 of it was refunded, USD 1.88 was meant",
        )


@settings(max_examples=150, deadline=None)
@given(
    currency=st.sampled_from(Currency),
    prices=st.lists(st.decimals("0", "3", places=4), min_size=2, max_size=2),
    bound=st.integers(1, 20),
    frozen=st.integers(0, 40),
    charges=st.integers(0, 6),
    taken_back=st.integers(0, 12),
    gathered=st.lists(st.integers(1, 4), max_size=12),
    smallest=st.sampled_from([1, 1, 50]),
    seed=st.randoms(use_true_random=False),
)
def test_gathered_anyhow_and_in_any_order_the_notes_and_what_waits_come_to_the_period_rated_at_once(
    currency: Currency,
    prices: list[Decimal],
    bound: int,
    frozen: int,
    charges: int,
    taken_back: int,
    gathered: list[int],
    smallest: int,
    seed: Random,
) -> None:
    """
    Late charges and reversals in any order, cut into gatherings anywhere.

    Seen to fail when what earlier notes settled is left out, and when a line gives a minor unit more than it has left.
    """
    tiers = (Tier(bound, prices[0]), Tier(None, prices[1]))
    terms = Terms(currency, ANCHOR, (MeteredTerm("outcome", "graduated", tiers),), (), ())
    values = ["1"] * charges + ["-1"] * min(taken_back, frozen + charges)
    seed.shuffle(values)
    entries = [
        LateEntry(f"e{number}", "outcome", Decimal(value), ANCHOR + timedelta(days=3))
        for number, value in enumerate(values)
    ]
    usage = [Used("outcome", APRIL, Decimal(frozen))] if frozen else []
    billed = expected(terms, APRIL, usage, revision=1)
    left = {f"l{number}": line.amount.minor for number, line in enumerate(billed.lines)}
    total, settled, here = billed.total.minor, list[dict[str, int]](), 0
    for count in [*gathered, len(entries)]:
        here = min(here + count, len(entries))
        found = price(engine_terms(terms, revision=1), APRIL, usage, entries[:here])
        open_ = still_open({change.item: change.difference.minor for change in found.changes}, settled)
        if owed_back(open_, smallest_minor=smallest):
            lines = [LineLeft(name, "outcome", minor) for name, minor in left.items()]
            note = draw_up(open_, lines, left_minor=total)
            if note is None:
                continue
            assert sum(line.amount_minor for line in note.lines) == note.amount_minor == -sum(note.shares.values())
            total -= note.amount_minor
            for line in note.lines:
                if line.line_id is not None:
                    left[line.line_id] -= line.amount_minor
            assert (total >= 0, min(left.values(), default=0) >= 0) == (True, True)
            settled.append(dict(note.shares))

    at_once = frozen + sum(Decimal(value) for value in values)
    right = expected(terms, APRIL, [Used("outcome", APRIL, Decimal(at_once))], revision=1).total.minor
    credited = -sum(sum(shares.values()) for shares in settled)
    waits = still_open({change.item: change.difference.minor for change in found.changes}, settled)
    assert billed.total.minor - credited + sum(waits.values()) == right
    assert owed_back(waits, smallest_minor=smallest) == 0
