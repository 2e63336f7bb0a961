"""Usage of watched customers by period, how far the ledger is counted, and which crossings were told."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    "CREATE TABLE alert_turn (only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one), round bigint NOT NULL)",
    "INSERT INTO alert_turn (round) VALUES (0)",
    "CREATE TABLE alert_cursors (partition int PRIMARY KEY, seq bigint NOT NULL) WITH (fillfactor = 20)",
    """
    CREATE TABLE alert_customers (
        customer text COLLATE "C" PRIMARY KEY,
        since timestamptz NOT NULL,
        round bigint NOT NULL
    )
    """,
    "CREATE INDEX alert_customers_by_round ON alert_customers (round)",
    """
    CREATE TABLE alert_counts (
        customer text COLLATE "C" NOT NULL,
        meter text COLLATE "C" NOT NULL,
        period_start timestamptz NOT NULL,
        period_end timestamptz NOT NULL,
        used numeric NOT NULL,
        counted_to timestamptz NOT NULL,
        round bigint NOT NULL,
        PRIMARY KEY (customer, meter, period_start)
    ) WITH (fillfactor = 70)
    """,
    "CREATE INDEX alert_counts_by_round ON alert_counts (round)",
    """
    CREATE TABLE alerts (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        customer text COLLATE "C" NOT NULL,
        meter text COLLATE "C" NOT NULL,
        kind text NOT NULL CHECK (kind IN ('threshold', 'limit')),
        units bigint NOT NULL CHECK (units >= 0),
        ordinal int NOT NULL CHECK (ordinal > 0),
        used numeric NOT NULL,
        period_start timestamptz NOT NULL,
        period_end timestamptz NOT NULL,
        counted_to timestamptz,
        contract_revision bigint NOT NULL,
        told_at timestamptz NOT NULL,
        published boolean NOT NULL DEFAULT false,
        UNIQUE (customer, meter, period_start, kind, units, ordinal)
    )
    """,
    "CREATE INDEX alerts_unpublished ON alerts (number) WHERE NOT published",
)

COMMENTS = {
    "TABLE alert_turn": "whoever holds this row counts; each round that writes raises it",
    "TABLE alert_cursors": "the ledger of a partition is counted up to this seq",
    "TABLE alert_customers": "customers whose entries are counted, from the period that begins at since",
    "TABLE alert_counts": "charges less reversals of a billing period",
    "TABLE alerts": "every crossing of a threshold or limit; odd ordinals are reached, even ones taken back",
}


def upgrade() -> None:
    """What was told stays told: the app role may only mark it as published."""
    for statement in STATEMENTS:
        op.execute(statement)
    for what, comment in COMMENTS.items():
        op.execute(f"COMMENT ON {what} IS '{comment}'")
    op.execute("REVOKE INSERT, DELETE, TRUNCATE ON alert_turn FROM rating_app")
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON alerts FROM rating_app")
    op.execute("GRANT UPDATE (published) ON alerts TO rating_app")


def downgrade() -> None:
    """Forget what was counted and told."""
    for table in ("alerts", "alert_counts", "alert_customers", "alert_cursors", "alert_turn"):
        op.execute(f"DROP TABLE {table}")
