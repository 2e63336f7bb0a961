"""The contracts of every customer, in memory: the newest to decide by, the earlier ones to know what has changed."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from typing import Literal

from event_schemas.contract_content import fingerprint
from event_schemas.contract_v2 import AnyContract
from usage_rating.contracts import from_contract
from usage_rating.domain.differences import EVER, earliest, first_difference, first_difference_in_force
from usage_rating.domain.policy import ContractTimeline
from usage_rating.watching import Watch, watch_of

Verdict = Literal["new", "known", "older", "conflicting"]


@dataclass(frozen=True, slots=True, order=True)
class Revision:
    """A revision that this service decides by or has decided by; `offset` is its record's place on the topic."""

    revision: int
    offset: int
    timeline: ContractTimeline


@dataclass(frozen=True, slots=True)
class Touched:
    """From which instants on (microseconds) a customer's rows can come out otherwise; None: none of them can."""

    conversations: int | None
    records: int | None


class ContractBook:
    """
    Contracts by customer: the highest revision counts, and of a revision the content that was kept first.

    `position` is the offset behind the last record taken; what it changed is found again by `touched_since`, so that
    a partition which remembers up to where it has acted misses nothing, whoever owned it in between.
    """

    def __init__(self) -> None:
        self.position = 0
        self.unusable = 0
        self._newest: dict[str, tuple[AnyContract, str]] = {}  # with its fingerprint
        self._revisions: dict[str, list[Revision]] = {}
        self.watches: dict[str, Watch] = {}  # customers whose contract has thresholds or limits

    def verdict(self, contract: AnyContract) -> Verdict:
        """What a contract that came is beside what is known of its customer."""
        present = self._newest.get(contract.customer)
        if present is None or contract.revision > present[0].revision:
            return "new"
        if contract.revision < present[0].revision:
            return "older"
        return "known" if fingerprint(contract) == present[1] else "conflicting"

    def put(self, contract: AnyContract, *, offset: int) -> None:
        """Take a revision over that is kept in the database; putting it again changes nothing."""
        revisions = self._revisions.setdefault(contract.customer, [])
        if all(known.revision != contract.revision for known in revisions):
            insort(revisions, Revision(contract.revision, offset, from_contract(contract)), key=lambda r: r.revision)
        present = self._newest.get(contract.customer)
        if present is None or contract.revision > present[0].revision:
            self._newest[contract.customer] = (contract, fingerprint(contract))
            self.watches.pop(contract.customer, None)
            if (watch := watch_of(contract)) is not None:
                self.watches[contract.customer] = watch

    def timeline(self, customer: str) -> ContractTimeline | None:
        """The policies of a customer; None where there is no contract."""
        revisions = self._revisions.get(customer)
        return revisions[-1].timeline if revisions else None

    def contract(self, customer: str) -> AnyContract | None:
        """The whole contract of a customer; None where there is none."""
        present = self._newest.get(customer)
        return present[0] if present else None

    def touched_since(self, applied: int, *, anew: bool = False) -> dict[str, Touched]:
        """
        What records at or behind offset `applied` can have changed for a partition that has acted on those before it.

        Such a partition holds decisions by the revision that was the newest before `applied` and by any since, so the
        earliest difference between one of them and the newest counts. Customers that nothing touches are left out.

        Args:
            anew: the topic was made anew, so nothing is known of what the offset meant: all are touched.
        """
        found = {}
        for customer, revisions in self._revisions.items():
            if anew:
                found[customer] = Touched(EVER, EVER)
            elif any(revision.offset >= applied for revision in revisions):
                touched = _touched(revisions, applied)
                if touched != Touched(None, None):
                    found[customer] = touched
        return found


def _touched(revisions: list[Revision], applied: int) -> Touched:
    before = [revision for revision in revisions if revision.offset < applied]
    decided_by: list[ContractTimeline | None] = [before[-1].timeline if before else None]
    decided_by += [revision.timeline for revision in revisions if revision.offset >= applied]
    newest = revisions[-1].timeline
    return Touched(
        earliest([first_difference(timeline, newest) for timeline in decided_by]),
        earliest([first_difference_in_force(timeline, newest) for timeline in decided_by]),
    )
