"""Who closed a case and why; since when a delivery waits for nothing but its turn."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

CLOSED_BY = "ALTER TABLE cases ADD COLUMN closed_by text, ADD COLUMN closed_reason text"
DUE_SINCE = "ALTER TABLE deliveries ADD COLUMN due_since timestamptz NOT NULL DEFAULT now()"
COMMENTS = (
    "COMMENT ON COLUMN cases.closed_by IS 'the person who closed it; null where it closed by itself'",
    "COMMENT ON COLUMN deliveries.due_since IS 'process time since which it waits for its turn alone'",
)


def upgrade() -> None:
    """Add the columns; a delivery that is there already counts as due from now on."""
    for statement in (CLOSED_BY, DUE_SINCE, *COMMENTS):
        op.execute(statement)


def downgrade() -> None:
    """Forget who closed what, and how long deliveries wait."""
    op.execute("ALTER TABLE cases DROP COLUMN closed_by, DROP COLUMN closed_reason")
    op.execute("ALTER TABLE deliveries DROP COLUMN due_since")
