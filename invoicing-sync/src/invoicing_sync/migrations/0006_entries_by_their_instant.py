"""Deliveries are found by their instant, whoever's they are, to count what is charged with and without a price."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """A few pages, as deliveries come in about the order of their instants; an insert does not feel it."""
    op.execute("CREATE INDEX deliveries_effective ON deliveries USING brin (effective_at) WITH (autosummarize = on)")


def downgrade() -> None:
    """Take it away."""
    op.execute("DROP INDEX deliveries_effective")
