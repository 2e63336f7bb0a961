"""Corrections are gathered into documents: credit notes, and items on later invoices."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"

GATHERINGS = """
CREATE TABLE gatherings (
    id text COLLATE "C" PRIMARY KEY,
    customer text COLLATE "C" NOT NULL,
    number int NOT NULL,
    gathering int NOT NULL,
    document text NOT NULL CHECK (document IN ('credit_note', 'prior_period')),
    state text NOT NULL CHECK (state IN ('intended', 'refused', 'issued', 'dropped', 'carried', 'billed')),
    currency text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    shares jsonb NOT NULL,
    lines jsonb NOT NULL DEFAULT '[]',
    invoice_id text,
    carried_by int,
    attempt int NOT NULL DEFAULT 1,
    refused text,
    stripe_id text COLLATE "C" UNIQUE,
    stripe_number text,
    lowered_minor bigint,
    balance_minor bigint,
    made_at timestamptz NOT NULL,
    done_at timestamptz,
    UNIQUE (customer, number, gathering),
    FOREIGN KEY (customer, number) REFERENCES periods (customer, number)
)
"""
UNDONE = """
CREATE INDEX gatherings_undone ON gatherings (customer, number) WHERE state IN ('intended', 'refused', 'carried')
"""
GATHERED = """
CREATE TABLE gathered (
    entry_id text COLLATE "C" PRIMARY KEY REFERENCES corrections,
    gathering text COLLATE "C" NOT NULL REFERENCES gatherings,
    amount_minor bigint NOT NULL
)
"""
BY_GATHERING = "CREATE INDEX gathered_gathering ON gathered (gathering)"
APPEND_ONLY = "REVOKE UPDATE, DELETE ON gathered FROM {schema}_app"
KEPT = "REVOKE DELETE ON gatherings FROM {schema}_app"
WEIGHED = "ALTER TABLE periods ADD COLUMN corrections_weighed int"
COMMENTS = (
    "COMMENT ON COLUMN gatherings.id IS 'the effect key: in the metadata of the object at Stripe'",
    "COMMENT ON COLUMN gatherings.number IS 'the period whose corrections it settles'",
    "COMMENT ON COLUMN gatherings.shares IS 'what it settles of each item''s difference, signed minor units'",
    "COMMENT ON COLUMN gatherings.carried_by IS 'the period whose invoice carries it, where it is no credit note'",
    "COMMENT ON COLUMN gatherings.attempt IS 'part of the Idempotency-Key: grows after an answered 5xx or a refusal'",
    "COMMENT ON COLUMN gatherings.made_at IS 'business time of the intent; done_at: when it was issued or billed'",
    "COMMENT ON COLUMN gathered.amount_minor IS 'what the entry changed, in its order of arrival'",
    "COMMENT ON COLUMN periods.corrections_weighed IS "
    "'how many corrections waited when they were last found not to make a document; null: not weighed'",
)


def upgrade() -> None:
    """Two tables and a column; what came late before this is gathered at the first start."""
    for statement in (GATHERINGS, UNDONE, GATHERED, BY_GATHERING, WEIGHED, *COMMENTS):
        op.execute(statement)
    schema = op.get_bind().exec_driver_sql("SELECT current_schema()").scalar_one()
    for statement in (APPEND_ONLY, KEPT):
        op.execute(statement.format(schema=schema))


def downgrade() -> None:
    """Take them away; the credit notes at Stripe stay."""
    op.execute("ALTER TABLE periods DROP COLUMN corrections_weighed")
    op.execute("DROP TABLE gathered, gatherings")
