"""Invoices are compared again once they are finalised, and collected only then; subscriptions keep their drafts."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

STATES = "'open', 'frozen', 'complete', 'held', 'finalising', 'checking', 'collecting', 'finalised', 'voided'"
CHECK = f"""
ALTER TABLE periods DROP CONSTRAINT periods_state_check,
    ADD CONSTRAINT periods_state_check CHECK (state IN ({STATES})), ADD COLUMN payment_failed text
"""
RELEASED = "ALTER TABLE invoices ADD COLUMN released_at timestamptz"
# Before there were two stages, finalising handed an invoice to Stripe's collection: that was its release.
RELEASED_BEFORE = """
UPDATE invoices i SET released_at = p.finalised_at FROM periods p
WHERE p.invoice_id = i.invoice_id AND p.state = 'finalised'
"""
KEPT = """
ALTER TABLE contracts ADD COLUMN kept_as_draft boolean, ADD COLUMN collected_by text NOT NULL DEFAULT 'send_invoice'
"""
COMMENTS = (
    "COMMENT ON COLUMN periods.payment_failed IS 'what Stripe said when the payment method was charged and failed'",
    "COMMENT ON COLUMN invoices.released_at IS 'business time at which it was sent or charged: it is issued from then'",
    "COMMENT ON COLUMN contracts.kept_as_draft IS 'whether Stripe keeps the subscription''s drafts; null: never asked'",
    "COMMENT ON COLUMN contracts.collected_by IS 'the collection method that the subscription has at Stripe'",
)


def upgrade() -> None:
    """Add the states and the columns."""
    for statement in (CHECK, RELEASED, RELEASED_BEFORE, KEPT, *COMMENTS):
        op.execute(statement)


def downgrade() -> None:
    """An earlier version compares and collects nothing after finalising: what is between the stages counts as done."""
    op.execute("UPDATE periods SET state = 'finalised' WHERE state IN ('checking', 'collecting', 'voided')")
    old = "'open', 'frozen', 'complete', 'held', 'finalising', 'finalised'"
    op.execute(
        "ALTER TABLE periods DROP CONSTRAINT periods_state_check, DROP COLUMN payment_failed, "
        f"ADD CONSTRAINT periods_state_check CHECK (state IN ({old}))"
    )
    op.execute("ALTER TABLE invoices DROP COLUMN released_at")
    op.execute("ALTER TABLE contracts DROP COLUMN kept_as_draft, DROP COLUMN collected_by")
