"""All that the stand-in of NetSuite remembers."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE documents (kind text NOT NULL, id text NOT NULL, body text NOT NULL, PRIMARY KEY (kind, id))"
    )
