"""The tables of deliveries, made by the door's own migration in the door's own schema."""

from __future__ import annotations

from collections.abc import Callable

DELIVERIES = """
CREATE TABLE deliveries (
    delivery_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    destination text COLLATE "C" NOT NULL CHECK (length(destination) BETWEEN 1 AND 100),
    record text COLLATE "C" NOT NULL CHECK (length(record) BETWEEN 1 AND 200),
    version bigint NOT NULL,
    kind text COLLATE "C" NOT NULL,
    parents text[] NOT NULL,
    content jsonb NOT NULL,
    caused_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    state text NOT NULL CHECK (state IN ('pending', 'in_flight', 'unclear', 'done', 'refused', 'waiting_for_person',
        'cancelled', 'superseded')),
    calls int NOT NULL DEFAULT 0,
    failures int NOT NULL DEFAULT 0,
    sent_at timestamptz,
    settled_at timestamptz,
    code text NOT NULL DEFAULT '',
    sentence text NOT NULL DEFAULT '',
    reference text,
    UNIQUE (destination, record, version)
) WITH (fillfactor = 80)
"""
COMMENTS = (
    "COMMENT ON COLUMN deliveries.version IS 'orders the states of a record; an older one is never sent over a newer'",
    "COMMENT ON COLUMN deliveries.caused_at IS 'business time of the fact that it follows from'",
    "COMMENT ON COLUMN deliveries.sent_at IS 'process time of the last intent to send'",
    "COMMENT ON COLUMN deliveries.failures IS 'calls in a row that failed: how long the next wait is'",
    "COMMENT ON COLUMN deliveries.reference IS 'the far side''s id of the record'",
)
OPEN = """
CREATE INDEX deliveries_open ON deliveries (destination, record, version)
WHERE state IN ('pending', 'in_flight', 'unclear', 'waiting_for_person')
"""
BY_STATE = "CREATE INDEX deliveries_by_state ON deliveries (state, delivery_id)"

LANES = """
CREATE TABLE delivery_lanes (
    destination text COLLATE "C" NOT NULL,
    record text COLLATE "C" NOT NULL,
    due_at timestamptz,
    waits_for text COLLATE "C",
    owner text,
    fence bigint NOT NULL DEFAULT 0,
    expires_at timestamptz,
    PRIMARY KEY (destination, record)
) WITH (fillfactor = 50)
"""
LANE_COMMENTS = (
    "COMMENT ON COLUMN delivery_lanes.due_at IS 'process time of its next turn; NULL: nothing to do, or it waits'",
    "COMMENT ON COLUMN delivery_lanes.waits_for IS 'the parent that must be there first'",
    "COMMENT ON COLUMN delivery_lanes.fence IS 'grows with every lease: a result with an older one is not stored'",
)
LANE_INDEXES = (
    "CREATE INDEX delivery_lanes_due ON delivery_lanes (destination, due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX delivery_lanes_leased ON delivery_lanes (destination) WHERE owner IS NOT NULL",
    "CREATE INDEX delivery_lanes_waiting ON delivery_lanes (destination, waits_for) WHERE waits_for IS NOT NULL",
)
FENCES = "CREATE SEQUENCE delivery_fences"

DESTINATIONS = """
CREATE TABLE delivery_destinations (
    destination text COLLATE "C" PRIMARY KEY,
    tokens double precision NOT NULL,
    refilled_at timestamptz NOT NULL,
    paused_until timestamptz,
    breaker text NOT NULL DEFAULT 'closed' CHECK (breaker IN ('closed', 'open', 'half_open')),
    breaker_failures int NOT NULL DEFAULT 0,
    breaker_openings int NOT NULL DEFAULT 0,
    breaker_until timestamptz,
    answers bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20)
"""
DESTINATION_COMMENT = (
    "COMMENT ON COLUMN delivery_destinations.answers IS 'calls that were answered or given up: grows while work moves'"
)

JOURNAL = """
CREATE TABLE delivery_journal (
    entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id bigint NOT NULL REFERENCES deliveries,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    call int NOT NULL,
    what text NOT NULL CHECK (what IN ('intends', 'answered', 'superseded', 'driven_again', 'cancelled')),
    act text CHECK (act IN ('send', 'look_up')),
    answer text,
    code text NOT NULL DEFAULT '',
    sentence text NOT NULL DEFAULT '',
    by text NOT NULL
)
"""
JOURNAL_COMMENT = "COMMENT ON COLUMN delivery_journal.by IS 'the replica, or the name of a person''s key'"
JOURNAL_INDEX = "CREATE INDEX delivery_journal_of ON delivery_journal (delivery_id, entry_id)"


def make_tables(execute: Callable[[str], object], *, app_role: str) -> None:
    """
    Make the tables of deliveries; the journal can only be added to by the app role.

    What changes about them later is a function of its own, which a later migration of the door calls.

    Args:
        execute: Alembic's `op.execute`.
        app_role: `<schema>_app`.
    """
    for statement in (
        DELIVERIES,
        *COMMENTS,
        OPEN,
        BY_STATE,
        LANES,
        *LANE_COMMENTS,
        *LANE_INDEXES,
        FENCES,
        DESTINATIONS,
        DESTINATION_COMMENT,
        JOURNAL,
        JOURNAL_COMMENT,
        JOURNAL_INDEX,
        f"REVOKE UPDATE, DELETE ON delivery_journal FROM {app_role}",
        f"REVOKE DELETE ON deliveries FROM {app_role}",
    ):
        execute(statement)
