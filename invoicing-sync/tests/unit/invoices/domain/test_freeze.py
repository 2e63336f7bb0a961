"""When periods freeze, by issuer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from invoicing_sync.invoices.domain.freeze import read_freeze

HALF_AN_HOUR, THREE_DAYS = timedelta(minutes=30), timedelta(hours=72)


def read(text: str, *, default: timedelta = HALF_AN_HOUR, keeps_drafts: bool = True) -> object:
    return read_freeze(text, default=default, keeps_drafts=keeps_drafts)


class TestReading:
    def test_an_issuer_has_its_own_time_and_others_the_default(self) -> None:
        freeze = read_freeze("settled-us=72h, settled-ie=45m", default=HALF_AN_HOUR, keeps_drafts=True)

        assert freeze.of("settled-us") == THREE_DAYS
        assert freeze.of("settled-ie") == timedelta(minutes=45)
        assert freeze.of("settled-jp") == HALF_AN_HOUR

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("settled-us=73h", "at most 72 hours after its end"),
            ("settled-us=3d", "'settled-us=3d' is no freeze: write issuer=72h or issuer=30m"),
            ("settled-us", "'settled-us' is no freeze"),
            ("settled-us=1h,settled-us=2h", "settled-us stands there twice"),
        ],
    )
    def test_what_cannot_be_is_refused_with_a_sentence(self, text: str, sentence: str) -> None:
        with pytest.raises(ValueError, match=sentence):
            read(text)

    def test_more_than_half_an_hour_needs_drafts_that_wait(self) -> None:
        read("settled-us=30m", keeps_drafts=False)

        with pytest.raises(ValueError, match="needs KEEP_DRAFTS"):
            read("settled-us=31m", keeps_drafts=False)
        with pytest.raises(ValueError, match="needs KEEP_DRAFTS"):
            read("", default=timedelta(minutes=31), keeps_drafts=False)
