"""The tables of schema `contracts` for statements that SQLAlchemy builds; migrations are the truth about their form."""

from __future__ import annotations

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Column,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

METADATA = MetaData()
_INSTANT = TIMESTAMP(timezone=True)

LOCKS = Table("locks", METADATA, Column("name", Text, primary_key=True))  # catalog | publisher

CATALOGS = Table(
    "catalogs",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("document", JSONB, nullable=False),  # a KeptCatalog: every version of every entry
    Column("applied_at", _INSTANT, nullable=False),  # business time
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_by", Text, nullable=False),  # name of the key
)

USES = Table(
    "uses",
    METADATA,
    Column("section", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("customer", Text, primary_key=True),
)

REVISIONS = Table(
    "revisions",
    METADATA,
    Column("customer", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("follows", Integer, nullable=False),  # the revision before it, 0 for the first; followed once
    Column("document", JSONB, nullable=False),  # the whole contract, version 2
    Column("command", JSONB, nullable=False),
    Column("catalog", Integer),  # number of the catalogue that it was decided by; null: nothing was offered yet
    Column("asked_by", Text, nullable=False),
    Column("agreed_at", _INSTANT, nullable=False),
    Column("effective_at", _INSTANT, nullable=False),
)

COMMANDS = Table(
    "commands",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("customer", Text, nullable=False),
    Column("revision", Integer, nullable=False),
)

QUOTES = Table(
    "quotes",
    METADATA,
    Column("quote", Text, primary_key=True),
    Column("customer", Text, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("catalog", Integer, nullable=False),  # the prices of the quote are those of this one
    Column("made_at", _INSTANT, nullable=False),
    Column("asked_by", Text, nullable=False),
)

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("seq", BigInteger, Identity(), primary_key=True),
    Column("customer", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),  # due | published | waiting_for_readers | superseded
    Column("as_version", SmallInteger),  # of the contract on the bus
    Column("why", Text),  # why it waits
    Column("published_at", _INSTANT),  # business time
)
