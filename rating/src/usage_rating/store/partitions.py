"""The row of a partition as one transaction sees and moves it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from usage_rating.domain.days import FIRST

MOVED = (
    "applied",
    "duplicate",
    "conflicting",
    "quarantined",
    "seen",
    "charged",
    "not_chargeable",
    "pending",
    "excluded",
    "records",
)


@dataclass(slots=True)
class PartitionRow:
    """
    Where a partition stands. Instants in microseconds; `moved` counts by how much each counter changes.

    The owner keeps it in memory as of its last transaction; each transaction moves a copy, and is refused where the row
    in the database does not stand where the original does.
    """

    partition: int
    topic_id: str
    epoch: int
    next_offset: int
    next_seq: int
    read_up_to: int
    recorded_at: int
    published_seq: int
    contracts_applied: int
    last_day: int = FIRST  # no conversation here had its last signal on a later day
    moved: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MOVED, 0))

    def copy(self) -> PartitionRow:
        """The same row for the next transaction to move, its counters at 0."""
        return replace(self, moved=dict.fromkeys(MOVED, 0))

    @property
    def last_seq(self) -> int:
        """The sequence number of the newest entry; 0 where there is none."""
        return self.next_seq - 1

    def read_to(self, instant: int) -> None:
        """All up to `instant` is known now; never goes back."""
        self.read_up_to = max(self.read_up_to, instant)

    def record_at(self, now: int) -> int:
        """
        The `recorded_at` of entries written now; never goes back, and never lies before `read_up_to`.

        The latter so that an entry written after progress has passed a freeze is recorded after that freeze, however
        far the clocks of two machines are apart.
        """
        self.recorded_at = max(self.recorded_at, self.read_up_to, now)
        return self.recorded_at


def from_row(row: Any) -> PartitionRow:
    """A row of `partitions`, its counters left out: they are only ever added to."""
    return PartitionRow(
        row["partition"],
        row["topic_id"],
        row["epoch"],
        row["next_offset"],
        row["next_seq"],
        row["read_up_to"],
        row["recorded_at"],
        row["published_seq"],
        row["contracts_applied"],
        row["last_day"],
    )
