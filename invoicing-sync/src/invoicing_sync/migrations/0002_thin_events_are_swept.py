"""The sweep reads thin events too, from the newest one seen."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """A cursor of their own: their list has no place to go on from."""
    op.execute("ALTER TABLE sweep ADD COLUMN thin_since timestamptz")


def downgrade() -> None:
    """Forget how far the sweep of thin events was: the next one begins where the first sweep did."""
    op.execute("ALTER TABLE sweep DROP COLUMN thin_since")
