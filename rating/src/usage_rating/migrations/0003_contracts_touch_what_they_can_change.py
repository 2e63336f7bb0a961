"""Contracts as they were known, what is to be decided again, and an index that finds it without touching the rest."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

CONTRACTS = """
CREATE TABLE contracts (
    customer text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    record_offset bigint NOT NULL,
    fingerprint text NOT NULL,
    document jsonb NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    PRIMARY KEY (customer, revision)
)
"""

# after_*: the row that was decided again last, in the order in which they are walked
REDECISIONS = """
CREATE TABLE redecisions (
    partition int NOT NULL,
    customer text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('conversations', 'records')),
    since bigint NOT NULL,
    after_day int NOT NULL,
    after_name text COLLATE "C" NOT NULL DEFAULT '',
    after_subject text COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (partition, customer, kind)
)
"""

COMMENTS = {
    "TABLE contracts": "every revision that this service has decided by; the first content of a revision counts",
    "COLUMN contracts.record_offset": "where it stood on topic contracts",
    "COLUMN contracts.number": "in the order of keeping: what others have kept is found behind the last one known",
    "TABLE redecisions": "what a new contract can change and what has not been decided again yet",
    "COLUMN redecisions.since": "microseconds: a last signal before it leaves the outcome as it is",
    "COLUMN conversations.last_day": "days since 1970 of the last signal; the largest in rows older than this column",
}

LAST_DAY = "ALTER TABLE conversations ADD COLUMN last_day int NOT NULL DEFAULT 2147483647"

# A day, not the instant: an index on what each signal moves would make no update HOT any more.
BY_LAST_DAY = "CREATE INDEX conversations_by_last_day ON conversations (partition, customer, last_day, conversation)"


def upgrade() -> None:
    """The app role may add contracts, never change or forget one."""
    for statement in (CONTRACTS, REDECISIONS, LAST_DAY, BY_LAST_DAY):
        op.execute(statement)
    for what, comment in COMMENTS.items():
        op.execute(f"COMMENT ON {what} IS '{comment}'")
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON contracts FROM rating_app")
    op.execute("ALTER TABLE cases DROP CONSTRAINT cases_kind_check")
    op.execute(
        "ALTER TABLE cases ADD CONSTRAINT cases_kind_check "
        "CHECK (kind IN ('conflict', 'disagreement', 'contract_conflict'))"
    )
