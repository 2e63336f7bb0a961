"""Conversations shaped by hand to hurt: each is named, spread over the first customers, and judged by the truth."""

from __future__ import annotations

from workload.month import MINUTE, Month
from workload.script import DAY, HOUR, SECOND, Conversation

Shaped = list[Conversation]
PRODUCT_PLACE = 9  # the first customer whose product decides
VOID_PLACE = 6
PRECEDENCE_PLACE = 11
HORIZON_PLACE = 7
CHANGED_PLACE = 21
EMAIL_PLACE = 3


def shaped(month: Month) -> Shaped:
    """All of them. Places are customer numbers; those of special policies are above."""
    made: Shaped = []

    def talk(tag: str, place: int = 0, channel: str = "chat") -> Conversation:
        conversation = Conversation(f"customer-{place:04d}", f"shaped-{tag}", channel, tag)
        made.append(conversation)
        return conversation

    def answered(tag: str, at: int, place: int = 0, channel: str = "chat") -> tuple[Conversation, int]:
        conversation = talk(tag, place, channel)
        conversation.customer_says(at, "question")
        return conversation, conversation.add(at + 8 * SECOND, "ai_answer")

    at = month.start + 3 * DAY + 10 * HOUR + 7 * MINUTE
    c, answer = answered("message-at-window-end", at)
    c.customer_says(answer + 24 * HOUR, "needs_help")
    c, answer = answered("message-a-second-after-window", at)
    c.customer_says(answer + 24 * HOUR + SECOND, "needs_help")
    c, answer = answered("message-a-microsecond-after-window", at)
    c.customer_says(answer + 24 * HOUR + 1, "needs_help")
    c, answer = answered("affirmed-at-window-end", at)
    c.customer_says(answer + 24 * HOUR, "affirm")
    c, answer = answered("thanks-after-charge", at)
    c.customer_says(answer + 30 * HOUR, "thanks")
    c, answer = answered("other-stops-window", at)
    c.customer_says(answer + HOUR, "other")
    c, answer = answered("other-after-charge", at)
    c.customer_says(answer + 30 * HOUR, "other")

    answered("window-crosses-month-end", month.end - 5 * HOUR, 1)
    answered("window-ends-at-month-end", month.end - DAY - 8 * SECOND, 1)
    answered("window-ends-a-microsecond-before-month-end", month.end - DAY - 8 * SECOND - 1, 1)
    answered("answer-before-contract", month.start - HOUR, 1)
    answered("answer-at-contract-start", month.start - 8 * SECOND, 1)
    c, answer = answered("affirmed-before-contract-reversed-in-it", month.start - 2 * HOUR, 1)
    c.customer_says(month.start + HOUR, "affirm")

    c, answer = answered("reversed-before-freeze", month.end - 3 * DAY, 2)
    c.customer_says(month.end + 10 * MINUTE, "human_request")
    c, answer = answered("reversed-after-freeze", month.end - 3 * DAY, 2)
    c.customer_says(month.end + 5 * HOUR, "human_request")
    c, answer = answered("reversed-and-settled-again-after-freeze", month.end - 3 * DAY, 2)
    back = c.customer_says(month.end + 5 * HOUR, "needs_help")
    c.customer_says(c.add(back + 9 * SECOND, "ai_answer") + MINUTE, "affirm")
    c, answer = answered("spam-after-freeze", month.end - 3 * DAY, 2)
    c.add(month.end + 6 * HOUR, "flagged", flag="spam")
    c, answer = answered("merged-after-freeze", month.end - 3 * DAY, 2)
    c.add(month.end + 7 * HOUR, "merged_into", into="shaped-elsewhere")
    c, answer = answered("cleared-after-freeze", month.end - 3 * DAY, 2)
    c.add(month.end - 2 * DAY, "flagged", flag="spam")
    c.add(month.end + 8 * HOUR, "cleared")

    c, answer = answered("arrives-after-freeze", month.end - 5 * DAY, 8)
    c.customer_says(answer + MINUTE, "affirm")
    c.held_until = month.end + 6 * HOUR
    c, answer = answered("arrives-at-the-last-open-step", month.end - 5 * DAY, 8)
    c.customer_says(answer + MINUTE, "affirm")
    c.held_until = month.last_open_step

    c = talk("ten-reversals", 4)
    when = c.customer_says(at, "question")
    for _ in range(11):
        when = c.customer_says(c.add(when + 9 * SECOND, "ai_answer") + MINUTE, "affirm")
        when = c.customer_says(when + HOUR, "needs_help")
    for link in range(3):
        c, answer = answered(f"merge-chain-{link}", at, 4)
        c.customer_says(answer + MINUTE, "affirm")
        c.add(answer + (link + 2) * HOUR, "merged_into", into=f"shaped-merge-chain-{link + 1}")
    c, answer = answered("flagged-cleared-flagged", at, 4)
    c.customer_says(answer + MINUTE, "affirm")
    for hour, signal in enumerate(("flagged", "cleared", "flagged", "cleared")):
        c.add(answer + (hour + 1) * HOUR, signal, flag="spam")
    c, answer = answered("two-flags-one-cleared", at, 4)
    c.add(answer + HOUR, "flagged", flag="spam")
    c.add(answer + 2 * HOUR, "flagged", flag="internal")
    c.add(answer + 3 * HOUR, "cleared", flag="spam")
    c, answer = answered("human-bars-for-ever", at, 4)
    c.customer_says(answer + MINUTE, "human_request")
    c.customer_says(c.add(answer + HOUR, "ai_answer") + MINUTE, "affirm")
    c, answer = answered("handoff-is-never-undone", at, 4)
    c.add(answer + MINUTE, "procedure_handoff")
    c.customer_says(answer + HOUR, "human_request")
    c, answer = answered("greeting-is-no-answer", at, 4)
    c.add(answer + MINUTE, "ai_greeting")
    c.customer_says(answer + 2 * MINUTE, "affirm")
    c, answer = answered("asked-back", at, 4)
    c.add(answer + MINUTE, "ai_question")
    c.customer_says(answer + 2 * MINUTE, "affirm")
    c, answer = answered("summer-time-ends", month.start + 24 * DAY + 0 * HOUR + 30 * MINUTE, 4)

    middle = month.start + 14 * DAY
    answered("policy-changes-inside-window", middle - HOUR, CHANGED_PLACE)
    c, answer = answered("policy-just-changed", middle - 8 * SECOND, CHANGED_PLACE)
    c.customer_says(answer + 30 * HOUR, "needs_help")
    c, answer = answered("resolution-replaced-by-qualification", at, PRECEDENCE_PLACE)
    c.add(answer + 30 * HOUR, "outcome_reached", outcome_type="qualification")
    c, answer = answered("qualification-not-replaced", at, PRECEDENCE_PLACE)
    c.add(answer + MINUTE, "outcome_reached", outcome_type="qualification")
    c.add(answer + HOUR, "outcome_reached", outcome_type="disqualification")
    c, answer = answered("first-type-stays", at, 5)
    c.add(answer + 30 * HOUR, "outcome_reached", outcome_type="qualification")
    c, answer = answered("teammate-voids", at, VOID_PLACE)
    c.add(answer + HOUR, "teammate_reply")
    c, answer = answered("teammate-does-not-void", at, 5)
    c.add(answer + HOUR, "teammate_reply")
    c, answer = answered("returned-inside-horizon", at, HORIZON_PLACE)
    c.customer_says(answer + DAY + 14 * DAY, "needs_help")
    c, answer = answered("returned-beyond-horizon", at, HORIZON_PLACE)
    c.customer_says(answer + DAY + 14 * DAY + 1, "needs_help")
    c, answer = answered("email-72-hours", at, EMAIL_PLACE, "email")
    c.customer_says(answer + 71 * HOUR, "needs_help")

    c = talk("product-confirms", PRODUCT_PLACE)
    c.resolution(c.customer_says(at, "question") + MINUTE, "confirmed")
    c = talk("product-reverses-after-freeze", PRODUCT_PLACE)
    c.resolution(at, "assumed")
    c.resolution(month.end + 9 * HOUR, "reversed")
    c = talk("product-barred-by-human", PRODUCT_PLACE)
    c.customer_says(at, "human_request")
    c.resolution(at + MINUTE, "confirmed")
    c = talk("product-word-is-evidence", 5)
    c.resolution(c.customer_says(at, "question") + MINUTE, "confirmed")
    return [conversation for conversation in made if _unambiguous(conversation, month)]


def _unambiguous(conversation: Conversation, month: Month) -> bool:
    """Whether no window of it can end in the minute in which two steps could charge it."""
    hours = (24, 48, 72)
    answers = [e["at"] for e in conversation.events if e["data"].get("signal") == "ai_answer"]
    return not any(month.ambiguous(at + length * HOUR) for at in answers for length in hours)
