"""Partitions, conversations, records, the ledger and cases."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

RECORD_TABLES = 8

PARTITIONS = """
CREATE TABLE partitions (
    partition int PRIMARY KEY,
    topic_id text NOT NULL,
    epoch bigint NOT NULL,
    next_offset bigint NOT NULL DEFAULT 0,
    next_seq bigint NOT NULL DEFAULT 1,
    read_up_to bigint NOT NULL DEFAULT 0,
    recorded_at bigint NOT NULL DEFAULT 0,
    published_seq bigint NOT NULL DEFAULT 0,
    contracts_applied bigint NOT NULL DEFAULT 0,
    applied bigint NOT NULL DEFAULT 0,
    duplicate bigint NOT NULL DEFAULT 0,
    conflicting bigint NOT NULL DEFAULT 0,
    quarantined bigint NOT NULL DEFAULT 0,
    seen bigint NOT NULL DEFAULT 0,
    charged bigint NOT NULL DEFAULT 0,
    not_chargeable bigint NOT NULL DEFAULT 0,
    pending bigint NOT NULL DEFAULT 0,
    excluded bigint NOT NULL DEFAULT 0,
    records bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20)
"""

COMMENTS = """
COMMENT ON COLUMN partitions.next_seq IS 'the sequence number that the next ledger entry gets';
COMMENT ON COLUMN partitions.read_up_to IS 'microseconds since 1970 of business time: all up to here is known';
COMMENT ON COLUMN partitions.recorded_at IS 'microseconds: the latest recorded_at given to an entry, never going back';
COMMENT ON COLUMN partitions.published_seq IS 'all entries up to here are confirmed on usage.rated';
COMMENT ON COLUMN partitions.contracts_applied IS 'contracts below this offset have made their conversations due'
"""

# "C": compared byte by byte, as Python sorts, and three times as fast as a locale's order.
CONVERSATIONS = """
CREATE TABLE conversations (
    customer text COLLATE "C" NOT NULL,
    conversation text COLLATE "C" NOT NULL,
    partition int NOT NULL,
    state bytea NOT NULL,
    status text COLLATE "C" NOT NULL CHECK (status IN ('charged', 'not_chargeable', 'pending', 'excluded')),
    due_at bigint,
    PRIMARY KEY (customer, conversation)
) WITH (fillfactor = 70)
"""

DUE = "CREATE INDEX conversations_due ON conversations (partition, due_at) WHERE due_at IS NOT NULL"

RECORDS = """
CREATE TABLE records (
    customer text COLLATE "C" NOT NULL,
    meter text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    partition int NOT NULL,
    state bytea NOT NULL,
    status text COLLATE "C" NOT NULL CHECK (status IN ('charged', 'not_chargeable', 'pending')),
    PRIMARY KEY (customer, meter, subject)
) PARTITION BY HASH (customer, meter, subject)
"""

LEDGER = """
CREATE TABLE ledger (
    partition int NOT NULL,
    seq bigint NOT NULL,
    entry_id text COLLATE "C" NOT NULL,
    customer text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    subject_kind text NOT NULL CHECK (subject_kind IN ('conversation', 'record')),
    meter text COLLATE "C" NOT NULL,
    op text NOT NULL CHECK (op IN ('charge', 'reverse')),
    ordinal int NOT NULL CHECK (ordinal > 0),
    quantity numeric NOT NULL CHECK (quantity > 0),
    effective_at timestamptz NOT NULL,
    caused_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    policy_version text NOT NULL,
    how text,
    reason text,
    signals jsonb NOT NULL,
    reverses text,
    PRIMARY KEY (partition, seq),
    CONSTRAINT ledger_entry_id UNIQUE (entry_id),
    CHECK ((op = 'charge') = (how IS NOT NULL)),
    CHECK ((op = 'reverse') = (reason IS NOT NULL)),
    CHECK ((op = 'reverse') = (reverses IS NOT NULL))
)
"""

LEDGER_BY_CUSTOMER = "CREATE INDEX ledger_by_customer ON ledger (customer, effective_at, entry_id)"

CASES = """
CREATE TABLE cases (
    case_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('conflict', 'disagreement')),
    customer text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    about text COLLATE "C" NOT NULL,
    sentence text NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    UNIQUE (customer, subject, kind, about)
)
"""

INSTANCE = """
CREATE TABLE instance (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    ledger_id uuid NOT NULL DEFAULT gen_random_uuid()
)
"""


def upgrade() -> None:
    """Make everything; the app role may append to the ledger and read it, and nothing else."""
    for statement in (PARTITIONS, *COMMENTS.split(";"), CONVERSATIONS, DUE, RECORDS):
        op.execute(statement)
    for number in range(RECORD_TABLES):
        op.execute(
            f"CREATE TABLE records_{number} PARTITION OF records "
            f"FOR VALUES WITH (MODULUS {RECORD_TABLES}, REMAINDER {number}) WITH (fillfactor = 80)"
        )
    for statement in (LEDGER, LEDGER_BY_CUSTOMER, CASES, INSTANCE, "INSERT INTO instance DEFAULT VALUES"):
        op.execute(statement)
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON ledger FROM rating_app")
    op.execute("REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON instance FROM rating_app")
    op.execute("REVOKE DELETE, TRUNCATE ON partitions, conversations, records, cases FROM rating_app")
