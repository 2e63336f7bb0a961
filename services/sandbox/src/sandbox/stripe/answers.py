"""What no text of Stripe decides, as switches: the sandbox can behave either way, so that a client is tried on both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sandbox.switches import Switches


@dataclass(frozen=True, slots=True)
class Answers(Switches):
    """One field per open question; its type is the closed list of answers, the first of them is the default."""

    draft_usage: Literal["stale", "fresh"] = "stale"
    """
    Which usage do the metered lines of a draft show? `stale`: what was counted when the draft was made, until it is
    finalised, which is all that Stripe's text promises. `fresh`: what is counted at each reading.
    """
    finalised_usage: Literal["recounted", "of_the_draft"] = "recounted"
    """
    Does finalising bring the usage lines up to date? Stripe's text says so (`recounted`); `of_the_draft` is an account
    where the draft's lines stand, or where what came last is missed.
    """
    kept_drafts: Literal["held", "advance"] = "held"
    """
    Does `pause_collection[behavior]=keep_as_draft` make drafts with `auto_advance` off (`held`), as the text says, or
    are they drafts that finalise themselves after their hour all the same (`advance`)?
    """
    kept_collection: Literal["open", "refused"] = "open"
    """
    Can a finalised invoice be paid and sent while its subscription keeps its drafts? `refused`: only once it does not.
    """
    half_units: Literal["away_from_zero", "to_even"] = "away_from_zero"
    """Where does half a minor unit go? Stripe's example, 1.5 to 2, fits both."""
    tier_lines: Literal["one_each", "all_in_one"] = "one_each"
    """Does each graduated tier that is reached make a line, rounded by itself, or do all of them make one?"""
    negative_sum: Literal["nothing", "credit"] = "nothing"
    """Does a negative sum of usage bill as quantity 0, or as a negative amount?"""
    known_identifier: Literal["named", "unnamed"] = "named"
    """Does the refusal of a known identifier say so in its message, as integrators report, or only that it is one?"""
    second_cancel: Literal["said", "not_found"] = "said"
    """Does the refusal of a second cancellation say that it was cancelled already, or that there is no such event?"""
    decimal_values: Literal["taken", "refused"] = "taken"
    """Are values with decimals metered? Newer pages say so; older ones and one error text want whole numbers."""
    usage_limits: Literal["real_time", "test_clock"] = "real_time"
    """By which time are a meter event's 35 days and 5 minutes judged where its customer is on a test clock?"""
    finalising: Literal["alone", "collects"] = "alone"
    """
    Does finalising with `auto_advance=false` leave an invoice alone (`alone`), as the text says, or is it sent or
    charged all the same (`collects`)?
    """
    handed_over: Literal["waits", "collects"] = "waits"
    """
    What follows when `auto_advance` is switched on for an invoice that is open? `waits`: reminders and retries at their
    own time; `collects`: it is mailed, or charged, at once and once more.
    """

    flat_at_zero: Literal["free", "charged"] = "free"
    """Is the first tier's flat fee charged where nothing was used?"""
    three_decimals: Literal["kept", "tens"] = "kept"
    """
    Stripe takes payments of three-decimal currencies in steps of ten minor units. Are an invoice's lines whole minor
    units all the same (`kept`), or rounded to the step (`tens`)?
    """

    discount_stack: Literal["in_sequence", "of_the_whole"] = "in_sequence"
    """
    Is a percentage of what the discounts before it have left (`in_sequence`), or of what stood before any of its level?
    """
    percent_share: Literal["each_line", "of_the_sum"] = "each_line"
    """Is a percentage rounded on each line, or once on the sum of the lines and then shared out?"""
    proration_rounding: Literal["apart", "together"] = "apart"
    """
    Are the credit and the debit of a change each rounded from its own exact amount (`apart`), or is the debit what
    makes their sum the rounded exact one (`together`)?
    """
    gone_usage: Literal["as_asked", "billed"] = "as_asked"
    """
    Is the usage of a metered item that goes, or changes its price, billed whatever `proration_behavior` says
    (`billed`), or is it lost with `none` (`as_asked`)? Stripe's page on setting up usage-based billing says the latter.
    """


# What is asked only where more than usage and seats is sold: `choices()` leaves these out.
_SELLING = frozenset(
    {"flat_at_zero", "three_decimals", "discount_stack", "percent_share", "proration_rounding", "gone_usage"}
)


def choices(*, selling: bool = False) -> dict[str, tuple[str, ...]]:
    """Every switch with its closed list of values; those about selling only where they are asked for."""
    known = Answers.all_choices()
    return {name: values for name, values in known.items() if selling or name not in _SELLING}
