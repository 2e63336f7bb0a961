"""A whole contract can be agreed on where nothing is offered yet: its revision was decided by no catalogue."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let it be null."""
    op.execute("ALTER TABLE revisions ALTER COLUMN catalog DROP NOT NULL")
