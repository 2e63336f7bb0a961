"""Plans of contracts are carried out: their operations, what Stripe was told, and what was billed before."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"

OPERATIONS = """
CREATE TABLE operations (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer text COLLATE "C" NOT NULL REFERENCES contracts,
    key text COLLATE "C" NOT NULL,
    revision int NOT NULL,
    sentence text NOT NULL,
    needs text[] NOT NULL,
    state text NOT NULL CHECK (state IN ('intended', 'done', 'refused')),
    attempt int NOT NULL DEFAULT 1,
    intended_at timestamptz NOT NULL,
    done_at timestamptz,
    answer text
)
"""
ONE_INTENT = "CREATE UNIQUE INDEX operations_intended ON operations (customer, key) WHERE state = 'intended'"
OPERATIONS_OF = "CREATE INDEX operations_customer ON operations (customer, position)"
TOLD = """
CREATE TABLE told (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer text COLLATE "C" NOT NULL REFERENCES contracts,
    called_at timestamptz NOT NULL,
    told jsonb NOT NULL,
    prorations jsonb NOT NULL DEFAULT '[]'
)
"""
TOLD_OF = "CREATE INDEX told_customer ON told (customer, position)"
BILLED = """
CREATE TABLE billed (
    customer text COLLATE "C" NOT NULL,
    number int NOT NULL,
    billing_day timestamptz NOT NULL,
    invoice_id text NOT NULL,
    drawn jsonb NOT NULL,
    PRIMARY KEY (customer, number),
    FOREIGN KEY (customer, number) REFERENCES periods
)
"""
COLUMNS = ("ALTER TABLE contracts ADD COLUMN plan_at timestamptz", "ALTER TABLE periods ADD COLUMN revision int")
COMMENTS = (
    "COMMENT ON TABLE operations IS 'calls at Stripe that a plan asks for, each stored before it is made'",
    "COMMENT ON COLUMN operations.key IS 'the natural key: planned again, an operation has the same'",
    "COMMENT ON COLUMN operations.attempt IS 'part of the Idempotency-Key: grows after a 5xx and a refusal'",
    "COMMENT ON COLUMN operations.answer IS 'what Stripe said where it refused'",
    "COMMENT ON TABLE told IS 'what Stripe was told of a customer after each call; the last one counts'",
    "COMMENT ON COLUMN told.called_at IS 'business time before the call: an invoice made later has what it told'",
    "COMMENT ON COLUMN told.prorations IS 'the lines that this call makes Stripe put onto its next invoice'",
    "COMMENT ON TABLE billed IS 'invoices of contracts of version 2 that were finalised as expected'",
    "COMMENT ON COLUMN billed.drawn IS 'minor units that each prepaid credit paid there'",
    "COMMENT ON COLUMN contracts.plan_at IS 'when the plan has something to do next; null: nothing is foreseen'",
    "COMMENT ON COLUMN periods.revision IS 'the revision of the contract by which its invoice is expected'",
)


def upgrade() -> None:
    """Contracts of version 1 keep to what they are; nothing of them is planned."""
    for statement in (OPERATIONS, ONE_INTENT, OPERATIONS_OF, TOLD, TOLD_OF, BILLED, *COLUMNS, *COMMENTS):
        op.execute(statement)


def downgrade() -> None:
    """Take it away; contracts of version 2 are not billed by earlier versions."""
    op.execute("ALTER TABLE periods DROP COLUMN revision")
    op.execute("ALTER TABLE contracts DROP COLUMN plan_at")
    for table in ("billed", "told", "operations"):
        op.execute(f"DROP TABLE {table}")
