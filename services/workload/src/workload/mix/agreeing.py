"""The contracts of a month's customers: a third as legacy ones have them, the others with all that the mix has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from workload import plans
from workload.adversarial.shaper import CHANGED, PLACES
from workload.mix.calendar import at, iso
from workload.mix.calendar import month as months_after
from workload.mix.contract import Contract, a_contract
from workload.mix.shares import DENSE, LIVELY
from workload.month import Month
from workload.script import DAY, HOUR, SECOND

LEGACY = 3  # every third contract is of version 1
GRID = 12 * HOUR  # instants of changes lie on it for three customers in four
SELDOM = "proactive_message"  # priced with an add-on; else free for some, and not used by the others


@dataclass(frozen=True, slots=True)
class Day:
    """An anchor, from the month's start: so many days and seconds; `trial`: two weeks of it come before."""

    days: int
    seconds: int = 0
    trial: bool = False

    def of(self, span: Month) -> int:
        """The instant."""
        return span.start + self.days * DAY + self.seconds * SECOND


FIRST = Day(0)
# Few of them: business time stops at each, and three times where a period ends.
OTHERS = (
    Day(-2, 60_307),  # the 29th of a month of 30 days, at 16:45:07
    Day(-1),
    Day(1, 33_791),  # 09:23:11
    Day(2),
    Day(19),  # signs up in the month, and its first period goes on after it
    Day(26, trial=True),  # the trial ends inside the month
)
OFTEN = replace(DENSE, currencies=LIVELY.currencies)
SURE = replace(OFTEN, commitment=1.0, add_on=1.0, item_discount=1.0, seat_changes=2.0)  # nothing is left to chance
BEGINS = Day(-3)  # when all of them are agreed on
EARLY = {10: OTHERS[5], 13: OTHERS[2], 14: OTHERS[0], 16: OTHERS[3], 17: OTHERS[1]}  # for the smallest size


def agreed_in(seed: int, span: Month, customers: int) -> list[Contract]:
    """
    The contracts of a month's customers, in order of their numbers.

    Those that hand-shaped conversations are given to begin with the month and have the mix's ordinary shares; of the
    others every second has its clauses so often that they meet.
    """
    rng = Random(seed)
    middle = iso(span.start + 14 * DAY)
    return [
        plans.a_contract(rng, place, start=iso(span.start), middle=middle)
        if place % LEGACY == 0
        else _of_the_mix(Random(f"{seed}/contract/{place}"), place, span, middle=middle)
        for place in range(customers)
    ]


def _of_the_mix(rng: Random, place: int, span: Month, *, middle: str) -> Contract:
    day = FIRST if place in PLACES else EARLY.get(place) or _a_day(rng)
    shares = LIVELY if place in PLACES or place % 2 else SURE if place % 20 == 16 else OFTEN
    shares = replace(shares, trial=float(day.trial))
    contract = a_contract(rng, place, shares, anchor=day.of(span), currency=plans.PLACED.get(place))
    contract["history"][0]["agreed_at"] = iso(BEGINS.of(span))
    _policies(contract, rng, place, middle=middle)
    if place % 4 < 2 and all(item.get("meter") != SELDOM for item in contract["items"]):
        contract["free_meters"] = [{"meter": SELDOM, "agreed_in": 1}]
    if rng.random() < 0.75:
        contract = _on_the_grid(contract)
    return contract


def _a_day(rng: Random) -> Day:
    """Half of them on the month's first instant."""
    return FIRST if rng.random() < 0.5 else rng.choice(OTHERS)


def _policies(contract: Contract, rng: Random, place: int, *, middle: str) -> None:
    first = contract["policies"][0]
    first["policy"] = plans.a_policy(rng, place)
    if place % 40 == CHANGED:
        changed = {"version": "changed-48", "window_hours": {"default": 48}}
        contract["policies"].append(first | {"at": middle, "policy": changed})


def _on_the_grid(contract: Contract) -> Contract:
    """Its changes at the next midnight or noon, each but where another instant of the contract would be passed."""
    instants = sorted(_instants(contract))
    moved: dict[int, int] = {}
    for instant, following in zip(instants, [*instants[1:], None], strict=True):
        noon = -(-instant // GRID) * GRID
        if not _is_billing(contract, instant) and (following is None or noon < following):
            moved[instant] = noon
    turned: Contract = _turned(contract, {iso(was): iso(now) for was, now in moved.items()})
    return turned


def _is_billing(contract: Contract, instant: int) -> bool:
    anchor = at(contract["billing_anchor"])
    return any(instant == months_after(anchor, number) for number in range(-1, 6)) or instant <= anchor


def _instants(part: Any) -> set[int]:
    if isinstance(part, dict):
        own = {at(part[name]) for name in ("at", "from", "until") if isinstance(part.get(name), str)}
        return own.union(*map(_instants, part.values()))
    return set().union(*map(_instants, part)) if isinstance(part, list) else set()


def _turned(part: Any, to: dict[str, str]) -> Any:
    if isinstance(part, dict):
        return {name: _turned(value, to) for name, value in part.items()}
    if isinstance(part, list):
        return [_turned(value, to) for value in part]
    return to.get(part, part) if isinstance(part, str) else part
