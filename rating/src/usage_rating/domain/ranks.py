"""The ranks of the signal types as plain numbers, for the walk's table; their order is that of the vocabulary."""

from __future__ import annotations

from event_schemas.vocabulary import RANK, SignalType

FLAGGED = RANK[SignalType.FLAGGED]
CLEARED = RANK[SignalType.CLEARED]
MERGED_INTO = RANK[SignalType.MERGED_INTO]
CUSTOMER_MESSAGE = RANK[SignalType.CUSTOMER_MESSAGE]
AI_QUESTION = RANK[SignalType.AI_QUESTION]
AI_ANSWER = RANK[SignalType.AI_ANSWER]
AI_GREETING = RANK[SignalType.AI_GREETING]
AI_NUDGE = RANK[SignalType.AI_NUDGE]
PROCEDURE_HANDOFF = RANK[SignalType.PROCEDURE_HANDOFF]
PROCEDURE_FAILED = RANK[SignalType.PROCEDURE_FAILED]
OUTCOME_REACHED = RANK[SignalType.OUTCOME_REACHED]
ESCALATED = RANK[SignalType.ESCALATED]
TEAMMATE_REPLY = RANK[SignalType.TEAMMATE_REPLY]
RESOLUTION = RANK[SignalType.RESOLUTION]

NAMES = {rank: signal.value for signal, rank in RANK.items()}
