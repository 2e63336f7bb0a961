"""Builds a named conversation from its first answer on."""

from __future__ import annotations

from workload.month import MINUTE, Month
from workload.script import DAY, HOUR, SECOND, Conversation

# Customer numbers whose policies `workload.plans` departs with; the others named here keep the standard.
STANDARD, BORDER, FREEZE, RETURNS, PLAIN = 0, 1, 2, 4, 5
LATE = 8
EMAIL_72, VOIDS, HORIZON_14, PRODUCT, PRECEDENCE, CHANGED = 3, 6, 7, 9, 11, 19
PLACES = frozenset(
    {STANDARD, BORDER, FREEZE, RETURNS, PLAIN, LATE, EMAIL_72, VOIDS, HORIZON_14, PRODUCT, PRECEDENCE, CHANGED}
)
CUSTOMERS_NEEDED = 20


class Shaper:
    """Collects shaped conversations; refuses one whose charge two steps of the clock could both record."""

    def __init__(self, month: Month) -> None:
        self.month = month
        self.at = month.start + 3 * DAY + 10 * HOUR + 7 * MINUTE  # an ordinary morning, away from every border
        self.step = month.start + 5 * DAY  # an instant at which the clock stands
        self._made: list[Conversation] = []

    @property
    def made(self) -> list[Conversation]:
        """All of them, checked."""
        for conversation in self._made:
            answers = [e["at"] for e in conversation.events if e["data"].get("signal") == "ai_answer"]
            if any(self.month.ambiguous(at + hours * HOUR) for at in answers for hours in (24, 48, 72)):
                raise ValueError(f"{conversation.tag}: a window ends in the minute before a step that decides")
        return self._made

    def talk(self, tag: str, place: int = STANDARD, channel: str = "chat") -> Conversation:
        """An empty conversation of customer number `place`."""
        conversation = Conversation(f"customer-{place:04d}", f"shaped-{tag}", channel, tag)
        self._made.append(conversation)
        return conversation

    def answered(
        self, tag: str, at: int | None = None, place: int = STANDARD, channel: str = "chat"
    ) -> tuple[Conversation, int]:
        """A question at `at`, answered eight seconds later; the conversation and the answer's time."""
        conversation = self.talk(tag, place, channel)
        asked = conversation.customer_says(self.at if at is None else at, "question")
        return conversation, conversation.add(asked + 8 * SECOND, "ai_answer")
