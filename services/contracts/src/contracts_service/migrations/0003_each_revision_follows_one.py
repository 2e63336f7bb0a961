"""
Each revision says which one it follows, and none is followed twice: of two changes at once one is stored.

Its number alone does not tell, since a whole contract of version 1 may leave numbers out.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE revisions ADD COLUMN follows integer",
    """
    UPDATE revisions AS later
    SET follows = coalesce(
        (SELECT max(revision) FROM revisions WHERE customer = later.customer AND revision < later.revision), 0
    )
    """,
    "ALTER TABLE revisions ALTER COLUMN follows SET NOT NULL",
    "ALTER TABLE revisions ADD CHECK (follows >= 0 AND follows < revision)",
    "ALTER TABLE revisions ADD UNIQUE (customer, follows)",
)


def upgrade() -> None:
    """Make it so."""
    for statement in STATEMENTS:
        op.execute(statement)
