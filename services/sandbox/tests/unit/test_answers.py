"""The switches for what no text of Stripe decides."""

from __future__ import annotations

import pytest

from sandbox.stripe.answers import Answers
from sandbox.switches import WrongAnswer


class TestReading:
    def test_takes_pairs_with_commas_between(self) -> None:
        """Blanks do not matter, and what is not named keeps its default."""
        assert Answers.read(" draft_usage = fresh ,") == Answers(draft_usage="fresh")
        assert Answers.read("") == Answers()

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("draft_use=stale", "There is no switch 'draft_use'; the switches are draft_usage, "),
            ("draft_usage=old", "draft_usage takes stale or fresh, not 'old'"),
            ("draft_usage", "'draft_usage' is no switch: write name=value, with commas between several"),
        ],
    )
    def test_refuses_what_it_does_not_know(self, text: str, sentence: str) -> None:
        """With a sentence that says what there is."""
        with pytest.raises(WrongAnswer, match=sentence):
            Answers.read(text)
