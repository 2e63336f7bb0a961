"""All that the sandbox remembers."""

from alembic import op

revision = "0001"
down_revision = None


SCRIPT = """
        CREATE TABLE objects (
            id text PRIMARY KEY, kind text NOT NULL, number bigint NOT NULL, body text NOT NULL
        );
        CREATE TABLE meter_events (
            number bigint PRIMARY KEY, identifier text NOT NULL, event_name text NOT NULL, customer text NOT NULL,
            value numeric NOT NULL, timestamp bigint NOT NULL, received bigint NOT NULL, payload text NOT NULL,
            state text NOT NULL, key text, fingerprint text NOT NULL
        );
        CREATE TABLE answers (
            key text PRIMARY KEY, fingerprint text NOT NULL, status integer NOT NULL, body bytea NOT NULL,
            at bigint NOT NULL
        );
        CREATE TABLE control (name text PRIMARY KEY, value jsonb NOT NULL);
"""


def upgrade() -> None:
    for statement in SCRIPT.split(";\n"):  # asyncpg takes one statement at a time
        if statement.strip():
            op.execute(statement)
