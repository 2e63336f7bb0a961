"""
The statements of the hot transaction: each takes arrays and touches each row once, by its primary key.

The connection that runs them forbids sequential scans and hash joins (`Connection.steer`), since plans made while
tables are empty would choose them and keep them.
"""

from __future__ import annotations

CLAIM = """
INSERT INTO partitions AS p (partition, topic_id, epoch) VALUES ($1, $2, 1)
ON CONFLICT (partition) DO UPDATE SET epoch = p.epoch + 1
RETURNING p.*
"""

LOCK = "SELECT * FROM partitions WHERE partition = ANY($1::int[]) ORDER BY partition FOR NO KEY UPDATE"

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

NEXT_DUE = """
SELECT i.partition, c.due_at
FROM unnest($1::int[]) AS i (partition)
CROSS JOIN LATERAL (
    SELECT due_at FROM conversations WHERE partition = i.partition AND due_at IS NOT NULL ORDER BY due_at LIMIT 1
) c
"""

SAVE_CONVERSATIONS = """
INSERT INTO conversations AS c (customer, conversation, partition, state, status, due_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bytea[], $5::text[], $6::bigint[])
ON CONFLICT (customer, conversation) DO UPDATE
SET state = excluded.state, status = excluded.status, due_at = excluded.due_at
"""

SAVE_RECORDS = """
INSERT INTO records AS r (customer, meter, subject, partition, state, status)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::bytea[], $6::text[])
ON CONFLICT (customer, meter, subject) DO UPDATE SET state = excluded.state, status = excluded.status
"""

APPEND_ENTRIES = """
INSERT INTO ledger (
    partition, seq, entry_id, customer, subject, subject_kind, meter, op, ordinal, quantity,
    effective_at, caused_at, recorded_at, policy_version, how, reason, signals, reverses
)
SELECT partition, seq, entry_id, customer, subject, subject_kind, meter, op, ordinal, quantity::numeric,
    effective_at, caused_at, recorded_at, policy_version, how, reason, signals::jsonb, reverses
FROM unnest(
    $1::int[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::int[],
    $10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::text[], $15::text[], $16::text[],
    $17::text[], $18::text[]
) AS i (
    partition, seq, entry_id, customer, subject, subject_kind, meter, op, ordinal, quantity,
    effective_at, caused_at, recorded_at, policy_version, how, reason, signals, reverses
)
"""

OPEN_CASES = """
INSERT INTO cases AS c (kind, customer, subject, about, sentence, opened_at)
SELECT kind, customer, subject, about, sentence, $6
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS i (kind, customer, subject, about, sentence)
ON CONFLICT (customer, subject, kind, about) DO UPDATE SET sentence = excluded.sentence, closed_at = NULL
WHERE c.sentence <> excluded.sentence OR c.closed_at IS NOT NULL
"""

CLOSE_CASES = """
UPDATE cases c SET closed_at = $5
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS i (kind, customer, subject, about)
WHERE c.customer = i.customer AND c.subject = i.subject AND c.kind = i.kind AND c.about = i.about
AND c.closed_at IS NULL
"""

MOVE = """
UPDATE partitions p SET
    next_offset = i.next_offset, next_seq = i.next_seq, read_up_to = i.read_up_to, recorded_at = i.recorded_at,
    contracts_applied = i.contracts_applied,
    applied = p.applied + i.applied, duplicate = p.duplicate + i.duplicate,
    conflicting = p.conflicting + i.conflicting, quarantined = p.quarantined + i.quarantined,
    seen = p.seen + i.seen, charged = p.charged + i.charged, not_chargeable = p.not_chargeable + i.not_chargeable,
    pending = p.pending + i.pending, excluded = p.excluded + i.excluded, records = p.records + i.records
FROM unnest(
    $1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
    $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[],
    $16::bigint[]
) AS i (
    partition, next_offset, next_seq, read_up_to, recorded_at, contracts_applied, applied, duplicate, conflicting,
    quarantined, seen, charged, not_chargeable, pending, excluded, records
)
WHERE p.partition = i.partition
"""

MAKE_DUE = """
UPDATE conversations SET due_at = 0 WHERE customer = ANY($1::text[]) AND partition = ANY($2::int[])
AND due_at IS DISTINCT FROM 0
"""

STORE_PUBLISHED = """
UPDATE partitions p SET published_seq = greatest(p.published_seq, i.seq)
FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS i (partition, epoch, seq)
WHERE p.partition = i.partition AND p.epoch = i.epoch
"""

UNPUBLISHED = """
SELECT * FROM ledger WHERE partition = $1 AND seq > $2 ORDER BY seq LIMIT $3
"""
