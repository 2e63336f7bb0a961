"""What terms say that cannot be meant, each as a field and a sentence; nothing is priced by terms that have any."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from pricing.checking.clauses import clauses
from pricing.checking.contradiction import Contradiction
from pricing.checking.discounts import discounts
from pricing.checking.frame import frame
from pricing.checking.items import items
from pricing.terms import Terms

__all__ = ["Contradiction", "contradictions"]


def contradictions(terms: Terms) -> tuple[Contradiction, ...]:
    """
    All that contradicts itself in the terms, in the order of their fields; empty when they can be billed.

    Instants without an offset and empty ramps are told alone: nothing else can be said about such terms.
    """
    first = tuple(frame(terms))
    if first:
        return first
    return tuple(_all(terms))


def _all(terms: Terms) -> Iterator[Contradiction]:
    return chain(items(terms), discounts(terms), clauses(terms))
