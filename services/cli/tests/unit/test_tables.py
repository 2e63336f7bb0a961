"""Every table at 80 and 120 cells, with awkward data: ids, reasons and amounts stand whole, and no word is lost."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console, RenderableType

from settled_cli import agreements, alerts, cases, corrections, deliveries, explain, inspection, planning, usage, watch
from settled_cli.demo import views
from settled_cli.tables import Column, fitting

CUSTOMER = "a-customer.with:a-long-id_of-sixty-characters-000000000000001"
LONG_SENTENCE = (
    "this customer is not in the register; the event waits and is driven again once the customer is known, which an"
    " operator brings about with a contract or by registering it"
)
HELD = "[bold]ledger[/] 1,234,567.5, Stripe 0: they differ = +44"
IDENTIFIER = "1bb21197ac278defd6a9170e9303e4cf"
METER = "a_meter_with_fifty_characters_in_its_name_as_allow"
WHY = {
    "clause": "metered.a_meter_with_fifty_characters_in_its_name_as_allow",
    "quantity": "1,000,000.5 charged for sms_segment in 2026-10-01 to 2026-11-01, less 999,710 reversed",
    "price_version": "contract revision 3",
    "formula": "290.5 × 0.030017211704",
    "exact": "8.719999999999",
    "rounding": "8.719999999999 rounded half away from zero to KWD 8.720",
}
SAID = f"{WHY['quantity']}; {WHY['formula']} = {WHY['rounding']}; by {WHY['clause']} of contract revision 3"
CORRECTION: dict[str, Any] = {
    "customer": CUSTOMER,
    "period_start": "2026-10-01T00:00:00Z",
    "period_end": "2026-11-01T00:00:00Z",
    "period_state": "finalised",
    "currency": "KWD",
    "entries": [
        {
            "entry_id": IDENTIFIER,
            "subject": "conversation-of_forty-characters-000001",
            "subject_kind": "conversation",
            "meter": METER,
            "value": "-1",
            "reason": "charge_is_correction",
            "effective_at": "2026-10-30T00:00:00Z",
            "recorded_at": "2026-11-02T00:00:00Z",
            "amount_minor": -990,
        }
    ],
    "before": [{"kind": "usage", "item": METER, "quantity": "290.5", "amount_minor": 8_720, "why": WHY}],
    "after": [],
    "items": [{"item": METER, "quantity_before": "290.5", "quantity_after": "0", "difference_minor": -8_720}],
    "difference_minor": -8_720,
    "document": "credit_note",
    "unpriced": {"unknown": "3"},
    "revisions": [2, 3],
    "revised_minor": 500,
    "documents": [
        {"id": "prior:c:0:1", "document": "prior_period", "state": "carried", "amount_minor": 40, "stripe_id": None}
        | {"carried_by": "2026-11-01T00:00:00Z"},
        {"id": "credit:c:0:2", "document": "credit_note", "state": "issued", "amount_minor": -60, "stripe_id": "cn_1"}
        | {"carried_by": None},
    ],
    "why": "2026-10-01 to 2026-11-01 rated with what came after its freeze, less the same rated without",
}
PERIOD = {
    "customer": CUSTOMER,
    "currency": "KWD",
    "revision": 3,
    "number": 2,
    "start": "2026-10-01T00:00:00Z",
    "end": "2026-11-01T00:00:00Z",
    "freeze_at": "2026-11-01T00:30:00Z",
    "as_of": "2026-10-12T10:00:00.123456Z",
    "billed_from": None,
    "meters": [
        {
            "meter": METER,
            "charges": 12_345_678,
            "reversals": 9_999_999,
            "net": "2345679.123456789012",
            "corrections": 3,
            "open": 1_000_000,
            "billing": "unpriced",
        }
    ],
    "expected": [
        {"kind": "advance", "item": "essential_seat", "quantity": "1000000", "amount_minor": 39_000_000_000},
        {"kind": "usage", "item": "sms_segment", "quantity": "290.5", "amount_minor": 8_720, "why": WHY},
    ],
    "usage_minor": 8_720,
    "advance_minor": 39_000_000_000,
    "total_minor": 39_000_008_720,
}
PENDING = {
    "conversations": 12_345,
    "complete": False,
    "why": {"The window is still open: nothing is charged before it ends.": 12_345},
    "next_decision_at": "2026-10-13T10:00:00Z",
}
CASE = {
    "id": "D123456",
    "kind": "contract_change_not_supported",
    "customer": CUSTOMER,
    "about": f"{CUSTOMER}/12",
    "count": 1234,
    "opened_at": "2026-10-01T00:00:00Z",
    "changed_at": "2026-10-03T00:00:00Z",
    "sentence": LONG_SENTENCE,
    "detail": {"both": {"ledger": "12", "stripe": "11"}, "days": ["2026-10-01", "2026-10-02"], "says": HELD},
    "do": "the applied revision goes on billing: publish a revision with its terms, or a new contract",
    "closes": "a later revision is applied",
    "closed_at": None,
    "closed_by": None,
    "closed_reason": None,
}
CLOSED = {**CASE, "id": "R7", "closed_at": "2026-10-04T00:00:00Z", "closed_by": "ops", "closed_reason": "mended [/x]"}
DELIVERY = {
    "identifier": IDENTIFIER,
    "customer": CUSTOMER,
    "meter": "procedure_handoff",
    "value": "-12345.678901234567",
    "state": "waiting_for_contract",
    "effective_at": "2026-10-01T00:00:00Z",
    "calls": 12,
    "result": f"timestamp_too_far_in_past: {LONG_SENTENCE}",
}
LETTER = {
    "id": 9_007_199_254_740_993,
    "reason": "outcome_type_unknown_and_long",
    "field": "data.outcome_type",
    "detail": LONG_SENTENCE,
    "customer": CUSTOMER,
    "event_id": "415e98a6-6694-4709-9c5b-08f2f511404d",
    "deliveries": 1_234,
}
INVOICE = {
    "id": "in_1cXwQWt1v27F7bn00000145",
    "customer": CUSTOMER,
    "number": "S0000079-0002",
    "status": "open",
    "currency": "jpy",
    "total_minor": 123_456_789,
    "held_reason": HELD,
    "billing_reason": "subscription_cycle",
    "lines": [
        {
            "id": "il_1oukrSmdVhKpbgW0000000146",
            "kind": "usage",
            "item": "sms_segment",
            "quantity": "290.500000000001",
            "amount_minor": 123_456_789,
            "charges": 19_000_000,
            "reversals": 8,
            "why": WHY,
        }
    ],
}
DRIFT = {
    "compared": 12_345,
    "drift": [
        {
            "customer": CUSTOMER,
            "meter": "procedure_handoff",
            "day": "2026-10-01T00:00:00Z",
            "ledger": "1234567.123456789012",
            "stripe": "-1234567.123456789012",
            "difference": "1",
            "cause": "cancelled_outside",
        }
    ],
}
CONTRACT = {
    "customer": CUSTOMER,
    "name": "A Company With a Long Name of Many Words & [Brackets] GmbH & Co. KG",
    "currency": "USD",
    "revision": 12,
    "applied_revision": None,
    "billing_anchor": "2026-11-01T00:00:00Z",
}


def month_invoice(number: str, currency: str, seats: int, usage: int, off: int) -> tuple[dict[str, Any], ...]:
    """As Stripe has it, and as the door tells it."""
    lines = [
        {"kind": "advance", "item": "seat", "amount_minor": seats},
        {"kind": "commitment", "item": "resolution", "amount_minor": usage},
        {"kind": "discount", "item": "seat", "amount_minor": -off},
    ]
    return {"number": number, "currency": currency, "total": seats + usage - off}, {"lines": lines}


MONTH: Any = [
    ("customer-0278", *month_invoice("S0011243-0002", "usd", 1_049_400, 1_089, 209_880)),
    ("customer-0206", *month_invoice("S0008531-0002", "jpy", 644_800, 1_188, 64_480)),
]
ALERTS = {
    "may_run": {
        "customer": CUSTOMER,
        "may_run": False,
        "limits": [{"meter": METER, "used": "1234567.5", "limit": 1_000_000, "reached": True}],
        "period_start": "2026-11-01T00:00:00Z",
        "period_end": "2026-12-01T00:00:00Z",
        "as_of": "2026-11-20T10:00:00Z",
        "stale": True,
    },
    "alerts": [
        {
            "customer": CUSTOMER,
            "meter": METER,
            "kind": "threshold",
            "units": 1_000_000,
            "state": "taken_back",
            "ordinal": 2,
            "used": "999999.5",
            "period_start": "2026-11-01T00:00:00Z",
            "period_end": "2026-12-01T00:00:00Z",
            "told_at": "2026-11-20T10:00:00Z",
        }
    ],
}
PLANNED = {
    "customer": CUSTOMER,
    "revision": 12,
    "applied_revision": 11,
    "as_of": "2026-11-01T00:00:00Z",
    "operations": [
        {
            "key": f"step/{number}",
            "sentence": f"make the price of {METER}: graduated in USD, 0.99 up to 1,000, 0.000000000001 above",
            "state": "done" if number < 12 else "to_do",
            "needs": [],
        }
        for number in range(1, 13)
    ],
    "findings": [
        {
            "code": "quantity_changed",
            "subject": METER,
            "sentence": f"{METER} has the quantity 1,000,000 at Stripe, and was told 3",
        }
    ],
    "explicit": [{"clause": "commitments.committed_usage_of_forty_characters", "why": "Stripe has no commitment"}],
}
WHOLE = {
    "customer": CUSTOMER,
    "revision": 12,
    "applied_revision": 11,
    "stripe_customer": "cus_ddvUfJgjRNj3HV00000034",
    "stripe_subscription": "sub_1Eyogo7KQ3dud3P00000041",
    "document": {
        **CONTRACT,
        "issuer": "settled-us",
        "channel": "sales_led",
        "billing_email": "billing@a-company-with-a-long-name.example",
        "free_meters": ["voice_outcome"],
        "timeline": [
            {
                "effective_from": "2026-11-01T00:00:00Z",
                "policy": {
                    "version": "standard-1",
                    "window_hours": {"email": 72, "default": 24},
                    "decided_by": "signals",
                },
            }
        ],
        "metered": [
            {
                "meter": "sms_segment",
                "price": {
                    "scheme": "graduated",
                    "tiers": [
                        {"up_to": 1_000_000, "unit_price": "0.000000000001"},
                        {"up_to": None, "unit_price": "0.025"},
                    ],
                },
            }
        ],
        "licensed": [{"item": "essential_seat", "quantity": 1_000_000, "unit_price": "39.123456789012"}],
    },
}
WATCHED: dict[str, Any] = {
    "at": 0.0,
    "clock": {"now": "2026-10-12T10:00:00Z"},
    "counts": {"received": 987_654_321, "by_reason": {"malformed": 1}},
    "equations": None,
    "backlog": {"open": 1_000_000, "oldest_age_s": 12_345.6},
    "cases": [CASE],
    "away": ["rating does not answer: `settled status` says what runs and where its log is"],
    "rates": {"received": 25_000.4, "applied": None, "charged": 0.0},
}

VIEWS: list[tuple[str, Any, list[str]]] = [
    (
        "usage",
        lambda width: usage.view({"period": PERIOD, "pending": PENDING}, width=width),
        [CUSTOMER, METER, "12,345,678", "2345679.123456789012", "KWD 39,000,008.720", "unpriced", "KWD 8.720"],
    ),
    ("cases", lambda _: cases.view([CASE, CLOSED]), ["D123456", "R7", CASE["kind"], CUSTOMER, "2026-10-01 00:00:00"]),
    (
        "deliveries",
        lambda width: deliveries.view([DELIVERY], limit=1, width=width),
        [IDENTIFIER, CUSTOMER, "waiting_for_contract", "-12345.678901234567", "timestamp_too_far_in_past:"],
    ),
    (
        "dead letters",
        lambda width: inspection.letters([LETTER], more="", width=width),
        [str(LETTER["id"]), LETTER["reason"], CUSTOMER, LETTER["event_id"]],
    ),
    (
        "explain",
        lambda width: explain.view(INVOICE, width=width),
        [INVOICE["id"], "il_1oukrSmdVhKpbgW0000000146", "JPY 123,456,789", "290.500000000001", CUSTOMER],
    ),
    (
        "drift",
        lambda width: views.drift_table(DRIFT, width=width),
        [CUSTOMER, "procedure_handoff", "cancelled_outside", "1234567.123456789012", "-1234567.123456789012"],
    ),
    (
        "corrections",
        lambda width: corrections.view([CORRECTION], width=width),
        [CUSTOMER, METER, "KWD -8.720", "1 credit note: KWD -8.720."],
    ),
    (
        "explain a correction",
        lambda width: corrections.whole(CORRECTION, width=width),
        [CUSTOMER, METER, "conversation-of_forty-characters-000001", "KWD -0.990", "The difference: KWD -8.720"],
    ),
    ("contracts list", lambda width: agreements.listing([CONTRACT], width=width), [CUSTOMER, "not yet", "USD"]),
    (
        "contracts show",
        lambda width: agreements.view(WHOLE, width=width),
        [CUSTOMER, "cus_ddvUfJgjRNj3HV00000034", "sub_1Eyogo7KQ3dud3P00000041", "0.000000000001", "39.123456789012"],
    ),
    (
        "contracts plan",
        lambda width: planning.view(PLANNED, width=width),
        ["quantity_changed", "commitments.committed_usage_of_forty_characters", "to do"],
    ),
    (
        "alerts",
        lambda width: alerts.view(ALERTS, width=width),
        [CUSTOMER, METER, "threshold taken back", "999999.5", "1234567.5", "Counting stands still"],
    ),
    (
        "the demo's invoices",
        lambda width: views.invoices_table(MONTH, width=width),
        ["customer-0278", "S0011243-0002", "10,494.00", "-2,098.80", "8,406.09", "581,508"],
    ),
    ("watch", lambda _: watch.picture(WATCHED), ["25,000.4/s", "987,654,321", "D123456", CUSTOMER]),
]


def drawn(view: RenderableType, width: int) -> str:
    console = Console(width=width, record=True, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(view)
    return captured.get()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize(("name", "view", "whole"), VIEWS, ids=[name for name, _, _ in VIEWS])
def test_what_people_copy_stands_whole(name: str, view: Any, whole: list[str], width: int) -> None:
    text = drawn(view(width), width)

    lines = text.splitlines()
    assert max(len(line.rstrip()) for line in lines) <= width
    assert "…" not in text.replace("--reason …", "")
    assert [each for each in whole if not any(each in line for line in lines)] == []


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize(
    ("view", "sentence"),
    [
        (lambda width: inspection.letters([LETTER], more="", width=width), LONG_SENTENCE),
        (lambda width: deliveries.view([DELIVERY], limit=1, width=width), LONG_SENTENCE),
        (lambda _: cases.view([CASE]), LONG_SENTENCE),
        (lambda _: cases.view([CASE]), HELD),
        (lambda _: cases.view([CASE]), CASE["do"]),
        (lambda _: cases.view([CLOSED]), "by ops: mended [/x]"),
        (lambda width: explain.view(INVOICE, width=width), HELD),
        (lambda width: explain.view(INVOICE, width=width), SAID),
        (lambda width: usage.view({"period": PERIOD, "pending": PENDING}, width=width), SAID),
        (lambda width: corrections.whole(CORRECTION, width=width), SAID),
        (lambda width: corrections.whole(CORRECTION, width=width), "takes back what is a correction itself"),
        (lambda width: agreements.listing([CONTRACT], width=width), CONTRACT["name"]),
    ],
)
def test_no_word_of_a_sentence_is_lost(view: Any, sentence: str, width: int) -> None:
    words = drawn(view(width), width).split()

    wanted = iter(sentence.split())
    word = next(wanted)
    for each in words:
        if each == word:
            word = next(wanted, "")
    assert word == ""


ROW = {"id": "x" * 30, "note": "a note of several words that may well wrap", "spare": "y" * 30}
COLUMNS = (Column("id"), Column("note", wraps=True), Column("spare", drop=1))


@pytest.mark.parametrize(
    ("width", "shown", "card"), [(120, ["id", "note", "spare"], False), (70, ["id", "note"], False), (40, ["id"], True)]
)
def test_a_narrow_window_drops_what_may_go_and_then_turns_rows_into_cards(
    width: int, shown: list[str], card: bool
) -> None:
    text = drawn(fitting("rows", COLUMNS, [ROW], width=width), width)

    head = text.splitlines()[2]
    assert head.split() == (["id", ROW["id"]] if card else shown)
    assert ("y" * 30 in text) == (card or "spare" in shown)
