"""What a new contract can change and what has not been decided again yet: walks through a customer's rows, in turns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from usage_rating.contract_book import Touched
from usage_rating.domain.days import day_of

Kind = Literal["conversations", "records"]


@dataclass(frozen=True, slots=True)
class Redecision:
    """
    A walk through the rows of one kind that a customer has in one partition, and the row behind which it goes on.

    Conversations are walked by day of their last signal and name, beginning at the day of `since` (microseconds);
    records by meter (`after_name`) and subject, all of them.
    """

    partition: int
    customer: str
    kind: Kind
    since: int
    after_day: int
    after_name: str = ""
    after_subject: str = ""

    @property
    def key(self) -> tuple[int, str, Kind]:
        """One walk for each of these: a later contract begins it again."""
        return (self.partition, self.customer, self.kind)


def begin(partition: int, touched: Mapping[str, Touched]) -> list[Redecision]:
    """The walks that a partition needs for what is touched, by customer."""
    walks = []
    for customer, since in touched.items():
        if since.conversations is not None:
            first_day = day_of(since.conversations)
            walks.append(Redecision(partition, customer, "conversations", since.conversations, first_day))
        if since.records is not None:
            walks.append(Redecision(partition, customer, "records", since.records, day_of(since.records)))
    return walks


class Turns:
    """The walks of all owned partitions; each gets its turn, so that a large customer delays no small one."""

    def __init__(self) -> None:
        self._walks: dict[tuple[int, str, Kind], Redecision] = {}

    def __len__(self) -> int:
        return len(self._walks)

    def replace(self, walks: Iterable[Redecision], partitions: Iterable[int]) -> None:
        """Take what is stored for these partitions over, in place of what was known of them."""
        known = set(partitions)
        kept = [walk for walk in self._walks.values() if walk.partition not in known]
        self._walks = {walk.key: walk for walk in (*kept, *walks)}

    def clear(self) -> None:
        """Own nothing any more."""
        self._walks = {}

    def next(self, most: int) -> list[Redecision]:
        """The walks whose turn it is: of one kind, at most `most`."""
        chosen: list[Redecision] = []
        for walk in self._walks.values():
            if walk.kind == (chosen or [walk])[0].kind:
                chosen.append(walk)
            if len(chosen) == most:
                break
        return chosen

    def done(self, walked: Iterable[Redecision], ended: Iterable[Redecision]) -> None:
        """What a committed transaction has done: those that go on stand at the end of the row now."""
        for walk in ended:
            del self._walks[walk.key]
        for walk in walked:
            del self._walks[walk.key]
            self._walks[walk.key] = walk
