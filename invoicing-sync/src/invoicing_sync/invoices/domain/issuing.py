"""
What the corrections of a period become: nothing yet, a credit note with its lines, or an item on a later invoice.

All is counted in money: what the corrections come to, item by item, less what earlier documents have settled of it. So
the sum of all documents is the period rated right at once, whatever came first and however it was gathered. Source:
golden rule R9.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from event_schemas.values import Currency, Money

Shares = Mapping[str, int]  # item -> signed minor units; items that come to nothing are left out


@dataclass(frozen=True, slots=True)
class Weighed:
    """
    What was weighed for a period, whatever comes of it.

    Attributes:
        entries: those that no document has gathered, with what each changed, in signed minor units.
        waiting: how many were known to wait when they were read.
        revision: of the contract by which it was weighed.
        by_revision: the same, where that says otherwise of this period than the one by which it was billed.
        drawn: minor units that the period draws of each prepaid credit, rated again.
    """

    entries: Mapping[str, int]
    waiting: int
    revision: int
    by_revision: int | None
    drawn: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LineLeft:
    """A line of the finalised invoice, and how much of it no credit note has taken yet; in minor units."""

    line_id: str
    item: str  # the meter of a usage line; empty for a line that no correction can concern
    left_minor: int


@dataclass(frozen=True, slots=True)
class NoteLine:
    """A line of a credit note: of a line of its invoice, or of its own where `line_id` is None; `amount_minor` > 0."""

    item: str
    amount_minor: int
    line_id: str | None


@dataclass(frozen=True, slots=True)
class Note:
    """
    A credit note to be made. `amount_minor` is what its lines sum to, and is more than 0.

    Attributes:
        shares: what it settles of each item's difference, signed; they sum to `-amount_minor`.
        short_minor: what is owed beyond it and does not fit on the invoice any more.
    """

    amount_minor: int
    lines: tuple[NoteLine, ...]
    shares: Shares
    short_minor: int


@dataclass(frozen=True, slots=True)
class MadeNote:
    """
    A credit note as Stripe has it; `key` is ours, None where somebody else made it. Amounts in minor units.

    Attributes:
        lowered_minor: what it took off an open amount.
        after_minor: the rest, for an amount that was paid; `balance` says that it went to the customer's balance.
        refunded_minor: of that rest, what goes back the way it was paid.
        elsewhere_minor: of that rest, what was settled outside.
        lines: (line of the invoice, or None; amount).
    """

    note_id: str
    number: str
    key: str | None
    status: str
    currency: Currency
    amount_minor: int
    lowered_minor: int
    after_minor: int
    balance: bool
    refunded_minor: int
    elsewhere_minor: int
    lines: tuple[tuple[str | None, int], ...] = field(default=())

    def money(self, minor: int) -> Money:
        """An amount of it with its currency."""
        return Money(minor, self.currency)


def still_open(priced: Shares, settled: Iterable[Shares]) -> dict[str, int]:
    """What the corrections of a period come to, item by item, less what documents have settled of it."""
    left = Counter(dict(priced))
    for shares in settled:
        left.subtract(shares)
    return {item: minor for item, minor in sorted(left.items()) if minor}


def owed_back(open_: Shares, *, smallest_minor: int) -> int:
    """What is to be credited now, in minor units; 0 where nothing is, or less than the smallest amount."""
    owed = -sum(open_.values())
    return owed if owed >= smallest_minor else 0


def owed_more(open_: Shares, *, smallest_minor: int) -> int:
    """What is to be billed on a later invoice, in minor units; 0 where nothing is, or less than the smallest amount."""
    more = sum(open_.values())
    return more if more >= smallest_minor else 0


def draw_up(open_: Shares, lines: Sequence[LineLeft], *, left_minor: int) -> Note | None:
    """
    The credit note for what is owed; None where the invoice has nothing left, or nothing is owed.

    It takes from each item's own lines, the last tier first, since the last units of a period are those at its highest
    tier; what they do not take is a line of the note's own. What another item owes more is taken off beforehand.

    Args:
        lines: the invoice's, in their order.
        left_minor: the invoice's total less all its credit notes.
    """
    owed = -sum(open_.values())
    amount = min(owed, left_minor)
    if amount <= 0:
        return None
    more = {item: minor for item, minor in open_.items() if minor > 0}
    offset = sum(more.values())
    shares, drawn, still = dict(more), list[NoteLine](), amount
    for item, minor in open_.items():
        if minor >= 0:
            continue
        taken = min(-minor, still + offset)  # what others owe more lets this one settle more than it is credited
        credited = min(taken, still)
        offset -= taken - credited
        still -= credited
        shares[item] = -taken
        drawn += _lines_of(item, credited, lines)
    return Note(amount, tuple(drawn), {item: minor for item, minor in shares.items() if minor}, owed - amount)


def _lines_of(item: str, amount: int, lines: Sequence[LineLeft]) -> list[NoteLine]:
    drawn = []
    for line in reversed(lines):
        part = min(amount, line.left_minor) if line.item == item else 0
        if part > 0:
            drawn.append(NoteLine(item, part, line.line_id))
            amount -= part
    return [*drawn, *([NoteLine(item, amount, None)] if amount else [])]


def paid_part(amount_minor: int, remaining_minor: int) -> int:
    """What of a credit note is given back: what the invoice's open amount does not take."""
    return max(0, amount_minor - max(0, remaining_minor))


def left_of(amounts: Mapping[str, int], made: Iterable[MadeNote]) -> dict[str, int]:
    """Of each line of an invoice what its credit notes have not taken; those that are void have taken nothing."""
    left = dict(amounts)
    for note in made:
        for line_id, amount in note.lines if note.status != "void" else ():
            if line_id is not None:
                left[line_id] = left.get(line_id, 0) - amount
    return left


def note_differences(
    amount: Money, lines: Iterable[NoteLine], made: MadeNote, *, refund: bool = False
) -> tuple[str, ...]:
    """
    What stands between a credit note and the one that was meant, as sentences; empty when they agree to the cent.

    Args:
        refund: whether what was paid was to go back the way it came, and not to the customer's balance.
    """
    said = []
    if made.currency != amount.currency:
        said.append(f"it is in {made.currency.value}, {amount.currency.value} was meant")
    if made.amount_minor != amount.minor:
        said.append(f"it comes to {made.money(made.amount_minor)}, {amount} was meant")
    wanted, there = Counter((line.line_id, line.amount_minor) for line in lines), Counter(made.lines)
    said += [f"missing: {_say(made, *line)}" for line in (wanted - there).elements()]
    said += [f"not expected: {_say(made, *line)}" for line in (there - wanted).elements()]
    if made.lowered_minor + made.after_minor != made.amount_minor:
        parts = made.money(made.lowered_minor), made.money(made.after_minor)
        said.append(f"it takes {parts[0]} off what was open and {parts[1]} from what was paid, which is not all of it")
    if made.elsewhere_minor:
        said.append(f"{made.money(made.elsewhere_minor)} of it was settled outside Stripe")
    if refund and made.refunded_minor != made.after_minor:
        said.append(f"{made.money(made.refunded_minor)} of it was refunded, {made.money(made.after_minor)} was meant")
    if not refund and made.refunded_minor:
        said.append(f"{made.money(made.refunded_minor)} of it was refunded, and nothing was meant to be")
    if made.after_minor and not refund and not made.balance:
        said.append(f"{made.money(made.after_minor)} of it did not go to the customer's balance")
    if made.status == "void":
        said.append("it is void")
    return tuple(said)


def _say(made: MadeNote, line_id: str | None, minor: int) -> str:
    return f"{made.money(minor)} of line {line_id}" if line_id else f"{made.money(minor)} on a line of its own"
