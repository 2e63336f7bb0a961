"""
Contracts of other doors: known by their row, which is never handled here, and by nothing else.

Whose a contract is follows from its document and from ISSUERS, and is stored nowhere: a door that is given another
issuer finds its contracts among those that it has left so far.
"""

from __future__ import annotations

import json
from collections.abc import Collection

from event_schemas.contract_v2 import ContractV2, stored
from event_schemas.contracts import Contract
from invoicing_sync.contracts.domain.issuers import Issuers
from invoicing_sync.store.pool import Connection, Pool

# the issuer of a document of version 1, or the first one of version 2, whose others are on the same side
_ISSUER = "coalesce(document ->> 'issuer', document #>> '{billing,0,issuer}')"
# of which the parameter $1 has a door's own issuers; none: everybody's
IS_OURS = f"(cardinality($1::text[]) = 0 OR {_ISSUER} = ANY($1::text[]))"


async def known(at: Pool | Connection, customer: str) -> Contract | ContractV2 | None:
    """The newest revision of a customer's contract that was kept, whoever bills it."""
    document = await at.fetchval("SELECT document FROM contracts WHERE customer = $1", customer)
    return None if document is None else stored(json.dumps(document))


async def keep_as_anothers(tx: Connection, contract: Contract | ContractV2) -> None:
    """Know another door's contract, by its newest revision; repeating it changes nothing."""
    await tx.execute(
        """
        INSERT INTO contracts (customer, revision, document) VALUES ($1, $2, $3)
        ON CONFLICT (customer) DO UPDATE SET revision = excluded.revision, document = excluded.document
        WHERE contracts.revision < excluded.revision
        """,
        contract.customer,
        contract.revision,
        contract.model_dump(mode="json"),
    )


async def leave_waiting_room(tx: Connection, customer: str) -> int:
    """What waited for this customer's contract waits no longer: another door bills it. How many there were."""
    done: str = await tx.execute(
        "DELETE FROM deliveries WHERE customer = $1 AND state = 'waiting_for_contract'", customer
    )
    return int(done.rpartition(" ")[2])


async def anothers(tx: Connection, customers: Collection[str], issuers: Issuers) -> set[str]:
    """Those of the customers whose contract is known to be another door's."""
    if not issuers:
        return set()
    rows = await tx.fetch(
        f"SELECT customer FROM contracts WHERE customer = ANY($2::text[]) AND NOT {IS_OURS}",
        sorted(issuers),
        sorted(customers),
    )
    return {row["customer"] for row in rows}


async def applied_issuers(pool: Pool) -> set[str]:
    """Whose contracts this door has applied, and bills."""
    rows = await pool.fetch(
        """
        SELECT DISTINCT jsonb_array_elements_text(
            jsonb_path_query_array(applied, '$.issuer') || jsonb_path_query_array(applied, '$.billing[*].issuer')
        ) AS issuer FROM contracts WHERE applied_revision IS NOT NULL
        """
    )
    return {row["issuer"] for row in rows}


async def never_looked_at(tx: Connection, issuers: Issuers) -> list[str]:
    """Customers whose contract is ours and was never handled: just come in, or another door's until now."""
    rows = await tx.fetch(
        f"SELECT customer FROM contracts WHERE handled_revision = 0 AND applied_revision IS NULL AND {IS_OURS} "
        "ORDER BY customer",
        sorted(issuers),
    )
    return [row["customer"] for row in rows]


async def enter_waiting_room(tx: Connection, customers: Collection[str]) -> int:
    """Entries of these customers that no delivery was made of wait for their contract. How many there were."""
    done: str = await tx.execute(
        """
        INSERT INTO deliveries (identifier, customer, meter, value, effective_at, recorded_at, not_before, reverses,
                                state)
        SELECT entry_id, customer, meter, CASE op WHEN 'charge' THEN quantity ELSE -quantity END, effective_at,
            recorded_at, effective_at, CASE op WHEN 'reverse' THEN cause ->> 'reverses' END, 'waiting_for_contract'
        FROM entries e WHERE customer = ANY($1::text[])
          AND NOT EXISTS (SELECT FROM deliveries d WHERE d.identifier = e.entry_id)
        ORDER BY recorded_at, entry_id
        """,
        list(customers),
    )
    return int(done.rpartition(" ")[2])
