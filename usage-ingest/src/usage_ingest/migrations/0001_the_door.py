"""Keys, customers, quarantine, positions on the bus."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE api_keys (
        name text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$'),
        sources text[] NOT NULL,
        customers text[] NOT NULL,
        operator boolean NOT NULL,
        quota_per_second double precision CHECK (quota_per_second > 0),
        burst double precision CHECK (burst >= 1),
        created_at timestamptz NOT NULL DEFAULT now(),
        revoked_at timestamptz,
        CHECK ((quota_per_second IS NULL) = (burst IS NULL))
    )
    """,
    """
    CREATE TABLE key_secrets (
        digest bytea PRIMARY KEY CHECK (length(digest) = 32),
        name text NOT NULL REFERENCES api_keys,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz
    )
    """,
    "CREATE INDEX key_secrets_name ON key_secrets (name)",
    """
    CREATE TABLE customers (
        customer text PRIMARY KEY CHECK (customer ~ '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$'),
        origin text NOT NULL CHECK (origin IN ('contract', 'operator')),
        registered_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX customers_registered_at ON customers (registered_at)",
    """
    CREATE TABLE quarantine (
        quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        origin text NOT NULL CHECK (origin IN ('door', 'reader')),
        source text NOT NULL,
        event_id text NOT NULL,
        subject text NOT NULL,
        customer text NOT NULL,
        type text NOT NULL,
        reason text NOT NULL,
        field text,
        sentence text NOT NULL,
        fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
        event jsonb,
        received_at timestamptz NOT NULL,
        last_received_at timestamptz NOT NULL,
        deliveries bigint NOT NULL CHECK (deliveries >= 1),
        key_name text,
        record_topic text,
        record_partition integer,
        record_offset bigint,
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'replayed')),
        replayed_at timestamptz,
        CHECK ((state = 'replayed') = (replayed_at IS NOT NULL)),
        CHECK ((origin = 'reader') = (record_offset IS NOT NULL))
    )
    """,
    # the same event with the same content and the same flaw is one row, however often it is delivered
    """
    CREATE UNIQUE INDEX quarantine_once ON quarantine (source, event_id, reason, fingerprint) WHERE origin = 'door'
    """,
    """
    CREATE UNIQUE INDEX quarantine_record_once ON quarantine (record_topic, record_partition, record_offset)
        WHERE origin = 'reader'
    """,
    "CREATE INDEX quarantine_waiting ON quarantine (quarantine_id) WHERE state = 'waiting'",
    "CREATE INDEX quarantine_customer ON quarantine (customer, quarantine_id)",
    "CREATE INDEX quarantine_reason ON quarantine (reason, quarantine_id)",
    """
    CREATE TABLE bus_positions (
        topic text NOT NULL,
        partition integer NOT NULL,
        next_offset bigint NOT NULL,
        PRIMARY KEY (topic, partition)
    )
    """,
    "REVOKE DELETE ON quarantine, customers, api_keys, key_secrets FROM ingest_app",
)


def upgrade() -> None:
    """Make them."""
    for statement in STATEMENTS:
        op.execute(statement)
