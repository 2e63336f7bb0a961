"""Every revision that was decided by, with the content that came first under it; and the cases about contracts."""

from __future__ import annotations

import json
from datetime import datetime

import asyncpg

from event_schemas.contract_content import fingerprint
from event_schemas.contract_v2 import AnyContract, stored
from usage_rating.changes import CaseFound

KEEP = """
WITH kept AS (
    INSERT INTO contracts (customer, revision, record_offset, fingerprint, document) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (customer, revision) DO NOTHING RETURNING document, record_offset
),
settled AS (
    UPDATE cases SET closed_at = $6
    WHERE customer = $1 AND subject = 'contract' AND kind = 'contract_conflict' AND closed_at IS NULL
    AND EXISTS (SELECT FROM kept)
)
SELECT document, record_offset FROM kept
"""

KEPT = "SELECT document, record_offset FROM contracts WHERE customer = $1 AND revision = $2"
KEPT_SINCE = "SELECT document, record_offset, number FROM contracts WHERE number > $1 ORDER BY number"
OVERLAP = 100  # numbers are given before they are committed, so the last ones are read again

OPEN_CASE = """
INSERT INTO cases AS c (kind, customer, subject, about, sentence, opened_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (customer, subject, kind, about) DO UPDATE SET sentence = excluded.sentence, closed_at = NULL
WHERE c.sentence <> excluded.sentence OR c.closed_at IS NOT NULL
"""


class ContractStore:
    """Reads and appends; a kept revision never changes."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record]) -> None:
        self._pool = pool

    async def kept_since(self, number: int) -> tuple[list[tuple[AnyContract, int]], int]:
        """Revisions kept behind a number, and some before it, each with its record's offset; and the last number."""
        rows = await self._pool.fetch(KEPT_SINCE, number - OVERLAP)
        found = [(stored(row["document"]), row["record_offset"]) for row in rows]
        return found, max([number, *(row["number"] for row in rows)])

    async def keep_first(self, contract: AnyContract, *, offset: int, now: datetime) -> tuple[AnyContract, int]:
        """
        Keep a revision unless it is kept already, and return what is kept with its offset; safe to repeat.

        A new revision settles what was said about conflicts of earlier ones.
        """
        key = (contract.customer, contract.revision)
        document = json.dumps(contract.model_dump(mode="json"))
        row = await self._pool.fetchrow(KEEP, *key, offset, fingerprint(contract), document, now)
        if row is None:
            row = await self._pool.fetchrow(KEPT, *key)
        assert row is not None  # no revision is ever forgotten
        return stored(row["document"]), row["record_offset"]

    async def open_case(self, case: CaseFound, *, now: datetime) -> None:
        """Open a case, or again one that was closed; safe to repeat."""
        await self._pool.execute(OPEN_CASE, case.kind, case.customer, case.subject, case.about, case.sentence, now)
