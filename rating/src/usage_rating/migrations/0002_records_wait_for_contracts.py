"""Records of a customer whose contract is new or changed are decided again, as conversations are."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """A mark on the row, and an index that holds the marked ones only."""
    op.execute("ALTER TABLE records ADD COLUMN due boolean NOT NULL DEFAULT false")
    op.execute("CREATE INDEX records_due ON records (partition) WHERE due")
    op.execute("COMMENT ON COLUMN records.due IS 'the contract has changed: to be decided again'")
