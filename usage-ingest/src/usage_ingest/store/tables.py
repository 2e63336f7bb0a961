"""The tables of schema `ingest` for statements that SQLAlchemy builds; migrations are the truth about their form."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    TIMESTAMP,
    BigInteger,
    Boolean,
    Column,
    Float,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

METADATA = MetaData()
_INSTANT = TIMESTAMP(timezone=True)

API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("sources", ARRAY(Text), nullable=False),
    Column("customers", ARRAY(Text), nullable=False),
    Column("operator", Boolean, nullable=False),
    Column("quota_per_second", Float),  # null: no quota
    Column("burst", Float),
    Column("created_at", _INSTANT, nullable=False),
    Column("revoked_at", _INSTANT),
)

KEY_SECRETS = Table(
    "key_secrets",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", _INSTANT, nullable=False),
    Column("expires_at", _INSTANT),  # set by rotation; process time
)

CUSTOMERS = Table(
    "customers",
    METADATA,
    Column("customer", Text, primary_key=True),
    Column("origin", Text, nullable=False),  # contract | operator
    Column("registered_at", _INSTANT, nullable=False),  # process time
)

QUARANTINE = Table(
    "quarantine",
    METADATA,
    Column("quarantine_id", BigInteger, Identity(), primary_key=True),
    Column("origin", Text, nullable=False),  # door: refused here; reader: handed back by a reader of the bus
    Column("source", Text, nullable=False),  # empty where the event had no valid one, as the next four
    Column("event_id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("field", Text),
    Column("sentence", Text, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("event", JSONB),
    Column("received_at", _INSTANT, nullable=False),  # first, business time
    Column("last_received_at", _INSTANT, nullable=False),
    Column("deliveries", BigInteger, nullable=False),
    Column("key_name", Text),
    Column("record_topic", Text),  # where the record lies, for origin `reader`
    Column("record_partition", Integer),
    Column("record_offset", BigInteger),
    Column("state", Text, nullable=False),  # waiting | replayed
    Column("replayed_at", _INSTANT),
    Column("replayed_by", Text),  # name of the operator's key
    Column("changes", JSONB),  # what the replay changed, in names of the schema; null: nothing
)

SEALED_CONTENTS = Table(
    "sealed_contents",
    METADATA,
    Column("quarantine_id", BigInteger, primary_key=True),
    Column("key_id", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # nonce, ciphertext, tag; see seals.py
    Column("kept_at", _INSTANT, nullable=False),  # business time of the last delivery
)
