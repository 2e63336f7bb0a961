"""What did not fit its schema is kept under seal, in a table of its own; a replay says what it changed, and who."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE sealed_contents (
        quarantine_id bigint PRIMARY KEY REFERENCES quarantine,
        key_id text NOT NULL,
        sealed bytea NOT NULL CHECK (length(sealed) > 28),
        kept_at timestamptz NOT NULL
    )
    """,
    "COMMENT ON TABLE sealed_contents IS 'AES-256-GCM: 12 bytes of nonce, ciphertext, tag; bound to its row'",
    "COMMENT ON COLUMN sealed_contents.kept_at IS 'business time of the last delivery; the retention counts from here'",
    "CREATE INDEX sealed_contents_kept_at ON sealed_contents (kept_at)",
    "CREATE INDEX sealed_contents_key ON sealed_contents (key_id, quarantine_id)",
    "ALTER TABLE sealed_contents ALTER COLUMN sealed SET STORAGE EXTERNAL",  # ciphertext does not compress
    "ALTER TABLE quarantine ADD COLUMN replayed_by text, ADD COLUMN changes jsonb",
)


def upgrade() -> None:
    """Make them. The app role may delete sealed contents, and of this schema's tables only them."""
    for statement in STATEMENTS:
        op.execute(statement)
