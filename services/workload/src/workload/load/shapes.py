"""
The ways in which a load conversation goes, each with what it is worth after every one of its signals.

The worth is written down by hand, not decided by a rule: a difference in a benchmark is then never the judge's own.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """What is charged after a signal (a meter, or nothing) and whether an answer's window is open."""

    meter: str | None
    window_open: bool

    def matured(self) -> str | None:
        """What is charged once all windows have ended."""
        return self.meter or ("resolution" if self.window_open else None)


NOTHING = Standing(None, False)
OPEN = Standing(None, True)
RESOLVED = Standing("resolution", False)
HANDED_OFF = Standing("procedure_handoff", False)
QUALIFIED = Standing("qualification", False)

QUESTION = b'{"signal":"customer_message","intent":"question"}'
NEEDS_HELP = b'{"signal":"customer_message","intent":"needs_help"}'
AFFIRM = b'{"signal":"customer_message","intent":"affirm"}'
THANKS = b'{"signal":"customer_message","intent":"thanks"}'
NEGATIVE = b'{"signal":"customer_message","intent":"negative"}'
HUMAN = b'{"signal":"customer_message","intent":"human_request"}'
GREETING = b'{"signal":"ai_greeting"}'
ANSWER = b'{"signal":"ai_answer"}'
ASKS = b'{"signal":"ai_question"}'
NUDGE = b'{"signal":"ai_nudge"}'
HANDOFF = b'{"signal":"procedure_handoff"}'
ESCALATED = b'{"signal":"escalated"}'
TEAMMATE = b'{"signal":"teammate_reply"}'
QUALIFICATION = b'{"signal":"outcome_reached","outcome_type":"qualification"}'

Shape = tuple[tuple[bytes, Standing], ...]

# (share in percent, shape); mean length 7.7 signals. Shares follow the month's end states.
SHAPES: list[tuple[int, Shape]] = [
    (
        15,
        (
            (QUESTION, NOTHING),
            (GREETING, NOTHING),
            (ANSWER, OPEN),
            (QUESTION, NOTHING),
            (ANSWER, OPEN),
            (NUDGE, OPEN),
            (QUESTION, NOTHING),
            (ANSWER, OPEN),
            (AFFIRM, RESOLVED),
        ),
    ),
    (
        38,
        (
            (QUESTION, NOTHING),
            (GREETING, NOTHING),
            (ANSWER, OPEN),
            (QUESTION, NOTHING),
            (ASKS, NOTHING),
            (QUESTION, NOTHING),
            (ANSWER, OPEN),
            (NUDGE, OPEN),
        ),
    ),
    (
        4,
        (
            (QUESTION, NOTHING),
            (ANSWER, OPEN),
            (QUESTION, NOTHING),
            (ASKS, NOTHING),
            (QUESTION, NOTHING),
            (HANDOFF, HANDED_OFF),
            (TEAMMATE, HANDED_OFF),
            (QUESTION, HANDED_OFF),
        ),
    ),
    (
        24,
        (
            (QUESTION, NOTHING),
            (GREETING, NOTHING),
            (ANSWER, OPEN),
            (QUESTION, NOTHING),
            (ANSWER, OPEN),
            (NEEDS_HELP, NOTHING),
            (ESCALATED, NOTHING),
            (TEAMMATE, NOTHING),
        ),
    ),
    (8, ((QUESTION, NOTHING), (GREETING, NOTHING), (ANSWER, OPEN), (QUESTION, NOTHING), (ASKS, NOTHING))),
    (3, ((QUESTION, NOTHING), (ANSWER, OPEN), (QUESTION, NOTHING), (ANSWER, OPEN), (NEGATIVE, NOTHING))),
    (
        4,
        (
            (QUESTION, NOTHING),
            (ANSWER, OPEN),
            (AFFIRM, RESOLVED),
            (NEEDS_HELP, NOTHING),
            (ANSWER, OPEN),
            (THANKS, RESOLVED),
            (THANKS, RESOLVED),
        ),
    ),
    (
        3,
        (
            (QUESTION, NOTHING),
            (ANSWER, OPEN),
            (THANKS, RESOLVED),
            (HUMAN, NOTHING),
            (ANSWER, NOTHING),
            (AFFIRM, NOTHING),
            (TEAMMATE, NOTHING),
        ),
    ),
    (
        1,
        (
            (QUESTION, NOTHING),
            (ANSWER, OPEN),
            (QUESTION, NOTHING),
            (ANSWER, OPEN),
            (QUALIFICATION, QUALIFIED),
            (THANKS, QUALIFIED),
        ),
    ),
]
