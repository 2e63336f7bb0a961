"""The catalogue, contracts by revision, keys of commands, quotes, the outbox."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

CUSTOMER = "customer text NOT NULL CHECK (customer ~ '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$')"

STATEMENTS = (
    "CREATE TABLE locks (name text PRIMARY KEY)",
    "INSERT INTO locks VALUES ('catalog'), ('publisher')",
    """
    CREATE TABLE catalogs (
        number integer PRIMARY KEY CHECK (number >= 1),
        document jsonb NOT NULL,
        applied_at timestamptz NOT NULL,
        actor text NOT NULL,
        reason text NOT NULL,
        asked_by text NOT NULL
    )
    """,
    f"""
    CREATE TABLE uses (
        section text NOT NULL,
        key text NOT NULL,
        version integer NOT NULL CHECK (version >= 1),
        {CUSTOMER},
        PRIMARY KEY (section, key, version, customer)
    )
    """,
    f"""
    CREATE TABLE revisions (
        {CUSTOMER},
        revision integer NOT NULL CHECK (revision >= 1),
        document jsonb NOT NULL CHECK (document ->> 'revision' = revision::text),
        command jsonb NOT NULL,
        catalog integer NOT NULL REFERENCES catalogs,
        asked_by text NOT NULL,
        agreed_at timestamptz NOT NULL,
        effective_at timestamptz NOT NULL,
        PRIMARY KEY (customer, revision)
    )
    """,
    """
    CREATE TABLE commands (
        key text PRIMARY KEY,
        fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
        customer text NOT NULL,
        revision integer NOT NULL,
        FOREIGN KEY (customer, revision) REFERENCES revisions DEFERRABLE INITIALLY DEFERRED
    )
    """,
    f"""
    CREATE TABLE quotes (
        quote text PRIMARY KEY,
        {CUSTOMER},
        document jsonb NOT NULL,
        catalog integer NOT NULL REFERENCES catalogs,
        made_at timestamptz NOT NULL,
        asked_by text NOT NULL
    )
    """,
    """
    CREATE TABLE outbox (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        customer text NOT NULL,
        revision integer NOT NULL,
        state text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'published', 'waiting_for_readers', 'superseded')),
        as_version smallint,
        why text,
        published_at timestamptz,
        UNIQUE (customer, revision),
        FOREIGN KEY (customer, revision) REFERENCES revisions,
        CHECK ((state = 'published') = (as_version IS NOT NULL)),
        CHECK ((state = 'waiting_for_readers') = (why IS NOT NULL))
    )
    """,
    "CREATE INDEX outbox_due ON outbox (seq) WHERE state = 'due'",
    "CREATE INDEX outbox_waiting ON outbox (customer, revision) WHERE state = 'waiting_for_readers'",
    # what was agreed is never edited and never deleted
    "REVOKE UPDATE, DELETE ON catalogs, uses, revisions, commands, quotes FROM contracts_app",
    "REVOKE DELETE ON outbox, locks FROM contracts_app",
    "REVOKE INSERT ON locks FROM contracts_app",
)


def upgrade() -> None:
    """Make them."""
    for statement in STATEMENTS:
        op.execute(statement)
