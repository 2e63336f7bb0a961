"""The closed lists of words that events may use, and the order of signals that share an instant."""

from __future__ import annotations

from enum import StrEnum


class SignalType(StrEnum):
    """What happened in a conversation; the order here is the rank by which equal instants are sorted."""

    FLAGGED = "flagged"
    CLEARED = "cleared"
    MERGED_INTO = "merged_into"
    CUSTOMER_MESSAGE = "customer_message"
    AI_QUESTION = "ai_question"
    AI_ANSWER = "ai_answer"
    AI_GREETING = "ai_greeting"
    AI_NUDGE = "ai_nudge"
    PROCEDURE_HANDOFF = "procedure_handoff"
    PROCEDURE_FAILED = "procedure_failed"
    OUTCOME_REACHED = "outcome_reached"
    ESCALATED = "escalated"
    TEAMMATE_REPLY = "teammate_reply"
    RESOLUTION = "resolution"  # a product's own decision: its own event type, sorted last


# Rank of a type among signals of one instant: exclusions first, then the customer, then the others.
RANK = {signal: rank for rank, signal in enumerate(SignalType)}


class Intent(StrEnum):
    """What a customer message wants. `thanks` counts as `affirm`; `other` stops a window and reverses nothing."""

    QUESTION = "question"
    AFFIRM = "affirm"
    THANKS = "thanks"
    NEEDS_HELP = "needs_help"
    HUMAN_REQUEST = "human_request"
    NEGATIVE = "negative"
    OTHER = "other"


class Channel(StrEnum):
    """Where a conversation takes place."""

    CHAT = "chat"
    EMAIL = "email"
    WHATSAPP = "whatsapp"
    SMS = "sms"
    VOICE = "voice"
    SOCIAL = "social"


class Flag(StrEnum):
    """Why a conversation is excluded; a reversal for it carries the flag as its reason."""

    SPAM = "spam"
    TEST = "test"
    INTERNAL = "internal"


class ResolutionState(StrEnum):
    """What a product that decides by itself reports."""

    CONFIRMED = "confirmed"
    ASSUMED = "assumed"
    REVERSED = "reversed"


class DecidedBy(StrEnum):
    """Whose word charges: the conversation's signals, or the product's own resolution events."""

    SIGNALS = "signals"
    PRODUCT = "product"


class Op(StrEnum):
    """The two kinds of ledger entries."""

    CHARGE = "charge"
    REVERSE = "reverse"


class How(StrEnum):
    """The way by which a charge came about."""

    CONFIRMED = "confirmed"
    ASSUMED = "assumed"
    EXECUTED = "executed"
    REACHED = "reached"
    PRODUCT_CONFIRMED = "product_confirmed"
    PRODUCT_ASSUMED = "product_assumed"
    REPORTED = "reported"


class Reason(StrEnum):
    """Why a charge was reversed."""

    CUSTOMER_RETURNED = "customer_returned"
    HUMAN_REQUESTED = "human_requested"
    SPAM = "spam"
    TEST = "test"
    INTERNAL = "internal"
    MERGED = "merged"
    REPLACED = "replaced"
    PRODUCT_REVERSED = "product_reversed"
    CORRECTED = "corrected"
    REDECIDED = "redecided"  # late facts or a new contract: the charge is no longer wanted


class QuarantineReason(StrEnum):
    """Why an event could not be used; the closed list that `settled dead-letters` shows."""

    MALFORMED = "malformed"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_FIELD = "unknown_field"
    UNKNOWN_CUSTOMER = "unknown_customer"
    TOO_OLD = "too_old"
    IN_THE_FUTURE = "in_the_future"
    UNREADABLE = "unreadable"  # a record on the bus that its reader could not decode
