"""What a new contract can change and what has not been decided again yet: walks through a customer's rows, in turns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from usage_rating.contract_book import Touched
from usage_rating.domain.days import day_of

Kind = Literal["conversations", "records"]


@dataclass(frozen=True, slots=True)
class Redecision:
    """
    A walk through the rows of one kind that a customer has in one partition, and the row behind which it goes on.

    Conversations are walked by name (`after_name`), those left out whose last signal lies before the day of `since`
    (microseconds); records by meter (`after_name`) and subject, all of them.
    """

    partition: int
    customer: str
    kind: Kind
    since: int
    after_name: str = ""
    after_subject: str = ""

    @property
    def key(self) -> tuple[str, Kind, int]:
        """One walk for each of these: a later contract begins it again."""
        return (self.customer, self.kind, self.partition)


@dataclass(frozen=True, slots=True)
class Tour:
    """The walks of one customer and kind in all owned partitions, made as one: its rows are looked at once."""

    walks: tuple[Redecision, ...]
    customer: str
    kind: Kind
    since: int
    after_name: str
    after_subject: str

    @property
    def first_day(self) -> int:
        """Conversations whose last signal lies before this day are left out."""
        return day_of(self.since)

    def until(self, name: str, subject: str = "") -> list[Redecision]:
        """The walks, all of them as far as this row."""
        return [replace(walk, after_name=name, after_subject=subject) for walk in self.walks]


def begin(partition: int, touched: Mapping[str, Touched], *, until: int) -> list[Redecision]:
    """
    The walks that a partition needs for what is touched, by customer.

    Args:
        until: the latest day of a last signal in the partition: what can change only later needs no walk.
    """
    walks = []
    for customer, since in touched.items():
        if since.conversations is not None and day_of(since.conversations) <= until:
            walks.append(Redecision(partition, customer, "conversations", since.conversations))
        if since.records is not None:
            walks.append(Redecision(partition, customer, "records", since.records))
    return walks


class Turns:
    """The walks of all owned partitions; each customer gets its turn, so that a large one delays no small one."""

    def __init__(self) -> None:
        self._walks: dict[tuple[str, Kind], dict[int, Redecision]] = {}  # in order of their turns

    def __len__(self) -> int:
        return sum(len(walks) for walks in self._walks.values())

    def replace(self, walks: Iterable[Redecision], partitions: Iterable[int]) -> None:
        """Take what is stored for these partitions over, in place of what was known of them."""
        for number in partitions:
            for known in self._walks.values():
                known.pop(number, None)
        for walk in walks:
            self._walks.setdefault((walk.customer, walk.kind), {})[walk.partition] = walk
        self._walks = {key: known for key, known in self._walks.items() if known}

    def clear(self) -> None:
        """Own nothing any more."""
        self._walks = {}

    def next(self, most: int) -> list[Tour]:
        """The customers whose turn it is: of one kind, at most `most`."""
        chosen: list[Tour] = []
        for (customer, kind), walks in self._walks.items():
            if chosen and kind != chosen[0].kind:
                continue
            behind = min(walks.values(), key=lambda walk: (walk.after_name, walk.after_subject))
            since = min(walk.since for walk in walks.values())
            chosen.append(Tour(tuple(walks.values()), customer, kind, since, behind.after_name, behind.after_subject))
            if len(chosen) == most:
                break
        return chosen

    def done(self, walked: Iterable[Redecision], ended: Iterable[Redecision]) -> None:
        """What a committed transaction has done: those that go on stand at the end of the row now."""
        for walk in ended:
            self._walks.pop((walk.customer, walk.kind), None)
        moved: dict[tuple[str, Kind], dict[int, Redecision]] = {}
        for walk in walked:
            moved.setdefault((walk.customer, walk.kind), {})[walk.partition] = walk
        for key, walks in moved.items():
            self._walks.pop(key, None)
            self._walks[key] = walks
