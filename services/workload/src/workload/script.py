"""One conversation as it happens: what each party does, second by second, by the end state that chance has chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

Event = dict[str, Any]  # at (unix microseconds), type, data; arrives where that is given; delivery adds the rest
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR


@dataclass(slots=True)
class Conversation:
    """A customer's conversation and its events in order of time. `tag` names hand-shaped ones."""

    customer: str
    id: str
    channel: str = "chat"
    tag: str = ""
    held_until: int = 0  # its events arrive no earlier: a product service was away
    events: list[Event] = field(default_factory=list)

    def add(self, at: int, signal: str, *, arrives: int = 0, **data: Any) -> int:
        """Add a signal; answers its time. `arrives`: the instant of its arrival where that is given, even before it."""
        if self.channel != "chat" and signal in ("customer_message", "ai_answer"):
            data["channel"] = self.channel
        event: Event = {"at": at, "type": "conversation.signal", "data": {"signal": signal, **data}}
        if arrives:
            event["arrives"] = arrives
        self.events.append(event)
        return at

    def customer_says(self, at: int, intent: str, *, arrives: int = 0) -> int:
        """Add a customer's message."""
        return self.add(at, "customer_message", arrives=arrives, intent=intent)

    def resolution(self, at: int, state: str) -> int:
        """Add a product's own word."""
        self.events.append({"at": at, "type": "resolution", "data": {"state": state}})
        return at


def gap(rng: Random, channel: str) -> int:
    """How long a customer takes to reply: lognormal, median 45 s in chat and 5 h by e-mail."""
    median = 5 * 3600 if channel == "email" else 45
    return int(median * rng.lognormvariate(0, 0.8) * SECOND)


def latency(rng: Random) -> int:
    """How long the AI takes: median 8 s, 95th percentile 20 s."""
    return int(8 * rng.lognormvariate(0, 0.557) * SECOND)


ENDS = ["confirmed", "assumed", "handoff", "escalated", "question", "negative", "greeting", "human"]


def end_weights(rate: float) -> list[float]:
    """Weights of ENDS for a share of settled conversations. Source: the workload's mix, section end states."""
    return [rate * 0.25, rate * 0.68, rate * 0.07, *[(1 - rate) * share for share in (0.38, 0.2, 0.08, 0.1, 0.24)]]


def play(rng: Random, conversation: Conversation, start: int, *, end: str, by_product: bool) -> None:
    """Fill a conversation from its start to its end state, then with what follows: returns, flags, teammates."""
    c, channel = conversation, conversation.channel
    at = c.customer_says(start, "question")
    if channel != "email" and rng.random() < 0.5:
        at = c.add(at + SECOND * 2, "ai_greeting")
    if end == "greeting":
        c.add(at + SECOND, "ai_greeting")
        return
    at = _turns(rng, c, at)
    at = _ending(rng, c, at, end)
    if by_product and end in ("confirmed", "assumed"):
        at = c.resolution(at + 5 * SECOND, end)
        if rng.random() < 0.05:
            c.resolution(at + 2 * HOUR, "reversed")
    if end in ("confirmed", "assumed"):
        _afterwards(rng, c, at)


def _turns(rng: Random, c: Conversation, at: int) -> int:
    """AI turns: one and a geometric number more, mean 3.7, each answered question for question."""
    data: dict[str, Any] = {"outcome_type": "voice_outcome"} if c.channel == "voice" else {}
    while True:
        at = c.add(at + latency(rng), "ai_answer", **data)
        if rng.random() < 0.15 and c.channel != "email":
            c.add(at + 240 * SECOND, "ai_nudge")
        if rng.random() > 0.73 or len(c.events) > 24:
            return at
        at = c.customer_says(at + gap(rng, c.channel), rng.choice(["question", "question", "needs_help", "other"]))
        if rng.random() < 0.12:
            at = c.add(at + latency(rng), "ai_question")
            at = c.customer_says(at + gap(rng, c.channel), "question")


def _ending(rng: Random, c: Conversation, at: int, end: str) -> int:
    if end == "confirmed":
        return c.customer_says(at + gap(rng, c.channel), rng.choice(["affirm", "thanks"]))
    if end == "handoff":
        return c.add(at + latency(rng), "procedure_handoff")
    if end == "escalated":
        at = c.customer_says(at + gap(rng, c.channel), "needs_help")
        return c.add(at + latency(rng), rng.choice(["escalated", "procedure_failed"]))
    if end == "question":
        at = c.customer_says(at + gap(rng, c.channel), "question")
        return c.add(at + latency(rng), "ai_question")
    if end == "negative":
        return c.customer_says(at + gap(rng, c.channel), "negative")
    if end == "human":
        at = c.customer_says(at + gap(rng, c.channel), "human_request")
        return c.add(at + 600 * SECOND, "teammate_reply")
    return at


def _afterwards(rng: Random, c: Conversation, at: int) -> None:
    if rng.random() < 0.04:
        c.add(at + 600 * SECOND, "teammate_reply")
    if rng.random() < 0.04:
        delay = rng.choices([rng.uniform(0.1, 3), rng.uniform(3, 14), rng.uniform(14, 30)], [60, 30, 10])[0]
        back = c.customer_says(at + int(delay * DAY), rng.choice(["needs_help", "question", "human_request"]))
        if rng.random() < 0.5:
            again = c.add(back + latency(rng), "ai_answer")
            if rng.random() < 0.4:
                c.customer_says(again + gap(rng, c.channel), "affirm")
    if rng.random() < 0.01:
        c.add(
            at + int(rng.uniform(1, 40) * HOUR),
            "outcome_reached",
            outcome_type=rng.choice(["qualification", "disqualification"]),
        )
    if rng.random() < 0.004:
        c.add(at + int(rng.uniform(0.1, 60) * HOUR), "merged_into", into=f"{c.id}-target")


def flag(rng: Random, c: Conversation, start: int) -> None:
    """Spam and test traffic: mostly flagged at the start, spam late in three of ten, some of it cleared again."""
    dice = rng.random()
    if dice < 0.005:
        c.add(start, "flagged", flag="test")
    elif dice < 0.02:
        late = rng.random() < 0.3
        at = c.add(start + (int(rng.uniform(1, 60) * HOUR) if late else SECOND), "flagged", flag="spam")
        if rng.random() < 0.1:
            c.add(at + 5 * HOUR, "cleared")
    elif dice < 0.022:
        c.add(start, "flagged", flag="internal")
