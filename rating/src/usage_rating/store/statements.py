"""
The statements of the hot path: each takes arrays and touches each row once, by its primary key.

A transaction is one statement (`WRITE`, `APPLY_CONTRACTS`): it locks the rows of its partitions, checks that they stand
where this owner left them, and writes everything or nothing. What it rests on was loaded before, without a lock: as
long as the epoch is this owner's, nobody else has changed a conversation of these partitions. So a transaction costs
two round trips instead of seven, and an owner that stops in between holds no lock.

The connection that runs them forbids sequential scans and hash joins (`steer`), since plans made while tables are empty
would choose them and keep them.
"""

from __future__ import annotations

CLAIM = """
INSERT INTO partitions AS p (partition, topic_id, epoch) VALUES ($1, $2, 1)
ON CONFLICT (partition) DO UPDATE SET epoch = p.epoch + 1
RETURNING p.*
"""

LOAD_CONVERSATIONS = """
SELECT i.place::int - 1, c.state, c.status, c.due_at
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS i (customer, conversation, place)
JOIN conversations c ON c.customer = i.customer AND c.conversation = i.conversation
"""

LOAD_RECORDS = """
SELECT i.place::int - 1, r.state, r.status
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS i (customer, meter, subject, place)
JOIN records r ON r.customer = i.customer AND r.meter = i.meter AND r.subject = i.subject
"""

LOAD_DUE = """
SELECT c.customer, c.conversation, c.partition, c.state, c.status, c.due_at
FROM unnest($1::int[], $2::bigint[]) AS i (partition, read_up_to)
CROSS JOIN LATERAL (
    SELECT * FROM conversations WHERE partition = i.partition AND due_at <= i.read_up_to ORDER BY due_at LIMIT $3
) c
LIMIT $3
"""

LOAD_DUE_RECORDS = """
SELECT customer, meter, subject, partition, state, status FROM records
WHERE partition = ANY($1::int[]) AND due LIMIT $2
"""

NEXT_DUE = """
SELECT i.partition, least(
    (SELECT due_at FROM conversations WHERE partition = i.partition AND due_at IS NOT NULL ORDER BY due_at LIMIT 1),
    (SELECT 0::bigint FROM records WHERE partition = i.partition AND due LIMIT 1)
) AS due_at
FROM unnest($1::int[]) AS i (partition)
"""

OWNED = """
owned AS MATERIALIZED (
    SELECT p.partition FROM partitions p
    JOIN unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[]) AS o (partition, epoch, next_offset, next_seq)
    ON p.partition = o.partition AND p.epoch = o.epoch AND p.next_offset = o.next_offset AND p.next_seq = o.next_seq
    ORDER BY p.partition FOR NO KEY UPDATE OF p
),
allowed AS MATERIALIZED (SELECT count(*) = cardinality($1) AS yes FROM owned)
"""

# The parts of a transaction. Each writes only where every partition stands as its owner left it (`allowed`).
_SAVE_CONVERSATIONS = """
conversations_saved AS (
    INSERT INTO conversations (customer, conversation, partition, state, status, due_at, last_day)
    SELECT * FROM unnest($5::text[], $6::text[], $7::int[], $8::bytea[], $9::text[], $10::bigint[], $59::int[])
    WHERE (SELECT yes FROM allowed)
    ON CONFLICT (customer, conversation) DO UPDATE
    SET state = excluded.state, status = excluded.status, due_at = excluded.due_at, last_day = excluded.last_day
)
"""

_SAVE_RECORDS = """
records_saved AS (
    INSERT INTO records (customer, meter, subject, partition, state, status)
    SELECT * FROM unnest($11::text[], $12::text[], $13::text[], $14::int[], $15::bytea[], $16::text[])
    WHERE (SELECT yes FROM allowed)
    ON CONFLICT (customer, meter, subject) DO UPDATE
    SET state = excluded.state, status = excluded.status, due = false
)
"""

_APPEND_ENTRIES = """
appended AS (
    INSERT INTO ledger (
        partition, seq, entry_id, customer, subject, subject_kind, meter, op, ordinal, quantity,
        effective_at, caused_at, recorded_at, policy_version, how, reason, signals, reverses
    )
    SELECT partition, seq, entry_id, customer, subject, subject_kind, meter, op, ordinal, quantity::numeric,
        effective_at, caused_at, recorded_at, policy_version, how, reason, signals::jsonb, reverses
    FROM unnest(
        $17::int[], $18::bigint[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[], $24::text[],
        $25::int[], $26::text[], $27::timestamptz[], $28::timestamptz[], $29::timestamptz[], $30::text[], $31::text[],
        $32::text[], $33::text[], $34::text[]
    ) AS i (
        partition, seq, entry_id, customer, subject, subject_kind, meter, op, ordinal, quantity,
        effective_at, caused_at, recorded_at, policy_version, how, reason, signals, reverses
    )
    WHERE (SELECT yes FROM allowed)
)
"""

_OPEN_CASES = """
cases_opened AS (
    INSERT INTO cases AS c (kind, customer, subject, about, sentence, opened_at)
    SELECT kind, customer, subject, about, sentence, $44
    FROM unnest($35::text[], $36::text[], $37::text[], $38::text[], $39::text[])
        AS i (kind, customer, subject, about, sentence)
    WHERE (SELECT yes FROM allowed)
    ON CONFLICT (customer, subject, kind, about) DO UPDATE SET sentence = excluded.sentence, closed_at = NULL
    WHERE c.sentence <> excluded.sentence OR c.closed_at IS NOT NULL
)
"""

_CLOSE_CASES = """
cases_closed AS (
    UPDATE cases c SET closed_at = $44
    FROM unnest($40::text[], $41::text[], $42::text[], $43::text[]) AS i (kind, customer, subject, about)
    WHERE c.customer = i.customer AND c.subject = i.subject AND c.kind = i.kind AND c.about = i.about
    AND c.closed_at IS NULL AND (SELECT yes FROM allowed)
)
"""

_MOVE_ON = """
moved AS (
    UPDATE partitions p SET
        next_offset = i.next_offset, next_seq = i.next_seq, read_up_to = i.read_up_to, recorded_at = i.recorded_at,
        applied = p.applied + i.applied, duplicate = p.duplicate + i.duplicate,
        conflicting = p.conflicting + i.conflicting, quarantined = p.quarantined + i.quarantined,
        seen = p.seen + i.seen, charged = p.charged + i.charged, not_chargeable = p.not_chargeable + i.not_chargeable,
        pending = p.pending + i.pending, excluded = p.excluded + i.excluded, records = p.records + i.records,
        last_day = i.last_day
    FROM unnest(
        $1::int[], $45::bigint[], $46::bigint[], $47::bigint[], $48::bigint[], $49::bigint[], $50::bigint[],
        $51::bigint[], $52::bigint[], $53::bigint[], $54::bigint[], $55::bigint[], $56::bigint[], $57::bigint[],
        $58::bigint[], $60::int[]
    ) AS i (
        partition, next_offset, next_seq, read_up_to, recorded_at, applied, duplicate, conflicting, quarantined,
        seen, charged, not_chargeable, pending, excluded, records, last_day
    )
    WHERE p.partition = i.partition AND (SELECT yes FROM allowed)
)
"""

_PARTS = (OWNED, _SAVE_CONVERSATIONS, _SAVE_RECORDS, _APPEND_ENTRIES, _OPEN_CASES, _CLOSE_CASES, _MOVE_ON)
_WRITE = f"WITH {', '.join(_PARTS)}"

WRITE = f"{_WRITE} SELECT yes FROM allowed"

# as WRITE, and the walks through a customer's rows move on or come to their end with it
WRITE_DECIDED_AGAIN = f"""
{_WRITE},
walked AS (
    UPDATE redecisions r SET after_name = i.after_name, after_subject = i.after_subject
    FROM unnest($61::int[], $62::text[], $63::text[], $64::text[], $65::text[])
        AS i (partition, customer, kind, after_name, after_subject)
    WHERE r.partition = i.partition AND r.customer = i.customer AND r.kind = i.kind AND (SELECT yes FROM allowed)
),
ended AS (
    DELETE FROM redecisions r USING unnest($66::int[], $67::text[], $68::text[]) AS i (partition, customer, kind)
    WHERE r.partition = i.partition AND r.customer = i.customer AND r.kind = i.kind AND (SELECT yes FROM allowed)
)
SELECT yes FROM allowed
"""

# Where a customer has no row at all there is nothing to walk; a walk under way begins again.
APPLY_CONTRACTS = f"""
WITH {OWNED},
begun AS (
    INSERT INTO redecisions AS r (partition, customer, kind, since)
    SELECT i.partition, i.customer, i.kind, i.since
    FROM unnest($5::int[], $6::text[], $7::text[], $8::bigint[]) AS i (partition, customer, kind, since)
    WHERE (SELECT yes FROM allowed) AND CASE i.kind
        WHEN 'conversations' THEN EXISTS (SELECT FROM conversations c WHERE c.customer = i.customer)
        ELSE EXISTS (SELECT FROM records c WHERE c.customer = i.customer)
    END
    ON CONFLICT (partition, customer, kind) DO UPDATE
    SET since = least(r.since, excluded.since), after_name = '', after_subject = ''
),
moved AS (
    UPDATE partitions SET contracts_applied = $9 WHERE partition = ANY($1::int[]) AND (SELECT yes FROM allowed)
)
SELECT yes FROM allowed
"""

REDECISIONS = """
SELECT partition, customer, kind, since, after_name, after_subject FROM redecisions
WHERE partition = ANY($1::int[]) ORDER BY partition, customer, kind
"""

# Bounded twice: so many rows are looked at ($5), so many of them are fetched to be decided ($6). The inner order is
# that of the primary key, so reading stops at whichever bound comes first.
LOAD_CONVERSATIONS_AGAIN = """
SELECT a.place::int - 1 AS place, c.*
FROM unnest($1::text[], $2::text[], $3::int[]) WITH ORDINALITY AS a (customer, after_name, first_day, place)
CROSS JOIN LATERAL (
    SELECT partition, conversation, state, status, due_at FROM (
        SELECT * FROM conversations WHERE customer = a.customer AND conversation > a.after_name
        ORDER BY conversation LIMIT $5
    ) looked_at
    WHERE last_day >= a.first_day AND partition = ANY($4::int[]) ORDER BY conversation LIMIT $6
) c
"""

LAST_LOOKED_AT = """
SELECT a.place::int - 1 AS place, (
    SELECT conversation FROM conversations WHERE customer = a.customer AND conversation > a.after_name
    ORDER BY conversation OFFSET $3 - 1 LIMIT 1
) AS conversation
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS a (customer, after_name, place)
"""

LOAD_RECORDS_AGAIN = """
SELECT a.place::int - 1 AS place, r.*
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS a (customer, after_meter, after_subject, place)
CROSS JOIN LATERAL (
    SELECT partition, meter, subject, state, status FROM records
    WHERE customer = a.customer AND (meter, subject) > (a.after_meter, a.after_subject)
    ORDER BY meter, subject LIMIT $4
) r
"""

STORE_PUBLISHED = """
UPDATE partitions p SET published_seq = greatest(p.published_seq, i.seq)
FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS i (partition, epoch, seq)
WHERE p.partition = i.partition AND p.epoch = i.epoch
"""

UNPUBLISHED = """
SELECT * FROM ledger WHERE partition = $1 AND seq > $2 ORDER BY seq LIMIT $3
"""
