"""What retention looks for: old events in order of their time, deliveries of periods that are long settled."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

WEBHOOKS_DONE = "CREATE INDEX webhooks_done ON webhooks (created, event_id) WHERE handled_at IS NOT NULL"
CASES_CLOSED = "CREATE INDEX cases_closed ON cases (closed_at) WHERE closed_at IS NOT NULL"
CASES_OPEN = "CREATE INDEX cases_open ON cases (customer) WHERE closed_at IS NULL"
PRUNED = "ALTER TABLE periods ADD COLUMN deliveries_pruned_at timestamptz, ADD COLUMN deliveries_gone_at timestamptz"
PERIODS_KEPT = (
    "CREATE INDEX periods_kept ON periods (finalised_at) WHERE state = 'finalised' AND deliveries_gone_at IS NULL"
)
# Entries come in about the order of their instants, so this index is a few pages and costs an insert nothing to speak
# of. It finds what is behind a line once the period's deliveries are gone, which is rare and may take a second.
ENTRIES_BY_TIME = "CREATE INDEX entries_effective ON entries USING brin (effective_at) WITH (autosummarize = on)"
COMMENTS = (
    "COMMENT ON COLUMN periods.deliveries_pruned_at IS 'from now on its entries tell what is behind its lines'",
    "COMMENT ON COLUMN periods.deliveries_gone_at IS 'the last of its settled deliveries has been taken away'",
)


def upgrade() -> None:
    """Add indexes and the mark."""
    for statement in (WEBHOOKS_DONE, CASES_CLOSED, CASES_OPEN, PRUNED, PERIODS_KEPT, ENTRIES_BY_TIME, *COMMENTS):
        op.execute(statement)


def downgrade() -> None:
    """Take them away."""
    for name in ("webhooks_done", "cases_closed", "cases_open", "periods_kept", "entries_effective"):
        op.execute(f"DROP INDEX {name}")
    op.execute("ALTER TABLE periods DROP COLUMN deliveries_pruned_at, DROP COLUMN deliveries_gone_at")
