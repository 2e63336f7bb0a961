"""
What a conversation's signals are worth, judged answer by answer.

Not a walk with a state: each answer is asked what became of it, which makes a list of possible charges; these and what
undoes charges are then laid in order. Exclusions are looked at afterwards, instant by instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

ORDER = [
    "flagged",
    "cleared",
    "merged_into",
    "customer_message",
    "ai_question",
    "ai_answer",
    "ai_greeting",
    "ai_nudge",
    "procedure_handoff",
    "procedure_failed",
    "outcome_reached",
    "escalated",
    "teammate_reply",
    "resolution",
]
SETTLING = ("ai_answer", "procedure_handoff", "outcome_reached")  # mere evidence while the product decides
HOUR = 3_600_000_000
DAY = 24 * HOUR
FOREVER = 2**62


@dataclass(frozen=True)
class Fact:
    """A signal as the truth sees it, sortable by what the rules sort by."""

    at: int
    rank: int
    source: str
    id: str
    name: str
    data: tuple[tuple[str, str], ...]

    def get(self, key: str, default: str = "") -> str:
        """One field of the signal's data."""
        return dict(self.data).get(key, default)


@dataclass(frozen=True)
class Entry:
    """A ledger entry that should exist."""

    op: str
    meter: str
    effective_at: int
    caused_at: int
    how: str


@dataclass(frozen=True)
class Possible:
    """A charge that could be made at `at`; `place` is that of the signal behind it, for equal instants."""

    at: int
    place: float
    meter: str
    how: str
    policy: dict[str, Any]


def fact(event: dict[str, Any]) -> Fact:
    """A fact from an event as it was sent."""
    data = {k: v for k, v in event["data"].items() if isinstance(v, str)}
    name = "resolution" if event["type"] == "resolution" else data["signal"]
    return Fact(event["at"], ORDER.index(name), event["source"], event["id"], name, tuple(sorted(data.items())))


def ledger(facts: Sequence[Fact], timeline: Sequence[tuple[int, dict[str, Any]]], as_of: int) -> list[Entry]:
    """The entries that should exist, in order. `timeline`: (from, policy) sorted."""
    ordered = sorted(set(facts), key=lambda f: (f.at, f.rank, f.source, f.id))
    plain = _judge(ordered, timeline, as_of)
    return _behind_exclusions(ordered, plain)


def _policy(timeline: Sequence[tuple[int, dict[str, Any]]], at: int) -> dict[str, Any] | None:
    found = [policy for start, policy in timeline if start <= at]
    return found[-1] if found else None


def _by_product(policy: dict[str, Any] | None) -> bool:
    return policy is not None and policy.get("decided_by") == "product"


def _possible(ordered: Sequence[Fact], timeline: Sequence[tuple[int, dict[str, Any]]], as_of: int) -> list[Possible]:
    found = []
    for place, f in enumerate(ordered):
        policy = _policy(timeline, f.at)
        if policy is None:
            continue
        if f.name == "resolution" and _by_product(policy) and f.get("state") != "reversed":
            how = f"product_{f.get('state')}"
            found.append(Possible(f.at, place, f.get("outcome_type", "resolution"), how, policy))
        if _by_product(policy):
            continue
        if f.name == "procedure_handoff":
            found.append(Possible(f.at, place, "procedure_handoff", "executed", policy))
        elif f.name == "outcome_reached":
            found.append(Possible(f.at, place, f.get("outcome_type"), "reached", policy))
        elif f.name == "ai_answer":
            found += _became_of(ordered, place, policy, timeline, as_of)
    return sorted(found, key=lambda p: (p.at, p.place))


def _became_of(
    ordered: Sequence[Fact],
    place: int,
    policy: dict[str, Any],
    timeline: Sequence[tuple[int, dict[str, Any]]],
    as_of: int,
) -> list[Possible]:
    """The charge that one answer may lead to: at the first thing that ends its silence, or at the end of it."""
    answer = ordered[place]
    meter = answer.get("outcome_type", "resolution")
    hours = policy.get("window_hours", {"default": 24})
    end = answer.at + hours.get(answer.get("channel", "chat"), hours["default"]) * HOUR
    for later_place in range(place + 1, len(ordered)):
        later = ordered[later_place]
        if later.at > end:
            break
        if later.name == "customer_message":
            if later.get("intent") in ("affirm", "thanks"):
                return [Possible(later.at, later_place, meter, "confirmed", policy)]
            return []
        if later.name in ("ai_question", "escalated", "procedure_failed"):
            return []
        if later.name in SETTLING and not _by_product(_policy(timeline, later.at)):
            return []
        if later.name == "teammate_reply" and policy.get("teammate_takeover_voids"):
            return []
    return [Possible(end, len(ordered), meter, "assumed", policy)] if end <= as_of else []


def _judge(ordered: Sequence[Fact], timeline: Sequence[tuple[int, dict[str, Any]]], as_of: int) -> list[Entry]:
    happenings: list[tuple[int, float, Possible | Fact]] = [
        (p.at, p.place, p) for p in _possible(ordered, timeline, as_of)
    ]
    happenings += [
        (f.at, place - 0.5, f)
        for place, f in enumerate(ordered)
        if f.name == "customer_message" or (f.name == "resolution" and f.get("state") == "reversed")
    ]
    happenings.sort(key=lambda h: (h[0], h[1]))
    entries: list[Entry] = []
    standing: tuple[Entry, dict[str, Any]] | None = None
    barred = False
    for at, _, what in happenings:
        if isinstance(what, Fact):
            reason = _undoes(what, standing, timeline)
            if reason and standing:
                entries.append(Entry("reverse", standing[0].meter, standing[0].effective_at, at, reason))
                standing = None
            barred = barred or what.get("intent") == "human_request"
            continue
        if barred or (standing and not _outranks(what, standing[0])):
            continue
        if standing:
            entries.append(Entry("reverse", standing[0].meter, standing[0].effective_at, at, "replaced"))
        entry = Entry("charge", what.meter, at, at, what.how)
        entries.append(entry)
        standing = (entry, what.policy)
    return entries


def _outranks(possible: Possible, standing: Entry) -> bool:
    precedence = possible.policy.get("type_precedence", [])
    if possible.meter not in precedence or standing.meter not in precedence:
        return False
    return bool(precedence.index(possible.meter) > precedence.index(standing.meter))


def _undoes(f: Fact, standing: tuple[Entry, dict[str, Any]] | None, timeline: Any) -> str:
    if standing is None:
        return ""
    entry, policy = standing
    if f.name == "resolution":
        by_product = _by_product(_policy(timeline, f.at))
        return "product_reversed" if by_product and entry.how.startswith("product_") else ""
    horizon = policy.get("return_horizon_days")
    if horizon is not None and f.at - entry.effective_at > horizon * DAY:
        return ""
    intent = f.get("intent")
    if intent == "human_request" and entry.how in ("confirmed", "assumed", "product_confirmed", "product_assumed"):
        return "human_requested"
    if intent in ("question", "needs_help", "negative") and entry.how in ("confirmed", "assumed"):
        return "customer_returned"
    return ""


def _excluded_spans(ordered: Sequence[Fact]) -> list[tuple[int, int, str]]:
    """(from, until, reason): the times in which the conversation is excluded."""
    spans: list[tuple[int, int, str]] = []
    raised: list[str] = []
    since, reason = 0, ""
    for f in ordered:
        if f.name == "merged_into":
            return [*spans, (since, FOREVER, reason) if reason else (f.at, FOREVER, "merged")]
        if f.name == "flagged":
            if not raised:
                since, reason = f.at, f.get("flag")
            if f.get("flag") not in raised:
                raised.append(f.get("flag"))
        elif f.name == "cleared":
            raised = [flag for flag in raised if f.get("flag") and flag != f.get("flag")]
            if reason and not raised:
                spans.append((since, f.at, reason))
                reason = ""
    return [*spans, (since, FOREVER, reason)] if reason else spans


def _behind_exclusions(ordered: Sequence[Fact], plain: list[Entry]) -> list[Entry]:
    """What shows of the plain entries: at each turn of an exclusion, and at each entry, what stands is compared."""
    spans = _excluded_spans(ordered)
    if not spans:
        return plain
    turns = [
        (at, 0, why) for since, until, reason in spans for at, why in ((since, reason), (until, "")) if at < FOREVER
    ]
    marks: list[tuple[int, int, Any]] = [
        *(turn for turn in turns if turn[0] < FOREVER),
        *((e.caused_at, 1, e) for e in plain),
    ]
    marks.sort(key=lambda mark: mark[:2])  # stable: of a span of no length its begin comes first
    shown: list[Entry] = []
    stands: Entry | None = None
    visible: Entry | None = None
    closed = ""
    for at, kind, what in marks:
        if kind == 1:
            stands = what if what.op == "charge" else None
            if not closed:
                shown.append(what)
                visible = stands
            continue
        closed = what
        if closed and visible:
            shown.append(Entry("reverse", visible.meter, visible.effective_at, at, closed))
            visible = None
        elif not closed and stands:
            visible = Entry("charge", stands.meter, stands.effective_at, at, stands.how)
            shown.append(visible)
    return shown


def status(facts: Sequence[Fact], timeline: Sequence[tuple[int, dict[str, Any]]], as_of: int) -> str:
    """charged, not_chargeable, pending or excluded."""
    ordered = sorted(set(facts), key=lambda f: (f.at, f.rank, f.source, f.id))
    if any(until == FOREVER for _, until, _ in _excluded_spans(ordered)):
        return "excluded"
    if net(ledger(facts, timeline, as_of)):
        return "charged"
    later = _judge(ordered, timeline, FOREVER)
    return "pending" if sum(1 if e.op == "charge" else -1 for e in later) else "not_chargeable"


def net(entries: Sequence[Entry]) -> int:
    """Charges less reversals."""
    return sum(1 if entry.op == "charge" else -1 for entry in entries)
