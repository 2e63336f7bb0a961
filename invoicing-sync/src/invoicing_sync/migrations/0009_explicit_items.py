"""Invoice items of our own, from the intent to the draft that has them; how each subscription bills its usage."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"

ITEMS = """
CREATE TABLE explicit_items (
    invoice_id text NOT NULL,
    natural_key text NOT NULL,
    customer text NOT NULL,
    amount_minor bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('intended', 'placed', 'taking')),
    attempt int NOT NULL DEFAULT 1,
    item_id text,
    intended_at timestamptz NOT NULL,
    placed_at timestamptz,
    PRIMARY KEY (invoice_id, natural_key)
)
"""
COMMENTS = (
    "COMMENT ON TABLE explicit_items IS 'amounts of the expected invoice that go onto a draft as invoice items'",
    "COMMENT ON COLUMN explicit_items.state IS "
    "'intended: a call may have been made; placed: Stripe has it; taking: it is being taken off again'",
    "COMMENT ON COLUMN explicit_items.amount_minor IS 'what Stripe was told: another amount there is a person''s'",
)
USAGE_LINES = (
    "ALTER TABLE contracts ADD COLUMN usage_lines text NOT NULL DEFAULT 'stripe' "
    "CHECK (usage_lines IN ('stripe', 'explicit'))",
    "COMMENT ON COLUMN contracts.usage_lines IS "
    "'whether Stripe prices the usage of this subscription, or counts it at price zero'",
)


def upgrade() -> None:
    """Subscriptions that are there bill their usage as they did."""
    for statement in (ITEMS, *COMMENTS, *USAGE_LINES):
        op.execute(statement)


def downgrade() -> None:
    """Take both away."""
    op.execute("DROP TABLE explicit_items")
    op.execute("ALTER TABLE contracts DROP COLUMN usage_lines")
