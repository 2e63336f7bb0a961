"""Corrections that come to more than was billed are carried by a later invoice; a late change of a contract is one."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"

REVISION = """
ALTER TABLE gatherings ADD COLUMN revision int, ADD COLUMN refund_minor bigint,
    ADD COLUMN paid text NOT NULL DEFAULT 'balance' CHECK (paid IN ('balance', 'refund'))
"""
WEIGHED = "ALTER TABLE periods ADD COLUMN revision_weighed int"
CARRIED = "CREATE INDEX gatherings_carried ON gatherings (customer, carried_by) WHERE document = 'prior_period'"
RESTORED = """
CREATE TABLE restored (
    customer text COLLATE "C" NOT NULL,
    number int NOT NULL,
    holds_from int NOT NULL,
    drawn jsonb NOT NULL,
    PRIMARY KEY (customer, number, holds_from),
    FOREIGN KEY (customer, number) REFERENCES periods
)
"""
COMMENTS = (
    "COMMENT ON TABLE restored IS 'what corrections of a period change in what its invoice drew of prepaid credits'",
    "COMMENT ON COLUMN restored.holds_from IS 'the first period whose invoice finds it so'",
    "COMMENT ON COLUMN restored.drawn IS 'signed minor units for each credit; less than 0: restored'",
    "COMMENT ON COLUMN gatherings.revision IS "
    "'of the contract by which the period was rated again; null: the one by which it was billed'",
    "COMMENT ON COLUMN gatherings.paid IS 'where what is given back of a paid invoice goes'",
    "COMMENT ON COLUMN gatherings.carried_by IS "
    "'the period whose invoice carries it, where it is no credit note; null: no later invoice is to come'",
    "COMMENT ON COLUMN periods.revision_weighed IS "
    "'the contract by which corrections were weighed last; null: the one by which the period was billed'",
)


def upgrade() -> None:
    """What waits already is weighed at the first start."""
    for statement in (REVISION, WEIGHED, CARRIED, RESTORED, *COMMENTS):
        op.execute(statement)


def downgrade() -> None:
    """Take them away; what an invoice carries already stays there."""
    op.execute("DROP TABLE restored")
    op.execute("DROP INDEX gatherings_carried")
    op.execute("ALTER TABLE periods DROP COLUMN revision_weighed")
    op.execute("ALTER TABLE gatherings DROP COLUMN revision, DROP COLUMN refund_minor, DROP COLUMN paid")
