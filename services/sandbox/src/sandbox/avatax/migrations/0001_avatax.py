"""All that the AvaTax stand-in remembers."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE objects (id text PRIMARY KEY, kind text NOT NULL, number bigint NOT NULL, body text NOT NULL)"
    )
    op.execute("CREATE TABLE control (name text PRIMARY KEY, value jsonb NOT NULL)")
