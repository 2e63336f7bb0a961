"""What a change would do to the money."""

from pricing.preview import Change, preview
from pricing.testing import DAY, on, seats, shown, some_terms


def test_shows_what_the_change_adds_now_and_on_the_next_invoice() -> None:
    now = some_terms(seats((on(1), 2), (on(8), 3)))
    asked = some_terms(seats((on(1), 2), (on(8), 3), (on(15), 4)))

    answer = preview(Change(now, asked), DAY)

    assert [line.amount.minor for line in answer.proration] == [-4500, 6000]
    assert [line.at for line in answer.proration] == [on(15), on(15)]
    assert answer.total_difference.minor == 1500 + 3000


def test_a_change_of_nothing_adds_nothing() -> None:
    terms = some_terms(seats((on(1), 2), (on(8), 3)))

    answer = preview(Change(terms, terms), DAY)

    assert (answer.proration, answer.total_difference.minor) == ((), 0)
    assert shown(answer.before) == shown(answer.after)
