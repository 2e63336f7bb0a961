"""A complete period keeps what was charged and what was reversed, in the parts over which its terms hold."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Periods that were complete before have the net of each meter alone: null here."""
    op.execute("ALTER TABLE periods ADD COLUMN used jsonb")
    op.execute(
        "COMMENT ON COLUMN periods.used IS "
        "'the frozen set by meter and part of the period: meter, from, until, charged, reversed, as decimal strings'"
    )


def downgrade() -> None:
    """Take it away."""
    op.execute("ALTER TABLE periods DROP COLUMN used")
