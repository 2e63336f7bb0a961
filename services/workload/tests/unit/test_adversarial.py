"""The conversations and records shaped by hand, judged by hand: what each is worth at the end, and after the freeze."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from workload.generate import generate
from workload.truth.book import write_book

# tag: (status, meter of the standing charge, number of entries, correction of the frozen month)
RESOLVED = ("charged", "resolution", 1, "")
NOTHING = ("not_chargeable", "", 0, "")
RETURNED = ("not_chargeable", "", 2, "")
EXCLUDED = ("excluded", "", 0, "")
TAKEN_OUT = ("excluded", "", 2, "")
BY_HAND: dict[str, tuple[str, str, int, str]] = {
    # settling
    "message-at-window-end": NOTHING,
    "message-a-second-after-window": RETURNED,
    "message-a-microsecond-after-window": RETURNED,
    "affirmed-at-window-end": RESOLVED,
    "affirmed-a-microsecond-after-window": RESOLVED,
    "human-at-window-end": NOTHING,
    "thanks-after-charge": RESOLVED,
    "other-stops-window": NOTHING,
    "other-after-charge": RESOLVED,
    "asked-back-at-window-end": NOTHING,
    "window-crosses-month-end": RESOLVED,
    "window-ends-at-month-end": RESOLVED,
    "window-ends-a-microsecond-before-month-end": RESOLVED,
    "answer-before-contract": NOTHING,
    "answer-at-contract-start": RESOLVED,
    "answer-before-contract-affirmed-in-it": NOTHING,
    "answer-before-contract-and-again-in-it": RESOLVED,
    "summer-time-ends": RESOLVED,
    "affirmed-after-nudge": RESOLVED,
    "affirmed-after-other": NOTHING,
    "affirmed-after-escalation": NOTHING,
    "affirmed-before-any-answer": NOTHING,
    "greeting-is-no-answer": RESOLVED,
    "asked-back": NOTHING,
    "only-a-teammate": NOTHING,
    "question-and-answer-at-one-instant": RESOLVED,
    "affirmed-at-the-answers-instant": RESOLVED,
    "flagged-at-the-affirmations-instant": EXCLUDED,
    "flagged-and-cleared-at-one-instant": RESOLVED,
    "asked-back-at-the-answers-instant": RESOLVED,
    "ten-reversals": ("not_chargeable", "", 22, ""),
    "charged-then-question": RETURNED,
    "charged-then-negative": RETURNED,
    "charged-then-human_request": RETURNED,
    "human-bars-for-ever": NOTHING,
    "human-asked-for-before-any-answer": NOTHING,
    "a-hundred-turns": RESOLVED,
    "escalated-then-answered-again": RESOLVED,
    "procedure_failed-then-answered-again": RESOLVED,
    "handoff-is-never-undone": ("charged", "procedure_handoff", 1, ""),
    "handoff-then-answered-and-affirmed": ("charged", "procedure_handoff", 1, ""),
    "human-bars-a-handoff": NOTHING,
    "voice-outcome": ("charged", "voice_outcome", 1, ""),
    "disqualified": ("charged", "disqualification", 1, ""),
    # freezing
    "reversed-before-freeze": RETURNED,
    "reversed-after-freeze": ("not_chargeable", "", 2, "-1"),
    "reversed-and-settled-again-after-freeze": ("charged", "resolution", 3, "-1"),
    "spam-after-freeze": ("excluded", "", 2, "-1"),
    "merged-after-freeze": ("excluded", "", 2, "-1"),
    "cleared-after-freeze": ("charged", "resolution", 1, "1"),
    "arrives-after-freeze": ("charged", "resolution", 1, "1"),
    "arrives-at-the-last-open-step": RESOLVED,
    "settlement-arrives-just-before-freeze": RESOLVED,
    "settlement-arrives-at-freeze": ("charged", "resolution", 1, "1"),
    "settlement-arrives-a-day-after-freeze": ("charged", "resolution", 1, "1"),
    "return-arrives-just-before-freeze": NOTHING,
    "return-arrives-at-freeze": ("not_chargeable", "", 0, "-1"),
    "return-arrives-a-day-after-freeze": ("not_chargeable", "", 0, "-1"),
    "silence-arrives-a-day-after-freeze": ("charged", "resolution", 1, "1"),
    "affirmation-moves-a-charge-after-freeze": RESOLVED,
    "answer-moves-a-charge-out-of-the-frozen-month": ("charged", "resolution", 1, "-1"),
    # excluding
    "merge-chain-0": TAKEN_OUT,
    "merge-chain-1": TAKEN_OUT,
    "merge-chain-2": TAKEN_OUT,
    "merged-at-window-end": EXCLUDED,
    "merged-then-cleared": EXCLUDED,
    "flagged-then-merged": EXCLUDED,
    "merged-into-itself-after-charge": TAKEN_OUT,
    "flagged-cleared-flagged": ("charged", "resolution", 5, ""),
    "charged-then-flagged-and-cleared-at-one-instant": ("charged", "resolution", 3, ""),
    "two-flags-one-cleared": EXCLUDED,
    "cleared-within-window": RESOLVED,
    "cleared-after-window": RESOLVED,
    "cleared-at-window-end": RESOLVED,
    "returned-while-flagged": RETURNED,
    "cleared-without-flag": RESOLVED,
    "another-flag-cleared": EXCLUDED,
    "handoff-flagged-and-cleared": ("charged", "procedure_handoff", 3, ""),
    # policies
    "policy-changes-inside-window": RESOLVED,
    "policy-just-changed": NOTHING,
    "policy-about-to-change": RESOLVED,
    "teammate-voids": NOTHING,
    "teammate-after-charge-voids-nothing": RESOLVED,
    "teammate-does-not-void": RESOLVED,
    "returned-at-horizon": ("charged", "resolution", 3, ""),
    "returned-beyond-horizon": RESOLVED,
    "human-beyond-horizon": RESOLVED,
    "email-72-hours": NOTHING,
    "chat-of-an-email-contract": RESOLVED,
    "resolution-replaced-by-qualification": ("charged", "qualification", 3, ""),
    "qualified-within-the-window": ("charged", "qualification", 1, ""),
    "first-type-stays": RESOLVED,
    "qualification-not-replaced": ("charged", "qualification", 1, ""),
    "replaced-and-flagged": ("excluded", "", 4, ""),
    "human-after-qualification": ("charged", "qualification", 3, ""),
    "product-confirms": RESOLVED,
    "product-reverses-after-freeze": ("not_chargeable", "", 2, "-1"),
    "product-changes-its-mind-twice": ("charged", "resolution", 3, ""),
    "product-barred-by-human": NOTHING,
    "product-reversed-by-human": RETURNED,
    "product-not-reversed-by-question": RESOLVED,
    "product-flagged-and-cleared": ("charged", "resolution", 3, ""),
    "signals-are-evidence-under-product": NOTHING,
    "product-word-is-evidence": NOTHING,
    "product-reverses-what-is-not-its-own": RESOLVED,
    # arriving
    "arrives-backwards": RESOLVED,
    "return-arrives-before-its-charge": RETURNED,
    "stopped-late-then-charged-again": RESOLVED,
    "flag-arrives-late": EXCLUDED,
    "retold-four-times": RESOLVED,
    "affirmed-four-minutes-ahead-of-the-clock": RESOLVED,
    "answered-fourteen-minutes-ahead-of-the-clock": RESOLVED,
    "return-arrives-a-month-late": ("not_chargeable", "", 0, "-1"),
}


@pytest.fixture(scope="module", params=["2026-10", "2028-02"])
def book(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A month of hand-shaped conversations alone; February 2028 has a leap day."""
    return write_book(generate(seed=1, customers=20, conversations=0, month=request.param))


def test_every_shaped_conversation_is_judged_by_hand(book: dict[str, Any]) -> None:
    assert {decision["tag"] for decision in book["decisions"]} == set(BY_HAND)


@pytest.mark.parametrize("tag", BY_HAND)
def test_the_truth_comes_to_what_the_hand_came_to(book: dict[str, Any], tag: str) -> None:
    decision = next(d for d in book["decisions"] if d["tag"] == tag)
    corrections = {(c["customer"], c["subject"]): c["quantity"] for c in book["corrections"]}
    standing = decision["entries"][-1]["meter"] if decision["net"] else ""

    found = (
        decision["status"],
        standing,
        len(decision["entries"]),
        corrections.get((decision["customer"], decision["conversation"]), ""),
    )
    assert found == BY_HAND[tag]


def test_shaped_records_are_worth_what_the_hand_came_to(book: dict[str, Any]) -> None:
    customer = book["customers"]["customer-0000"]

    # 20.5 + 700 + 5 + 3 + 0 + 6 + 4 + 8 + 8 + 8 + 13 + 15, then 679.5 fewer, 4 more and 12 more
    assert customer["quantities"]["sms_segment"] == "790.5"
    assert customer["corrections"]["sms_segment"] == "-663.5"
    assert customer["coming"]["sms_segment"] == "14"


def test_corrections_by_conversation_sum_to_those_by_customer(book: dict[str, Any]) -> None:
    summed: dict[tuple[str, str], Fraction] = {}
    for correction in book["corrections"]:
        key = (correction["customer"], correction["meter"])
        summed[key] = summed.get(key, Fraction(0)) + Fraction(correction["quantity"])

    assert {key: value for key, value in summed.items() if value} == {
        (name, meter): Fraction(quantity)
        for name, customer in book["customers"].items()
        for meter, quantity in customer["corrections"].items()
    }
