"""`python -m usage_rating decide`: the golden file's form in, decisions out."""

from __future__ import annotations

from usage_rating.__main__ import decide_cases, main


def test_decides_a_case_in_the_golden_form() -> None:
    case = {
        "id": "X1",
        "policy": {"window_hours": 72},
        "events": [
            {"at": "2026-03-02T10:00:00Z", "type": "customer", "intent": "question"},
            {"at": "2026-03-02T10:00:08Z", "type": "ai_answer"},
            {"at": "2026-03-02T10:01:00Z", "type": "customer", "intent": "affirm"},
        ],
        "evaluate_at": "2026-03-31T00:00:00Z",
    }

    answer = decide_cases({"cases": [case]})

    assert answer == {
        "cases": [
            {
                "id": "X1",
                "net": 1,
                "ledger": [{"at": "2026-03-02T10:01:00Z", "op": "charge", "type": "resolution", "how": "confirmed"}],
            }
        ]
    }


def test_an_unknown_command_says_what_there_is() -> None:
    assert main(["explode"]) == 2
