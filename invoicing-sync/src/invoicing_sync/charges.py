"""
Where the ledger's entries of a span of time stand: priced, declared free, without a price, corrections, or too early.

`entries` is counted from the ledger's copy and the parts from what was made of each entry, so the equation can fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, Field

from invoicing_sync.contracts.domain.issuers import Issuers
from invoicing_sync.store import reading
from invoicing_sync.store.pool import Pool


class ChargesAnswer(BaseModel):
    """Counts of ledger entries, charges and reversals alike, with an `effective_at` in [from, to)."""

    from_: datetime = Field(serialization_alias="from")
    to: datetime
    entries: int
    priced: int
    free: int
    unpriced: int = Field(description="on no invoice: each has a case `charge_without_price`, and invoices are held")
    corrections: int
    of_other_doors: int = Field(description="beside `entries`: their customer is another door's, which counts them")
    without_contract: int = Field(description="their customer's contract is not applied yet")
    holds: bool


@dataclass(frozen=True, slots=True)
class Made:
    """So many entries of a customer's meter, and what was made of them."""

    customer: str
    meter: str
    state: str
    count: int


Agreed = Mapping[str, tuple[frozenset[str], frozenset[str]]]  # customer -> meters that are priced, meters that are free


def shares(made: Iterable[Made], agreed: Agreed) -> Counter[str]:
    """How many entries are `priced`, `free`, `unpriced`, `corrections` or `without_contract`, by what is agreed now."""
    found: Counter[str] = Counter()
    for each in made:
        priced, free = agreed.get(each.customer, (frozenset(), frozenset()))
        if each.state == "correction":
            found["corrections"] += each.count
        elif each.customer not in agreed:
            found["without_contract"] += each.count
        elif each.meter in priced:
            found["priced"] += each.count
        else:
            found["free" if each.meter in free else "unpriced"] += each.count
    return found


async def charges(pool: Pool, start: datetime, end: datetime, issuers: Issuers) -> ChargesAnswer:
    """The equation of [start, end), of all customers, at one moment."""
    total, others, rows, agreed = await reading.entries_by_state(pool, start, end, issuers)
    found = shares((Made(**row) for row in rows), agreed)
    names = ("priced", "free", "unpriced", "corrections", "without_contract")
    return ChargesAnswer(
        from_=start,
        to=end,
        entries=total,
        of_other_doors=others,
        holds=total == found.total(),
        **{name: found[name] for name in names},
    )
