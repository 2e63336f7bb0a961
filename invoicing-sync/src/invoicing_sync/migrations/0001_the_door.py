"""Entries, deliveries, lanes; contracts and links; periods, corrections, cases; webhooks; reconciliations."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

ENTRIES = """
CREATE TABLE entries (
    entry_id text COLLATE "C" PRIMARY KEY CHECK (length(entry_id) BETWEEN 1 AND 100),
    partition int NOT NULL,
    seq bigint NOT NULL,
    customer text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    subject_kind text NOT NULL CHECK (subject_kind IN ('conversation', 'record')),
    meter text COLLATE "C" NOT NULL,
    op text NOT NULL CHECK (op IN ('charge', 'reverse')),
    ordinal int NOT NULL,
    quantity numeric NOT NULL CHECK (quantity >= 0),
    effective_at timestamptz NOT NULL,
    caused_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    cause jsonb NOT NULL,
    UNIQUE (partition, seq)
)
"""

# The column order keeps the fixed-width ones together; fillfactor leaves room for the updates of a delivery's life.
DELIVERIES = """
CREATE TABLE deliveries (
    identifier text COLLATE "C" PRIMARY KEY REFERENCES entries,
    position bigint GENERATED ALWAYS AS IDENTITY,
    customer text COLLATE "C" NOT NULL,
    meter text COLLATE "C" NOT NULL,
    value numeric NOT NULL,
    effective_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    not_before timestamptz NOT NULL,
    period_end timestamptz,
    reverses text COLLATE "C",
    state text NOT NULL CHECK (state IN ('waiting_for_contract', 'waiting_for_charge', 'pending', 'in_flight',
        'unclear', 'delivered', 'refused', 'netted', 'cancelled', 'correction')),
    way text NOT NULL DEFAULT 'v1' CHECK (way IN ('v1', 'stream')),
    cancels boolean NOT NULL DEFAULT false,
    attempt int NOT NULL DEFAULT 1,
    calls int NOT NULL DEFAULT 0,
    sent_at timestamptz,
    received_at timestamptz,
    settled_at timestamptz,
    result text
) WITH (fillfactor = 70)
"""
DELIVERY_COMMENTS = (
    "COMMENT ON COLUMN deliveries.identifier IS 'the effect key: the ledger entry''s id and Stripe''s identifier'",
    "COMMENT ON COLUMN deliveries.value IS 'signed: what this effect adds to the meter'",
    "COMMENT ON COLUMN deliveries.not_before IS 'business time before which Stripe would refuse the timestamp'",
    "COMMENT ON COLUMN deliveries.cancels IS 'the call is an adjustment that takes out the event of the charge'",
    "COMMENT ON COLUMN deliveries.attempt IS 'part of the Idempotency-Key: grows after an answered 5xx'",
    "COMMENT ON COLUMN deliveries.sent_at IS 'business time of the first call that Stripe may have received'",
    "COMMENT ON COLUMN deliveries.received_at IS 'business time at which Stripe answered'",
    "COMMENT ON COLUMN deliveries.settled_at IS 'process time at which nothing more was to be done'",
)
OPEN_LANES = """
CREATE INDEX deliveries_open ON deliveries (customer, meter, position)
WHERE state IN ('pending', 'in_flight', 'unclear')
"""
OPEN_PERIODS = """
CREATE INDEX deliveries_unsettled ON deliveries (customer, period_end)
WHERE state IN ('waiting_for_charge', 'pending', 'in_flight', 'unclear')
"""
DELIVERIES_BY_PERIOD = "CREATE INDEX deliveries_period ON deliveries (customer, period_end, meter, effective_at)"
WAITING = """
CREATE INDEX deliveries_waiting ON deliveries (customer, position) WHERE state = 'waiting_for_contract'
"""
WAITING_FOR_CHARGE = """
CREATE INDEX deliveries_waiting_for_charge ON deliveries (reverses) WHERE state = 'waiting_for_charge'
"""

LANES = """
CREATE TABLE lanes (
    customer text COLLATE "C" NOT NULL,
    meter text COLLATE "C" NOT NULL,
    owner text NOT NULL,
    epoch bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (customer, meter)
) WITH (fillfactor = 50)
"""
INSTANCES = """
CREATE TABLE instances (
    name text PRIMARY KEY,
    epoch bigint NOT NULL,
    expires_at timestamptz NOT NULL
)
"""
EPOCHS = "CREATE SEQUENCE epochs"
ROLES = """
CREATE TABLE roles (
    role text PRIMARY KEY,
    owner text NOT NULL,
    epoch bigint NOT NULL,
    expires_at timestamptz NOT NULL
)
"""

OFFSETS = """
CREATE TABLE offsets (
    topic text NOT NULL,
    topic_id text NOT NULL,
    partition int NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (topic, topic_id, partition)
)
"""
PROGRESS = """
CREATE TABLE progress (
    partition int PRIMARY KEY,
    topic_id text NOT NULL,
    read_up_to timestamptz NOT NULL,
    seq bigint NOT NULL,
    held_up_to bigint NOT NULL DEFAULT 0,
    held_recorded_at timestamptz
)
"""

CONTRACTS = """
CREATE TABLE contracts (
    customer text COLLATE "C" PRIMARY KEY,
    revision int NOT NULL,
    document jsonb NOT NULL,
    handled_revision int NOT NULL DEFAULT 0,
    applied_revision int,
    applied jsonb,
    billing_anchor timestamptz,
    billed_from timestamptz,
    stripe_customer text,
    stripe_subscription text
)
"""
CONTRACT_COMMENTS = (
    "COMMENT ON COLUMN contracts.document IS 'the latest revision seen on the bus'",
    "COMMENT ON COLUMN contracts.applied IS 'the revision that Stripe bills by: invoices are expected from it'",
    "COMMENT ON COLUMN contracts.billed_from IS 'start of the first period that Stripe bills usage for'",
    "COMMENT ON COLUMN contracts.handled_revision IS 'the latest revision applied, or set aside with a case'",
)
CONTRACTS_BY_SUBSCRIPTION = "CREATE UNIQUE INDEX contracts_subscription ON contracts (stripe_subscription)"
CONTRACTS_BY_STRIPE_CUSTOMER = "CREATE UNIQUE INDEX contracts_stripe_customer ON contracts (stripe_customer)"
STRIPE_LINKS = """
CREATE TABLE stripe_links (
    kind text NOT NULL,
    natural_key text COLLATE "C" NOT NULL,
    stripe_id text,
    intended_at timestamptz NOT NULL,
    attempt int NOT NULL DEFAULT 1,
    secret text,
    PRIMARY KEY (kind, natural_key)
)
"""
LINKS_BY_ID = "CREATE INDEX stripe_links_id ON stripe_links (stripe_id)"

PERIODS = """
CREATE TABLE periods (
    customer text COLLATE "C" NOT NULL REFERENCES contracts,
    number int NOT NULL,
    period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL,
    freeze_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'frozen', 'complete', 'held', 'finalising', 'finalised')),
    frozen_at timestamptz,
    ledger jsonb,
    invoice_id text,
    attempt int NOT NULL DEFAULT 1,
    held_reason text,
    differs_since timestamptz,
    finalised_at timestamptz,
    PRIMARY KEY (customer, number)
)
"""
PERIOD_COMMENTS = (
    "COMMENT ON COLUMN periods.number IS '-1: the first invoice, which has advance lines and no usage'",
    "COMMENT ON COLUMN periods.ledger IS 'net quantity by meter of the frozen set, as decimal strings'",
    "COMMENT ON COLUMN periods.differs_since IS 'process time; a difference that lasts is a case'",
)
PERIODS_UNDONE = "CREATE INDEX periods_undone ON periods (freeze_at) WHERE state <> 'finalised'"
PERIODS_BY_END = "CREATE INDEX periods_end ON periods (customer, period_end)"

INVOICES = """
CREATE TABLE invoices (
    invoice_id text COLLATE "C" PRIMARY KEY,
    customer text COLLATE "C" NOT NULL,
    billing_reason text NOT NULL,
    period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL,
    status text NOT NULL,
    number text,
    currency text NOT NULL,
    subtotal_minor bigint NOT NULL,
    total_minor bigint NOT NULL,
    auto_advance boolean NOT NULL,
    lines jsonb NOT NULL,
    read_at timestamptz NOT NULL
)
"""
INVOICES_BY_CUSTOMER = "CREATE INDEX invoices_customer ON invoices (customer, period_end)"

CORRECTIONS = """
CREATE TABLE corrections (
    entry_id text COLLATE "C" PRIMARY KEY REFERENCES entries,
    customer text COLLATE "C" NOT NULL,
    meter text COLLATE "C" NOT NULL,
    value numeric NOT NULL,
    period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL,
    reason text NOT NULL,
    recorded_at timestamptz NOT NULL
)
"""
CORRECTIONS_BY_PERIOD = "CREATE INDEX corrections_period ON corrections (customer, period_end)"
CASES = """
CREATE TABLE cases (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    natural_key text NOT NULL,
    customer text,
    detail jsonb NOT NULL,
    count bigint NOT NULL DEFAULT 1,
    opened_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    closed_at timestamptz,
    UNIQUE (kind, natural_key)
)
"""

WEBHOOKS = """
CREATE TABLE webhooks (
    event_id text COLLATE "C" PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY,
    type text NOT NULL,
    thin boolean NOT NULL,
    created timestamptz NOT NULL,
    body jsonb NOT NULL,
    came_by text NOT NULL CHECK (came_by IN ('webhook', 'sweep')),
    deliveries int NOT NULL DEFAULT 1,
    received_at timestamptz NOT NULL,
    published_at timestamptz,
    handled_at timestamptz
)
"""
WEBHOOKS_UNPUBLISHED = "CREATE INDEX webhooks_unpublished ON webhooks (position) WHERE published_at IS NULL"
WEBHOOKS_UNHANDLED = "CREATE INDEX webhooks_unhandled ON webhooks (position) WHERE handled_at IS NULL"
SWEEP = """
CREATE TABLE sweep (
    id int PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    since timestamptz NOT NULL,
    after_event text
)
"""

RECONCILIATIONS = """
CREATE TABLE reconciliations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer text,
    from_day timestamptz NOT NULL,
    to_day timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    compared bigint NOT NULL DEFAULT 0,
    detail text
)
"""
DRIFT = """
CREATE TABLE drift (
    reconciliation bigint NOT NULL REFERENCES reconciliations,
    customer text COLLATE "C" NOT NULL,
    meter text COLLATE "C" NOT NULL,
    day timestamptz NOT NULL,
    ledger numeric NOT NULL,
    stripe numeric NOT NULL,
    cause text NOT NULL CHECK (cause IN ('not_pushed', 'refused', 'cancelled_outside', 'extra_outside',
        'counted_twice', 'still_settling')),
    evidence jsonb NOT NULL,
    PRIMARY KEY (reconciliation, customer, meter, day)
)
"""

# What the ledger's copy and the corrections say is never changed; deliveries and cases live on.
APPEND_ONLY = "REVOKE UPDATE, DELETE ON entries, corrections FROM {schema}_app"


def upgrade() -> None:
    """Make everything."""
    for statement in (
        ENTRIES,
        DELIVERIES,
        *DELIVERY_COMMENTS,
        OPEN_LANES,
        OPEN_PERIODS,
        DELIVERIES_BY_PERIOD,
        WAITING,
        WAITING_FOR_CHARGE,
        LANES,
        INSTANCES,
        EPOCHS,
        ROLES,
        OFFSETS,
        PROGRESS,
        CONTRACTS,
        *CONTRACT_COMMENTS,
        CONTRACTS_BY_SUBSCRIPTION,
        CONTRACTS_BY_STRIPE_CUSTOMER,
        STRIPE_LINKS,
        LINKS_BY_ID,
        PERIODS,
        *PERIOD_COMMENTS,
        PERIODS_UNDONE,
        PERIODS_BY_END,
        INVOICES,
        INVOICES_BY_CUSTOMER,
        CORRECTIONS,
        CORRECTIONS_BY_PERIOD,
        CASES,
        WEBHOOKS,
        WEBHOOKS_UNPUBLISHED,
        WEBHOOKS_UNHANDLED,
        SWEEP,
        RECONCILIATIONS,
        DRIFT,
    ):
        op.execute(statement)
    schema = op.get_bind().exec_driver_sql("SELECT current_schema()").scalar_one()
    op.execute(APPEND_ONLY.format(schema=schema))
