"""Contracts as they came, as they were applied, and their objects at Stripe."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from event_schemas.contract_v2 import AnyContract, ContractV2, read_contract
from event_schemas.times import Period
from invoicing_sync.contracts.domain.agreement import Agreement
from invoicing_sync.contracts.domain.issuers import Issuers
from invoicing_sync.contracts.domain.usage_lines import UsageLines
from invoicing_sync.contracts.store.ownership import IS_OURS
from invoicing_sync.store.pool import Connection, Pool


@dataclass(frozen=True, slots=True)
class Billing:
    """From when periods count, from when Stripe bills usage, whose invoices they are, and what is agreed of meters."""

    billing_anchor: datetime
    billed_from: datetime
    issuer: str
    priced: frozenset[str] = frozenset()
    free: frozenset[str] = frozenset()

    def for_meters_of(self, agreement: Agreement) -> Billing:
        """The same, for the meters that a contract prices and declares free."""
        return replace(self, priced=frozenset(agreement.meters), free=frozenset(agreement.free))


@dataclass(frozen=True, slots=True)
class Account:
    """A customer whose contract is applied."""

    customer: str
    contract: AnyContract  # the revision that invoices are expected from
    billed_from: datetime
    stripe_customer: str
    stripe_subscription: str
    usage_lines: UsageLines = "stripe"

    @property
    def agreement(self) -> Agreement:
        """What the contract says."""
        return Agreement(self.contract)


async def keep_newest(pool: Pool, contract: AnyContract) -> AnyContract:
    """Store a contract unless a revision at least as new is there; the one that is stored then."""
    document = await pool.fetchval(
        """
        WITH newer AS (
            INSERT INTO contracts (customer, revision, document) VALUES ($1, $2, $3)
            ON CONFLICT (customer) DO UPDATE SET revision = excluded.revision, document = excluded.document
            WHERE contracts.revision < excluded.revision
            RETURNING document
        )
        SELECT coalesce((SELECT document FROM newer), (SELECT document FROM contracts WHERE customer = $1))
        """,
        contract.customer,
        contract.revision,
        contract.model_dump(mode="json"),
    )
    return read_contract(document)


async def newest(pool: Pool, customer: str) -> AnyContract | None:
    """The newest revision that came in, applied or not; None where there is none."""
    document = await pool.fetchval("SELECT document FROM contracts WHERE customer = $1", customer)
    return None if document is None else read_contract(document)


async def unhandled(pool: Pool, issuers: Issuers) -> list[AnyContract]:
    """Our contracts whose newest revision has been neither applied nor set aside."""
    rows = await pool.fetch(
        f'SELECT document FROM contracts WHERE handled_revision < revision AND {IS_OURS} ORDER BY customer COLLATE "C"',
        sorted(issuers),
    )
    return [read_contract(row["document"]) for row in rows]


async def count_unhandled(pool: Pool, issuers: Issuers, *, anchored_by: datetime, now: datetime) -> int:
    """How many of those could be applied by now, see `Carrier.is_time`; asked often, so no document is read whole."""
    return int(
        await pool.fetchval(
            f"""
            SELECT count(*) FROM contracts WHERE handled_revision < revision AND {IS_OURS}
              AND CASE WHEN document #>> '{{trial,from}}' IS NULL
                  THEN (document ->> 'billing_anchor')::timestamptz <= $2
                  ELSE (document #>> '{{trial,from}}')::timestamptz <= $3 END
            """,
            sorted(issuers),
            anchored_by,
            now,
        )
    )


async def mark_handled(at: Pool | Connection, contract: AnyContract, *, replace: bool) -> None:
    """A later revision is dealt with; `replace`: it bills alike and takes the place of the applied one."""
    await at.execute(
        """
        UPDATE contracts SET handled_revision = $2,
            applied = CASE WHEN $3 THEN $4 ELSE applied END,
            applied_revision = CASE WHEN $3 THEN $2 ELSE applied_revision END
        WHERE customer = $1
        """,
        contract.customer,
        contract.revision,
        replace,
        contract.model_dump(mode="json"),
    )


async def activate(
    tx: Connection,
    contract: AnyContract,
    *,
    billed_from: datetime,
    stripe_customer: str,
    stripe_subscription: str,
    usage_lines: UsageLines,
) -> None:
    """The contract's first revision is applied: its customer can be billed."""
    await tx.execute(
        """
        UPDATE contracts SET handled_revision = $2, applied_revision = $2, applied = $3, billing_anchor = $4,
            billed_from = $5, stripe_customer = $6, stripe_subscription = $7, usage_lines = $8
        WHERE customer = $1
        """,
        contract.customer,
        contract.revision,
        contract.model_dump(mode="json"),
        contract.billing_anchor,
        billed_from,
        stripe_customer,
        stripe_subscription,
        usage_lines,
    )


# of an applied contract of either version, without reading it whole
ISSUER = "coalesce(applied ->> 'issuer', applied #>> '{billing,-1,issuer}')"
PRICED = """(jsonb_path_query_array(applied, '$.metered[*].meter') || jsonb_path_query_array(applied,
    '$.items[*] ? (@.kind == "metered" && !(exists(@.withdrawn_in) && @.withdrawn_in != null)).meter'))"""
FREE = """(jsonb_path_query_array(applied, '$.free_meters[*] ? (@.type() == "string")')
    || jsonb_path_query_array(applied, '$.free_meters[*] ? (@.type() == "object").meter'))"""


async def billing_of(tx: Connection, customers: list[str]) -> dict[str, Billing]:
    """Those of the customers whose contract is applied."""
    rows = await tx.fetch(
        f"""
        SELECT customer, billing_anchor, billed_from, {ISSUER} AS issuer, {FREE} AS free, {PRICED} AS priced
        FROM contracts WHERE customer = ANY($1::text[]) AND applied_revision IS NOT NULL
        """,
        customers,
    )
    return {
        row["customer"]: Billing(
            row["billing_anchor"], row["billed_from"], row["issuer"], frozenset(row["priced"]), frozenset(row["free"])
        )
        for row in rows
    }


_ACCOUNT = """
SELECT customer, applied, billed_from, stripe_customer, stripe_subscription, usage_lines FROM contracts
WHERE applied_revision IS NOT NULL
"""


def _account(row: asyncpg.Record) -> Account:
    return Account(
        customer=row["customer"],
        contract=read_contract(row["applied"]),
        billed_from=row["billed_from"],
        stripe_customer=row["stripe_customer"],
        stripe_subscription=row["stripe_subscription"],
        usage_lines=row["usage_lines"],
    )


async def account(pool: Pool, customer: str) -> Account | None:
    """A customer whose contract is applied."""
    row = await pool.fetchrow(_ACCOUNT + "AND customer = $1", customer)
    return None if row is None else _account(row)


async def accounts_of(pool: Pool, customers: list[str]) -> dict[str, Account]:
    """Those of the customers whose contract is applied."""
    rows = await pool.fetch(_ACCOUNT + "AND customer = ANY($1::text[])", customers)
    return {row["customer"]: _account(row) for row in rows}


async def accounts(pool: Pool) -> list[Account]:
    """All customers whose contract is applied."""
    return [_account(row) for row in await pool.fetch(_ACCOUNT + "ORDER BY customer")]


@dataclass(frozen=True, slots=True)
class Collection:
    """What a subscription has, as far as we have brought it: null `kept_as_draft` stands for never touched."""

    kept_as_draft: bool
    method: str


async def collection_of(pool: Pool, customer: str) -> Collection:
    """How a customer's subscription collects, as last set by us."""
    row = await pool.fetchrow("SELECT kept_as_draft, collected_by FROM contracts WHERE customer = $1", customer)
    assert row is not None, "an applied contract has its row"
    return Collection(bool(row["kept_as_draft"]), row["collected_by"])


async def note_kept(pool: Pool | Connection, customer: str, kept: bool) -> None:
    """The subscription keeps its drafts now, or no longer."""
    await pool.execute("UPDATE contracts SET kept_as_draft = $2 WHERE customer = $1", customer, kept)


async def note_collected_by(pool: Pool | Connection, customer: str, method: str) -> None:
    """The subscription collects by this method now."""
    await pool.execute("UPDATE contracts SET collected_by = $2 WHERE customer = $1", customer, method)


_BEHIND = """applied ->> 'schema_version' IS NULL AND (coalesce(kept_as_draft, false) <> $1
    OR collected_by <> coalesce(applied->>'collection_method', 'send_invoice'))"""


async def behind(pool: Pool, *, keep: bool) -> list[Account]:
    """Accounts whose subscription does not collect as contract and settings say; those of earlier versions too."""
    rows = await pool.fetch(f"{_ACCOUNT} AND {_BEHIND} ORDER BY customer", keep)
    return [_account(row) for row in rows]


async def revisions_behind(pool: Pool, *, keep: bool) -> set[tuple[str, int]]:
    """Customer and applied revision of what `behind` gives; asked often, so no document is read whole."""
    rows = await pool.fetch(
        f"SELECT customer, applied_revision FROM contracts WHERE applied_revision IS NOT NULL AND {_BEHIND}", keep
    )
    return {(row["customer"], row["applied_revision"]) for row in rows}


async def without_address(pool: Pool) -> list[Account]:
    """Accounts whose invoices are to be sent and that have no address: those of earlier versions."""
    rows = await pool.fetch(
        _ACCOUNT
        + """
        AND applied ->> 'schema_version' IS NULL AND applied->>'billing_email' IS NULL
        AND coalesce(applied->>'collection_method', 'send_invoice') = 'send_invoice' ORDER BY customer
        """
    )
    return [_account(row) for row in rows]


async def customer_of_subscription(pool: Pool, subscription: str) -> str | None:
    """Whose subscription it is, when it is one of ours."""
    found: str | None = await pool.fetchval(
        "SELECT customer FROM contracts WHERE stripe_subscription = $1", subscription
    )
    return found


async def add_period(tx: Connection, customer: str, number: int, period: Period, *, freeze_after: timedelta) -> None:
    """Start a period, once. The first invoice's (number -1) is empty and frozen when it ends."""
    await tx.execute(
        """
        INSERT INTO periods (customer, number, period_start, period_end, freeze_at, state)
        VALUES ($1, $2, $3, $4, $5, 'open') ON CONFLICT DO NOTHING
        """,
        customer,
        number,
        period.start,
        period.end,
        period.end + freeze_after,
    )


async def describe(pool: Pool, customer: str, issuers: Issuers) -> dict[str, Any] | None:
    """All that is stored of a contract of ours, for people."""
    row = await pool.fetchrow(f"SELECT * FROM contracts WHERE {IS_OURS} AND customer = $2", sorted(issuers), customer)
    return None if row is None else dict(row)


async def page(pool: Pool, issuers: Issuers, *, after: str, limit: int) -> list[asyncpg.Record]:
    """Our contracts in order of their customers, behind `after`."""
    return await pool.fetch(
        f"SELECT * FROM contracts WHERE {IS_OURS} AND customer > $2 ORDER BY customer LIMIT $3",
        sorted(issuers),
        after,
        limit,
    )


async def plan_due(pool: Pool, *, now: datetime, keep: bool) -> list[str]:
    """Customers with a contract of version 2 whose plan has something to do by now, beside new revisions."""
    rows = await pool.fetch(f"SELECT customer FROM contracts WHERE {_PLAN_DUE} ORDER BY customer", now, keep)
    return [row["customer"] for row in rows]


async def count_plan_due(pool: Pool, *, now: datetime, keep: bool) -> int:
    """How many these are."""
    return int(await pool.fetchval(f"SELECT count(*) FROM contracts WHERE {_PLAN_DUE}", now, keep))


# A plan that Stripe refused waits for its instant, whatever else is to be done: the case tells it from the others.
_PLAN_DUE = """
handled_revision = revision AND (
    (coalesce(applied, document) ->> 'schema_version' = '2' AND plan_at <= $1)
    OR (
        applied ->> 'schema_version' = '2' AND coalesce(kept_as_draft, false) <> $2 AND NOT EXISTS (
            SELECT FROM cases WHERE kind = 'contract_refused' AND natural_key = contracts.customer AND closed_at IS NULL
        )
    )
)
"""


async def note_planned(at: Pool | Connection, contract: ContractV2, *, plan_at: datetime | None) -> None:
    """The plan of a revision is carried out, as far as it is; `plan_at`: when there is more to do."""
    await at.execute(
        "UPDATE contracts SET handled_revision = $2, plan_at = $3 WHERE customer = $1 AND revision = $2",
        contract.customer,
        contract.revision,
        plan_at,
    )


async def bill_by(tx: Connection, contract: ContractV2) -> None:
    """Invoices are expected from this revision from now on, whatever of it Stripe has been told."""
    await tx.execute(
        "UPDATE contracts SET applied = $2, applied_revision = $3 WHERE customer = $1",
        contract.customer,
        contract.model_dump(mode="json"),
        contract.revision,
    )


async def complete_again(tx: Connection, customer: str) -> None:
    """Periods that are complete and whose invoice is not finalised are completed anew."""
    await tx.execute(
        "UPDATE periods SET state = 'frozen' "
        "WHERE customer = $1 AND state IN ('complete', 'held') AND finalised_at IS NULL",
        customer,
    )


async def plan_at_once(tx: Connection, customer: str, now: datetime) -> None:
    """Its plan is under way: whoever comes next goes on with it."""
    await tx.execute("UPDATE contracts SET plan_at = $2 WHERE customer = $1", customer, now)
