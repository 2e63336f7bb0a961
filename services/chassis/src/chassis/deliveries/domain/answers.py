"""What an outside system's answer means, sorted by what the sender does next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Act(StrEnum):
    """The two calls that a door makes for a delivery."""

    SEND = "send"
    LOOK_UP = "look_up"


class Kind(StrEnum):
    """What an answer says. The far side's codes are mapped onto these by the vendor's folder, all of them."""

    DONE = "done"  # send: it is there now
    FOUND = "found"  # look-up: this delivery's effect is there
    ABSENT = "absent"  # look-up: it is not there
    DIFFERS = "differs"  # look-up: something else is there that we did not put there
    RATE_LIMITED = "rate_limited"  # not done: too many calls, for the whole destination
    UNAVAILABLE = "unavailable"  # not done: the far side, or the way to it, is down
    UNCLEAR = "unclear"  # send: it may have been done
    REFUSED = "refused"  # send: with this content never
    NEEDS_PERSON = "needs_person"  # send: not before a person has done something


OF_ACT = {
    Act.SEND: frozenset(
        {Kind.DONE, Kind.RATE_LIMITED, Kind.UNAVAILABLE, Kind.UNCLEAR, Kind.REFUSED, Kind.NEEDS_PERSON}
    ),
    Act.LOOK_UP: frozenset({Kind.FOUND, Kind.ABSENT, Kind.DIFFERS, Kind.RATE_LIMITED, Kind.UNAVAILABLE}),
}
FAILURES = frozenset({Kind.UNAVAILABLE, Kind.UNCLEAR})  # those that speak for an outage


@dataclass(frozen=True, slots=True)
class Answer:
    """
    One answer. `sentence` is the vendor's own, `code` its error code, `reference` its id of the record.

    `after_s` is the wait in seconds that the vendor named (`Retry-After`), a lower bound.
    """

    kind: Kind
    sentence: str = ""
    code: str = ""
    reference: str | None = None
    after_s: float | None = None


def checked(act: Act, answer: Answer) -> Answer:
    """
    The answer itself.

    Raises:
        ValueError: this call cannot give such an answer; the vendor's folder is wrong.
    """
    if answer.kind not in OF_ACT[act]:
        raise ValueError(f"{act} cannot answer {answer.kind}: one of {', '.join(sorted(OF_ACT[act]))}")
    return answer
