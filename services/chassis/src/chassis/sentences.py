"""Faults that pydantic finds, in plain sentences; they live beside the contracts of the bus, which need them."""

from event_schemas.sentences import FORMS, MUST_BE, TOLD_APART, Place, place, sentence

__all__ = ["FORMS", "MUST_BE", "TOLD_APART", "Place", "place", "sentence"]
