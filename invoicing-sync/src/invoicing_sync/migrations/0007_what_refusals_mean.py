"""Deliveries remember what their refusals meant: the assumption spoken against, and that an event is not cancelled."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Two columns whose values are constant where nothing was refused: no row is written."""
    op.execute(
        "ALTER TABLE deliveries ADD COLUMN assumptions text[], ADD COLUMN cancel_refused boolean NOT NULL DEFAULT false"
    )
    op.execute(
        "COMMENT ON COLUMN deliveries.assumptions IS "
        "'numbers of the assumptions about Stripe that its refusals speak against; null: none was refused so'"
    )
    op.execute(
        "COMMENT ON COLUMN deliveries.cancel_refused IS "
        "'Stripe refused the adjustment: the reversal goes out as a negative event'"
    )


def downgrade() -> None:
    """Take them away."""
    op.execute("ALTER TABLE deliveries DROP COLUMN assumptions, DROP COLUMN cancel_refused")
