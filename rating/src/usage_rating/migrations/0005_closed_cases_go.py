"""Cases may be taken away once they are long closed."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """The right to do so, and an index over those that are closed."""
    op.execute("GRANT DELETE ON cases TO rating_app")
    op.execute("CREATE INDEX cases_closed ON cases (closed_at) WHERE closed_at IS NOT NULL")


def downgrade() -> None:
    """Take both back."""
    op.execute("REVOKE DELETE ON cases FROM rating_app")
    op.execute("DROP INDEX cases_closed")
