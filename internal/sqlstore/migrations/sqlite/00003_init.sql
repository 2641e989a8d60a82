-- Portatill's tables on SQLite. The PostgreSQL file has the same tables and
-- columns; a test compares the two. Times (…_at) are microseconds since 1970
-- UTC, NULL where there is none yet; amounts (…_minor) are minor units of the
-- currency beside them. STRICT, because SQLite would otherwise store any text in
-- a money column.
--
-- Rows of a tenant have (tenant_id, id) as their key and refer to each other by
-- both, so that the database itself refuses a row of one tenant that points at a
-- row of another.

-- +goose Up

CREATE TABLE tenants (
    id                     TEXT    NOT NULL PRIMARY KEY,
    slug                   TEXT    NOT NULL UNIQUE CHECK (slug <> ''),
    name                   TEXT    NOT NULL,
    state                  TEXT    NOT NULL CHECK (state IN ('active', 'suspended')),
    i_parent               INTEGER NOT NULL CHECK (i_parent >= 0),
    default_currency       TEXT    NOT NULL CHECK (length(default_currency) = 3),
    currencies             TEXT    NOT NULL,
    vat_basis_points       INTEGER NOT NULL CHECK (vat_basis_points BETWEEN 0 AND 10000),
    vat_mode               TEXT    NOT NULL CHECK (vat_mode IN ('exclusive', 'inclusive')),
    return_origins         TEXT    NOT NULL,
    loopback_returns       INTEGER NOT NULL CHECK (loopback_returns IN (0, 1)),
    branding               TEXT    NOT NULL,
    policies               TEXT    NOT NULL,
    signing_secret         TEXT    NOT NULL,
    stripe_key             TEXT    NOT NULL,
    stripe_webhook_secrets TEXT    NOT NULL,
    stripe_account         TEXT    NOT NULL,
    stripe_livemode        INTEGER NOT NULL CHECK (stripe_livemode IN (0, 1)),
    outbound_url           TEXT    NOT NULL,
    outbound_secret        TEXT    NOT NULL,
    porta_url              TEXT    NOT NULL,
    porta_login            TEXT    NOT NULL,
    porta_token            TEXT    NOT NULL,
    logo_type              TEXT    NOT NULL,
    created_at             INTEGER NOT NULL,
    updated_at             INTEGER NOT NULL,
    -- Last, because SQLite walks over a large value to reach what stands behind it.
    logo                   BLOB
) STRICT;

CREATE TABLE licenses (
    id         TEXT    NOT NULL,
    tenant_id  TEXT    NOT NULL REFERENCES tenants (id),
    hash       TEXT    NOT NULL UNIQUE CHECK (length(hash) = 64),
    hint       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (tenant_id, id)
) STRICT;

CREATE TABLE customers (
    id         TEXT    NOT NULL,
    tenant_id  TEXT    NOT NULL REFERENCES tenants (id),
    i_customer INTEGER NOT NULL CHECK (i_customer > 0),
    i_parent   INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    email      TEXT    NOT NULL,
    phone      TEXT    NOT NULL,
    company    TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    record     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, i_customer)
) STRICT;
-- Whose may money be that came in without an order? (pay.SuggestOwners)
CREATE INDEX customers_email ON customers (tenant_id, LOWER(email), id) WHERE email <> '';

-- One Stripe customer per customer, Stripe account and mode; no Stripe customer
-- is ever two of ours.
CREATE TABLE stripe_customers (
    tenant_id       TEXT    NOT NULL,
    customer_id     TEXT    NOT NULL,
    account         TEXT    NOT NULL CHECK (account <> ''),
    livemode        INTEGER NOT NULL CHECK (livemode IN (0, 1)),
    stripe_customer TEXT    NOT NULL CHECK (stripe_customer <> ''),
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, customer_id, account, livemode),
    UNIQUE (tenant_id, account, livemode, stripe_customer),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
) STRICT;

CREATE TABLE orders (
    id              TEXT    NOT NULL,
    tenant_id       TEXT    NOT NULL REFERENCES tenants (id),
    customer_id     TEXT    NOT NULL,
    pay_token       TEXT    NOT NULL UNIQUE CHECK (pay_token <> ''),
    kind            TEXT    NOT NULL CHECK (kind IN ('payment', 'setup')),
    state           TEXT    NOT NULL CHECK (state IN ('draft', 'open', 'processing', 'paid', 'failed', 'expired', 'cancelled', 'mismatch')),
    state_reason    TEXT    NOT NULL,
    currency        TEXT    NOT NULL,
    total_minor     INTEGER NOT NULL CHECK (total_minor >= 0),
    cart            TEXT    NOT NULL,
    success_url     TEXT    NOT NULL,
    cancel_url      TEXT    NOT NULL,
    payment_methods TEXT    NOT NULL,
    license_id      TEXT    NOT NULL,
    content_id      INTEGER NOT NULL,
    feature_name    TEXT    NOT NULL,
    card_info       TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL,
    digest          TEXT    NOT NULL,
    -- The digest again while the order is live and came without an
    -- Idempotency-Key: its uniqueness is what makes a repeated request one order.
    open_digest     TEXT,
    request         TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    paid_at         INTEGER,
    evidence        TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    -- I-09: paid means that Stripe's object was seen. A mismatch found after the
    -- payment keeps the evidence.
    CHECK ((paid_at IS NULL) = (evidence = '')),
    CHECK (state <> 'paid' OR paid_at IS NOT NULL),
    CHECK (paid_at IS NULL OR state IN ('paid', 'mismatch')),
    CHECK (open_digest IS NULL OR state IN ('draft', 'open', 'processing'))
) STRICT;
CREATE UNIQUE INDEX orders_idempotency_key ON orders (tenant_id, idempotency_key) WHERE idempotency_key <> '';
CREATE UNIQUE INDEX orders_open_digest ON orders (tenant_id, open_digest) WHERE open_digest IS NOT NULL;
-- Card charges that came without a key and took money: repeats within the tenant's
-- duplicate window find them here.
CREATE INDEX orders_paid_digest ON orders (tenant_id, digest, id) WHERE state IN ('paid', 'mismatch') AND idempotency_key = '';
CREATE INDEX orders_customer ON orders (tenant_id, customer_id, id);
CREATE INDEX orders_state ON orders (tenant_id, state, id);
-- The overview sums up days: everything that it asks for is in the index.
CREATE INDEX orders_made ON orders (tenant_id, created_at, currency, state, total_minor) WHERE kind = 'payment';
CREATE INDEX orders_waiting ON orders (tenant_id, state, currency) WHERE state IN ('open', 'processing');
CREATE INDEX orders_feature ON orders (tenant_id, feature_name, id) WHERE feature_name <> '';
CREATE INDEX orders_content ON orders (tenant_id, content_id, id) WHERE content_id <> 0;
-- The staff's lists: what a filter or a search is about, then the id, in whose order they are.
CREATE INDEX orders_currency ON orders (tenant_id, currency, state, id);
CREATE INDEX orders_license ON orders (tenant_id, license_id, id) WHERE license_id <> '';

CREATE TABLE attempts (
    id              TEXT    NOT NULL,
    tenant_id       TEXT    NOT NULL,
    order_id        TEXT    NOT NULL,
    number          INTEGER NOT NULL CHECK (number >= 1),
    kind            TEXT    NOT NULL CHECK (kind IN ('checkout', 'intent')),
    state           TEXT    NOT NULL CHECK (state IN ('created', 'open', 'processing', 'succeeded', 'failed', 'expired', 'overpaid', 'mismatch')),
    idempotency_key TEXT    NOT NULL UNIQUE CHECK (idempotency_key <> ''),
    currency        TEXT    NOT NULL,
    amount_minor    INTEGER NOT NULL CHECK (amount_minor >= 0),
    stripe_account  TEXT    NOT NULL,
    session_id      TEXT    CHECK (session_id <> ''),
    intent_id       TEXT    CHECK (intent_id <> ''),
    stripe_customer TEXT    NOT NULL,
    card_id         TEXT    NOT NULL,
    save_card       INTEGER NOT NULL CHECK (save_card IN (0, 1)),
    -- BCP 47, '' for the browser's own: part of what Stripe is asked for under the key.
    language        TEXT    NOT NULL DEFAULT '',
    url             TEXT    NOT NULL,
    failure         TEXT    NOT NULL,
    expires_at      INTEGER,
    started_at      INTEGER,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    check_at        INTEGER,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, order_id, number),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX attempts_session ON attempts (tenant_id, session_id) WHERE session_id IS NOT NULL;
CREATE UNIQUE INDEX attempts_intent ON attempts (tenant_id, intent_id) WHERE intent_id IS NOT NULL;
CREATE INDEX attempts_due ON attempts (check_at, id) WHERE check_at IS NOT NULL AND state IN ('created', 'open', 'processing');

CREATE TABLE payments (
    id                  TEXT    NOT NULL,
    tenant_id           TEXT    NOT NULL,
    order_id            TEXT    NOT NULL,
    attempt_id          TEXT    NOT NULL,
    customer_id         TEXT    NOT NULL,
    stripe_account      TEXT    NOT NULL,
    intent_id           TEXT    NOT NULL CHECK (intent_id <> ''),
    charge_id           TEXT    NOT NULL,
    session_id          TEXT    NOT NULL,
    currency            TEXT    NOT NULL CHECK (length(currency) = 3),
    amount_minor        INTEGER NOT NULL CHECK (amount_minor > 0),
    vat_minor           INTEGER NOT NULL CHECK (vat_minor BETWEEN 0 AND amount_minor),
    refunded_minor      INTEGER NOT NULL CHECK (refunded_minor BETWEEN 0 AND amount_minor),
    fee_currency        TEXT    NOT NULL,
    fee_minor           INTEGER NOT NULL,
    balance_transaction TEXT    NOT NULL,
    method              TEXT    NOT NULL,
    receipt_url         TEXT    NOT NULL,
    cause_kind          TEXT    NOT NULL CHECK (cause_kind <> ''),
    cause_id            TEXT    NOT NULL CHECK (cause_id <> ''),
    paid_at             INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, order_id),
    UNIQUE (tenant_id, intent_id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id),
    FOREIGN KEY (tenant_id, attempt_id) REFERENCES attempts (tenant_id, id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
) STRICT;
CREATE INDEX payments_currency ON payments (tenant_id, currency, id);
CREATE INDEX payments_charge ON payments (tenant_id, charge_id) WHERE charge_id <> '';
CREATE INDEX payments_refunded ON payments (tenant_id, id) WHERE refunded_minor > 0;

CREATE INDEX payments_paid ON payments (tenant_id, paid_at, currency, amount_minor);

CREATE TABLE refunds (
    id               TEXT    NOT NULL,
    tenant_id        TEXT    NOT NULL,
    payment_id       TEXT    NOT NULL,
    order_id         TEXT    NOT NULL,
    stripe_refund_id TEXT    NOT NULL CHECK (stripe_refund_id <> ''),
    state            TEXT    NOT NULL CHECK (state IN ('pending', 'requires_action', 'succeeded', 'failed', 'canceled')),
    currency         TEXT    NOT NULL CHECK (length(currency) = 3),
    amount_minor     INTEGER NOT NULL CHECK (amount_minor > 0),
    reason           TEXT    NOT NULL,
    cause_kind       TEXT    NOT NULL CHECK (cause_kind <> ''),
    cause_id         TEXT    NOT NULL CHECK (cause_id <> ''),
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, stripe_refund_id),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
) STRICT;
CREATE INDEX refunds_payment ON refunds (tenant_id, payment_id, id);
CREATE INDEX refunds_failed ON refunds (tenant_id, updated_at) WHERE state = 'failed';

-- What Stripe keeps for a customer, as it was when it was last asked: pages read it
-- here, and every use of a card asks Stripe whose it is.
CREATE TABLE cards (
    tenant_id   TEXT    NOT NULL,
    customer_id TEXT    NOT NULL,
    card_id     TEXT    NOT NULL CHECK (card_id <> ''),
    type        TEXT    NOT NULL,
    brand       TEXT    NOT NULL,
    last4       TEXT    NOT NULL,
    exp_month   INTEGER NOT NULL,
    exp_year    INTEGER NOT NULL,
    is_default  INTEGER NOT NULL CHECK (is_default IN (0, 1)),
    label       TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    created_at  INTEGER,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, customer_id, card_id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
) STRICT;

-- Stripe.js tokens, by the SHA-256 of the token, and keyed requests to save one: each
-- makes one accepted request (I-20).
CREATE TABLE token_uses (
    tenant_id   TEXT    NOT NULL REFERENCES tenants (id),
    claim       TEXT    NOT NULL CHECK (claim <> ''),
    digest      TEXT    NOT NULL CHECK (digest <> ''),
    order_id    TEXT   ,
    customer_id TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL UNIQUE CHECK (idempotency_key <> ''),
    card_id     TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, claim),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
) STRICT;

-- Money or claims that match nothing, until a person decides. held_minor is what the
-- suspense account has of it: what came in, less what went back or was assigned.
CREATE TABLE unclaimed (
    id           TEXT    NOT NULL,
    tenant_id    TEXT    NOT NULL REFERENCES tenants (id),
    object_id    TEXT    NOT NULL CHECK (object_id <> ''),
    order_id     TEXT,
    currency     TEXT    NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
    reason       TEXT    NOT NULL CHECK (reason <> ''),
    detail       TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('open', 'assigned', 'refunded', 'ignored')),
    held_minor   INTEGER NOT NULL,
    assigned_minor INTEGER NOT NULL CHECK (assigned_minor BETWEEN 0 AND amount_minor),
    customer_id  TEXT,
    evidence     TEXT    NOT NULL,
    decided_reason TEXT  NOT NULL,
    decided_cause_kind TEXT NOT NULL,
    decided_cause_id TEXT NOT NULL,
    decided_at   INTEGER,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, object_id),
    CHECK ((state = 'assigned') = (customer_id IS NOT NULL)),
    CHECK ((state = 'assigned') = (assigned_minor > 0)),
    CHECK (state <> 'assigned' OR held_minor = 0),
    CHECK ((state = 'open') = (decided_at IS NULL)),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
) STRICT;

CREATE INDEX unclaimed_object ON unclaimed (object_id);
CREATE INDEX unclaimed_state ON unclaimed (tenant_id, state, id);

-- Refunds that we were asked for, stored before Stripe is asked.
CREATE TABLE refund_requests (
    id               TEXT    NOT NULL,
    tenant_id        TEXT    NOT NULL,
    payment_id       TEXT,
    unclaimed_id     TEXT,
    order_id         TEXT,
    currency         TEXT    NOT NULL CHECK (length(currency) = 3),
    amount_minor     INTEGER NOT NULL CHECK (amount_minor > 0),
    reason           TEXT    NOT NULL,
    key              TEXT    NOT NULL,
    idempotency_key  TEXT    NOT NULL UNIQUE CHECK (idempotency_key <> ''),
    state            TEXT    NOT NULL CHECK (state IN ('requested', 'made', 'refused')),
    stripe_refund_id TEXT    NOT NULL,
    failure          TEXT    NOT NULL,
    cause_kind       TEXT    NOT NULL CHECK (cause_kind <> ''),
    cause_id         TEXT    NOT NULL CHECK (cause_id <> ''),
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CHECK ((state = 'made') = (stripe_refund_id <> '')),
    CHECK ((payment_id IS NULL) <> (unclaimed_id IS NULL)),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, id),
    FOREIGN KEY (tenant_id, unclaimed_id) REFERENCES unclaimed (tenant_id, id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
) STRICT;
CREATE INDEX refund_requests_payment ON refund_requests (tenant_id, payment_id, id);
CREATE INDEX refund_requests_unclaimed ON refund_requests (tenant_id, unclaimed_id, id) WHERE unclaimed_id IS NOT NULL;
CREATE INDEX refund_requests_due ON refund_requests (created_at) WHERE state = 'requested';
CREATE UNIQUE INDEX refund_requests_key ON refund_requests (tenant_id, key) WHERE key <> '';

CREATE TABLE disputes (
    id                TEXT    NOT NULL,
    tenant_id         TEXT    NOT NULL,
    payment_id        TEXT    NOT NULL,
    order_id          TEXT    NOT NULL,
    stripe_dispute_id TEXT    NOT NULL CHECK (stripe_dispute_id <> ''),
    state             TEXT    NOT NULL CHECK (state <> ''),
    currency          TEXT    NOT NULL CHECK (length(currency) = 3),
    amount_minor      INTEGER NOT NULL CHECK (amount_minor >= 0),
    reason            TEXT    NOT NULL,
    due_by            INTEGER,
    cause_kind        TEXT    NOT NULL CHECK (cause_kind <> ''),
    cause_id          TEXT    NOT NULL CHECK (cause_id <> ''),
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, stripe_dispute_id),
    FOREIGN KEY (tenant_id, payment_id) REFERENCES payments (tenant_id, id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
) STRICT;
CREATE INDEX disputes_payment ON disputes (tenant_id, payment_id, id);
CREATE INDEX disputes_waiting ON disputes (tenant_id, due_by) WHERE state IN ('needs_response', 'warning_needs_response');

-- The ledger. seq orders it: the clock may jump (I-31). The currency is the
-- entry's, so no entry can mix two (I-19). unclaimed_id is the case whose money it
-- moves, NULL for money that has its order.
CREATE TABLE ledger_entries (
    seq        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL,
    tenant_id  TEXT    NOT NULL REFERENCES tenants (id),
    kind       TEXT    NOT NULL CHECK (kind IN ('payment', 'fee', 'refund', 'refund_reversal', 'suspense', 'assignment', 'dispute', 'dispute_reversal', 'dispute_lost', 'payout', 'payout_return', 'conversion')),
    fact       TEXT    NOT NULL CHECK (fact <> ''),
    currency   TEXT    NOT NULL CHECK (length(currency) = 3),
    cause_kind TEXT    NOT NULL CHECK (cause_kind <> ''),
    cause_id   TEXT    NOT NULL CHECK (cause_id <> ''),
    order_id   TEXT,
    unclaimed_id TEXT,
    memo       TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    -- SHA-256 of all the columns above and of the lines (pay.LedgerEntry.Sum).
    hash       TEXT     NOT NULL CHECK (length(hash) = 64),
    UNIQUE (tenant_id, id),
    UNIQUE (tenant_id, fact),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id),
    FOREIGN KEY (tenant_id, unclaimed_id) REFERENCES unclaimed (tenant_id, id)
) STRICT;
CREATE INDEX ledger_entries_order ON ledger_entries (tenant_id, order_id, seq);
CREATE INDEX ledger_entries_at ON ledger_entries (tenant_id, at);
-- The entries that move the money of one case.
CREATE INDEX ledger_entries_case ON ledger_entries (tenant_id, unclaimed_id) WHERE unclaimed_id IS NOT NULL;
-- The chain of hashes and the proof of books walk a tenant's ledger page by page.
CREATE INDEX ledger_entries_seq ON ledger_entries (tenant_id, seq);

CREATE TABLE ledger_lines (
    tenant_id    TEXT    NOT NULL,
    entry_id     TEXT    NOT NULL,
    number       INTEGER NOT NULL CHECK (number >= 1),
    account      TEXT    NOT NULL CHECK (account IN ('customer', 'stripe_balance', 'fees', 'refunds', 'disputes', 'payouts', 'vat', 'suspense', 'conversion')),
    customer_id  TEXT,
    amount_minor INTEGER NOT NULL CHECK (amount_minor <> 0),
    PRIMARY KEY (tenant_id, entry_id, number),
    FOREIGN KEY (tenant_id, entry_id) REFERENCES ledger_entries (tenant_id, id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CHECK ((account = 'customer') = (customer_id IS NOT NULL))
) STRICT, WITHOUT ROWID;
-- A customer's statement.
CREATE INDEX ledger_lines_customer ON ledger_lines (tenant_id, customer_id) WHERE customer_id IS NOT NULL;

-- Stripe's payouts. matched_at is when their balance transactions were listed;
-- foreign_minor is what of them is another tenant's, who has the same Stripe account.
CREATE TABLE payouts (
    id            TEXT     NOT NULL CHECK (id <> ''),
    tenant_id     TEXT     NOT NULL REFERENCES tenants (id),
    status        TEXT     NOT NULL,
    currency      TEXT     NOT NULL CHECK (length(currency) = 3),
    amount_minor  INTEGER NOT NULL,
    automatic     INTEGER NOT NULL CHECK (automatic IN (0, 1)),
    foreign_minor INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    arrival_at    INTEGER,
    matched_at    INTEGER,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX payouts_id ON payouts (id);

-- Stripe's balance transactions, as the sweep listed them: the other side of the
-- proof of books. fact is what the ledger must have for one, source_minor (signed, in
-- the currency it was made in) what that fact moves on stripe_balance. Where Stripe
-- converted, currency differs from source_currency and the rate is its decimal text.
CREATE TABLE balance_transactions (
    id              TEXT     NOT NULL CHECK (id <> ''),
    tenant_id       TEXT     NOT NULL REFERENCES tenants (id),
    type            TEXT     NOT NULL,
    category        TEXT     NOT NULL,
    source_id       TEXT     NOT NULL,
    intent_id       TEXT     NOT NULL,
    fact            TEXT     NOT NULL CHECK (fact <> ''),
    source_currency TEXT     NOT NULL CHECK (length(source_currency) = 3),
    source_minor    INTEGER NOT NULL,
    currency        TEXT     NOT NULL CHECK (length(currency) = 3),
    amount_minor    INTEGER NOT NULL,
    fee_minor       INTEGER NOT NULL,
    tax_minor       INTEGER NOT NULL,
    exchange_rate   TEXT     NOT NULL,
    payout_id       TEXT    ,
    created_at      INTEGER NOT NULL,
    available_at    INTEGER,
    learnt_at       INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, fact),
    CHECK (currency <> source_currency OR amount_minor = source_minor),
    CHECK (currency = source_currency OR exchange_rate <> ''),
    FOREIGN KEY (tenant_id, payout_id) REFERENCES payouts (tenant_id, id)
) STRICT;
CREATE INDEX balance_transactions_id ON balance_transactions (id);
CREATE INDEX balance_transactions_payout ON balance_transactions (tenant_id, payout_id) WHERE payout_id IS NOT NULL;
CREATE INDEX balance_transactions_created ON balance_transactions (tenant_id, created_at);
-- The proof of books takes them in the order in which the ledger came to know of them.
CREATE INDEX balance_transactions_learnt ON balance_transactions (tenant_id, learnt_at, id);

-- Days of a tenant's ledger that are closed: the entries up to last_seq that no day
-- before has. hash covers them and the hash before it, so that no row of a closed day
-- changes, comes or goes unseen (I-04).
CREATE TABLE closed_days (
    tenant_id TEXT     NOT NULL REFERENCES tenants (id),
    day       TEXT     NOT NULL CHECK (length(day) = 10),
    entries   INTEGER NOT NULL CHECK (entries >= 0),
    last_seq  INTEGER NOT NULL,
    previous  TEXT     NOT NULL,
    hash      TEXT     NOT NULL CHECK (length(hash) = 64),
    closed_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, day),
    UNIQUE (tenant_id, previous)
) STRICT;

CREATE TABLE customer_balances (
    tenant_id    TEXT    NOT NULL,
    customer_id  TEXT    NOT NULL,
    currency     TEXT    NOT NULL CHECK (length(currency) = 3),
    credit_minor INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, customer_id, currency),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE postings (
    id           TEXT    NOT NULL,
    tenant_id    TEXT    NOT NULL REFERENCES tenants (id),
    order_id     TEXT,
    customer_id  TEXT,
    kind         TEXT    NOT NULL CHECK (kind IN ('payment', 'refund', 'refund_reversal', 'dispute')),
    subject_id   TEXT    NOT NULL CHECK (subject_id <> ''),
    currency     TEXT    NOT NULL CHECK (length(currency) = 3),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    state        TEXT    NOT NULL CHECK (state IN ('pending', 'sending', 'posted', 'unknown', 'needs_review', 'refused', 'held')),
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (kind, subject_id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id),
    FOREIGN KEY (tenant_id, customer_id) REFERENCES customers (tenant_id, id)
) STRICT;
CREATE INDEX postings_order ON postings (tenant_id, order_id, id);
-- A state, of any kind, is read as one list for each kind, and a kind as one for each state.
CREATE INDEX postings_state ON postings (tenant_id, state, kind, id);

CREATE TABLE deliveries (
    id         TEXT    NOT NULL,
    tenant_id  TEXT    NOT NULL REFERENCES tenants (id),
    order_id   TEXT,
    type       TEXT    NOT NULL CHECK (type <> ''),
    fact       TEXT    NOT NULL CHECK (fact <> ''),
    payload    TEXT    NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, fact),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
) STRICT;
CREATE INDEX deliveries_order ON deliveries (tenant_id, order_id, id);
CREATE INDEX deliveries_failed ON deliveries (tenant_id, updated_at) WHERE state = 'failed';

CREATE TABLE events (
    id          TEXT    NOT NULL,
    tenant_id   TEXT    NOT NULL REFERENCES tenants (id),
    stripe_id   TEXT    NOT NULL CHECK (stripe_id <> ''),
    type        TEXT    NOT NULL,
    object_id   TEXT    NOT NULL,
    api_version TEXT    NOT NULL,
    livemode    INTEGER NOT NULL CHECK (livemode IN (0, 1)),
    payload     BLOB    NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('received', 'applied', 'ignored', 'unmatched', 'not_ours', 'failed')),
    note        TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    done_at     INTEGER,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, stripe_id),
    CHECK ((state = 'received') = (done_at IS NULL))
) STRICT;
CREATE INDEX events_state ON events (tenant_id, state, id);
CREATE INDEX events_type ON events (tenant_id, type, id);
CREATE INDEX events_object ON events (tenant_id, object_id, id) WHERE object_id <> '';

-- Whose books have what a Stripe account has of no order (payouts, Stripe's own fees,
-- money of nobody), when several tenants use one: the first's.
CREATE TABLE stripe_accounts (
    account   TEXT    NOT NULL CHECK (account <> ''),
    livemode  INTEGER NOT NULL CHECK (livemode IN (0, 1)),
    tenant_id TEXT    NOT NULL REFERENCES tenants (id),
    PRIMARY KEY (account, livemode)
) STRICT;

-- How far the sweep has listed what Stripe has.
CREATE TABLE sweep_marks (
    tenant_id  TEXT    NOT NULL REFERENCES tenants (id),
    kind       TEXT    NOT NULL CHECK (kind <> ''),
    through_at INTEGER NOT NULL,
    deep_at    INTEGER,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, kind)
) STRICT;

-- Browsers' sessions, by the SHA-256 of the cookie's random id.
CREATE TABLE sessions (
    hash       TEXT    NOT NULL PRIMARY KEY CHECK (length(hash) = 64),
    data       BLOB    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE story (
    seq        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL,
    tenant_id  TEXT    NOT NULL,
    order_id   TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    what       TEXT    NOT NULL CHECK (what <> ''),
    cause_kind TEXT    NOT NULL,
    cause_id   TEXT    NOT NULL,
    detail     TEXT    NOT NULL,
    UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
) STRICT;
CREATE INDEX story_order ON story (tenant_id, order_id, at, seq);

-- I-01, held at COMMIT as PostgreSQL's deferred trigger does. SQLite has no
-- deferred triggers, but deferred foreign keys (sqlite.org/foreignkeys.html,
-- section 4.2): an entry has a row in ledger_open, which refers to a row that
-- never exists, until its lines sum to zero. Both tables are always empty outside
-- a transaction.
CREATE TABLE ledger_never (id TEXT NOT NULL PRIMARY KEY CHECK (0)) STRICT;
CREATE TABLE ledger_open (
    tenant_id TEXT    NOT NULL,
    entry_id  TEXT    NOT NULL,
    sum_minor INTEGER NOT NULL,
    never     TEXT    NOT NULL REFERENCES ledger_never (id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (tenant_id, entry_id)
) STRICT, WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER ledger_entries_open AFTER INSERT ON ledger_entries BEGIN
    INSERT INTO ledger_open (tenant_id, entry_id, sum_minor, never) VALUES (NEW.tenant_id, NEW.id, 0, 'unbalanced');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_lines_close AFTER INSERT ON ledger_lines BEGIN
    INSERT INTO ledger_open (tenant_id, entry_id, sum_minor, never) VALUES (NEW.tenant_id, NEW.entry_id, NEW.amount_minor, 'unbalanced')
        ON CONFLICT (tenant_id, entry_id) DO UPDATE SET sum_minor = sum_minor + excluded.sum_minor;
    DELETE FROM ledger_open WHERE tenant_id = NEW.tenant_id AND entry_id = NEW.entry_id AND sum_minor = 0;
END;
-- +goose StatementEnd

-- I-03: the ledger and the story are append-only.
-- +goose StatementBegin
CREATE TRIGGER ledger_entries_no_update BEFORE UPDATE ON ledger_entries BEGIN
    SELECT RAISE(ABORT, 'ledger_entries is append-only: book a correcting entry');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_entries_no_delete BEFORE DELETE ON ledger_entries BEGIN
    SELECT RAISE(ABORT, 'ledger_entries is append-only: book a correcting entry');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_lines_no_update BEFORE UPDATE ON ledger_lines BEGIN
    SELECT RAISE(ABORT, 'ledger_lines is append-only: book a correcting entry');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER ledger_lines_no_delete BEFORE DELETE ON ledger_lines BEGIN
    SELECT RAISE(ABORT, 'ledger_lines is append-only: book a correcting entry');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER story_no_update BEFORE UPDATE ON story BEGIN
    SELECT RAISE(ABORT, 'story is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER story_no_delete BEFORE DELETE ON story BEGIN
    SELECT RAISE(ABORT, 'story is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER closed_days_no_update BEFORE UPDATE ON closed_days BEGIN
    SELECT RAISE(ABORT, 'closed_days is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER closed_days_no_delete BEFORE DELETE ON closed_days BEGIN
    SELECT RAISE(ABORT, 'closed_days is append-only');
END;
-- +goose StatementEnd

-- The staff. Their rows are not a tenant's: an operator has none, and a sign-in
-- does not know whose it is. Nobody is deleted, because the audit log names them.
CREATE TABLE staff (
    id             TEXT    NOT NULL PRIMARY KEY,
    email          TEXT    NOT NULL UNIQUE CHECK (email <> ''),
    name           TEXT    NOT NULL,
    role           TEXT    NOT NULL CHECK (role IN ('operator', 'tenant_admin', 'tenant_viewer')),
    tenant_id      TEXT    REFERENCES tenants (id),
    state          TEXT    NOT NULL CHECK (state IN ('active', 'suspended')),
    password_hash  TEXT    NOT NULL,
    totp_secret    TEXT    NOT NULL,
    totp_pending   TEXT    NOT NULL,
    last_totp_step INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    signed_in_at   INTEGER,
    -- The account at an OpenID provider: its issuer, and the subject there that is never another's.
    openid_issuer  TEXT    NOT NULL,
    openid_subject TEXT    NOT NULL,
    CHECK ((openid_issuer = '') = (openid_subject = '')),
    CHECK ((role = 'operator') = (tenant_id IS NULL))
) STRICT;
CREATE UNIQUE INDEX staff_openid ON staff (openid_issuer, openid_subject) WHERE openid_subject <> '';

CREATE TABLE staff_recovery_codes (
    person_id  TEXT    NOT NULL REFERENCES staff (id),
    hash       TEXT    NOT NULL CHECK (length(hash) = 64),
    created_at INTEGER NOT NULL,
    used_at    INTEGER,
    PRIMARY KEY (person_id, hash)
) STRICT;

-- Who is signed in, by the SHA-256 of the cookie's random id.
CREATE TABLE staff_sessions (
    hash         TEXT    NOT NULL PRIMARY KEY CHECK (length(hash) = 64),
    person_id    TEXT    NOT NULL REFERENCES staff (id),
    awaits_totp  INTEGER NOT NULL CHECK (awaits_totp IN (0, 1)),
    signed_in_at INTEGER NOT NULL,
    fresh_at     INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    address      TEXT    NOT NULL
) STRICT;
CREATE INDEX staff_sessions_person ON staff_sessions (person_id, signed_in_at);

-- What people did, and what they were refused (I-35). actor is a person, 'cli' for
-- the command line, or '' when nobody is known.
CREATE TABLE audit_log (
    id        TEXT    NOT NULL PRIMARY KEY,
    at        INTEGER NOT NULL,
    actor     TEXT    NOT NULL,
    tenant_id TEXT    REFERENCES tenants (id),
    what      TEXT    NOT NULL CHECK (what <> ''),
    subject   TEXT    NOT NULL,
    refused   INTEGER NOT NULL CHECK (refused IN (0, 1)),
    before    TEXT    NOT NULL,
    after     TEXT    NOT NULL,
    address   TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_log_actor ON audit_log (actor, id);
CREATE INDEX audit_log_tenant ON audit_log (tenant_id, id);
CREATE INDEX audit_log_what ON audit_log (what, id);
-- +goose StatementBegin
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log BEGIN
    SELECT RAISE(ABORT, 'audit_log is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log BEGIN
    SELECT RAISE(ABORT, 'audit_log is append-only');
END;
-- +goose StatementEnd

-- Mails, one for a fact and whom it is written to. Neither address nor text of a
-- customer is here: both are read when it is sent. content is what the daily letter to
-- person_id says; an operator's has no tenant.
CREATE TABLE mails (
    id         TEXT    NOT NULL PRIMARY KEY,
    tenant_id  TEXT    REFERENCES tenants (id),
    order_id   TEXT,
    person_id  TEXT    REFERENCES staff (id),
    kind       TEXT    NOT NULL CHECK (kind IN ('receipt', 'payment_failed', 'authentication', 'daily')),
    fact       TEXT    NOT NULL UNIQUE CHECK (fact <> ''),
    content    TEXT    NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('pending', 'sent', 'failed', 'skipped')),
    outcome    TEXT    NOT NULL,
    tries      INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((kind = 'daily') = (person_id IS NOT NULL)),
    CHECK ((kind = 'daily') = (order_id IS NULL)),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id)
) STRICT;
CREATE INDEX mails_order ON mails (tenant_id, order_id, id) WHERE order_id IS NOT NULL;
CREATE INDEX mails_tenant ON mails (tenant_id, id);
CREATE INDEX mails_state ON mails (state, id);
CREATE INDEX mails_tenant_state ON mails (tenant_id, state, id);
CREATE INDEX mails_failed ON mails (tenant_id, updated_at) WHERE state = 'failed';

-- The books' invariants (numbers as in the safety catalogue). Every row of a view
-- v_… is a fault: "subject" says which row is wrong, "fault" how. VerifyBooks
-- reads them all. The text is the same for both databases.

CREATE VIEW v_unbalanced_entries AS -- I-01
SELECT e.tenant_id, e.fact AS subject,
       'I-01: the lines of ledger entry ' || e.id || ' sum to ' || CAST(COALESCE(SUM(l.amount_minor), 0) AS TEXT) || ', over ' || CAST(COUNT(l.number) AS TEXT) || ' lines' AS fault
FROM ledger_entries e LEFT JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id
GROUP BY e.tenant_id, e.id, e.fact
HAVING COALESCE(SUM(l.amount_minor), 0) <> 0 OR COUNT(l.number) < 2;

CREATE VIEW v_tenant_currency_sums AS -- I-02
SELECT e.tenant_id, e.currency AS subject,
       'I-02: all accounts in this currency sum to ' || CAST(SUM(l.amount_minor) AS TEXT) || ', not 0' AS fault
FROM ledger_entries e JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id
GROUP BY e.tenant_id, e.currency
HAVING SUM(l.amount_minor) <> 0;

CREATE VIEW v_balance_drift AS -- I-05
SELECT d.tenant_id, d.customer_id AS subject,
       'I-05: the stored credit in ' || d.currency || ' is ' || CAST(SUM(d.stored) AS TEXT) || ', the ledger says ' || CAST(SUM(d.booked) AS TEXT) AS fault
FROM (
    SELECT tenant_id, customer_id, currency, credit_minor AS stored, 0 AS booked FROM customer_balances
    UNION ALL
    SELECT l.tenant_id, l.customer_id, e.currency, 0, -l.amount_minor
    FROM ledger_lines l JOIN ledger_entries e ON e.tenant_id = l.tenant_id AND e.id = l.entry_id
    WHERE l.account = 'customer'
) d
GROUP BY d.tenant_id, d.customer_id, d.currency
HAVING SUM(d.stored) <> SUM(d.booked);

CREATE VIEW v_payment_without_entry AS -- I-06
SELECT p.tenant_id, p.id AS subject,
       'I-06: the payment has ' || CAST(COUNT(e.id) AS TEXT) || ' ledger entries of kind payment, not 1' AS fault
FROM payments p LEFT JOIN ledger_entries e ON e.tenant_id = p.tenant_id AND e.order_id = p.order_id AND e.kind = 'payment'
GROUP BY p.tenant_id, p.id
HAVING COUNT(e.id) <> 1;

CREATE VIEW v_entry_without_payment AS -- I-06
SELECT e.tenant_id, e.fact AS subject, 'I-06: ledger entry ' || e.id || ' records a payment, but there is none for its order' AS fault
FROM ledger_entries e
WHERE e.kind = 'payment' AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.tenant_id = e.tenant_id AND p.order_id = e.order_id);

CREATE VIEW v_payment_entry_differs AS -- I-06, I-19
SELECT p.tenant_id, p.id AS subject,
       'I-06: the payment is ' || CAST(p.amount_minor AS TEXT) || ' ' || p.currency || ', but its ledger entry credits the customer ' || CAST(-SUM(l.amount_minor) AS TEXT) || ' ' || e.currency AS fault
FROM payments p
JOIN ledger_entries e ON e.tenant_id = p.tenant_id AND e.order_id = p.order_id AND e.kind = 'payment'
JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id AND l.account = 'customer'
GROUP BY p.tenant_id, p.id, p.amount_minor, p.currency, e.currency
HAVING -SUM(l.amount_minor) <> p.amount_minor OR e.currency <> p.currency;

CREATE VIEW v_paid_without_evidence AS -- I-09
SELECT o.tenant_id, o.id AS subject, 'I-09: the order is paid, but names no Stripe object that proves it' AS fault
FROM orders o
WHERE o.state = 'paid' AND (o.paid_at IS NULL OR o.evidence = '');

CREATE VIEW v_paid_without_payment AS -- I-09; an order of 0 has no payment
SELECT o.tenant_id, o.id AS subject, 'I-09: the order is paid, but has no payment' AS fault
FROM orders o
WHERE o.state = 'paid' AND o.kind = 'payment' AND o.total_minor > 0
  AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.tenant_id = o.tenant_id AND p.order_id = o.id);

CREATE VIEW v_payment_without_paid AS -- I-09
SELECT p.tenant_id, p.id AS subject, 'I-09: there is a payment, but its order ' || o.id || ' is ' || o.state AS fault
FROM payments p JOIN orders o ON o.tenant_id = p.tenant_id AND o.id = p.order_id
WHERE o.state NOT IN ('paid', 'mismatch');

CREATE VIEW v_payment_differs AS -- I-09
SELECT p.tenant_id, p.id AS subject,
       'I-09: the payment is ' || CAST(p.amount_minor AS TEXT) || ' ' || p.currency || ' of customer ' || p.customer_id || ', its order ' || CAST(o.total_minor AS TEXT) || ' ' || o.currency || ' of customer ' || o.customer_id AS fault
FROM payments p JOIN orders o ON o.tenant_id = p.tenant_id AND o.id = p.order_id
WHERE o.state = 'paid' AND (p.amount_minor <> o.total_minor OR p.currency <> o.currency OR p.customer_id <> o.customer_id);

CREATE VIEW v_payment_attempt AS -- I-09, I-12
SELECT p.tenant_id, p.id AS subject, 'I-12: the attempt ' || a.id || ' of the payment is ' || a.state || ' of order ' || a.order_id AS fault
FROM payments p JOIN attempts a ON a.tenant_id = p.tenant_id AND a.id = p.attempt_id
WHERE a.state NOT IN ('succeeded', 'mismatch') OR a.order_id <> p.order_id;

CREATE VIEW v_entry_without_cause AS -- I-11
SELECT e.tenant_id, e.fact AS subject, 'I-11: ledger entry ' || e.id || ' names the event ' || e.cause_id || ' as its cause, which is not stored' AS fault
FROM ledger_entries e
WHERE e.cause_kind = 'webhook'
  AND NOT EXISTS (SELECT 1 FROM events v WHERE v.tenant_id = e.tenant_id AND v.id = e.cause_id)
  AND NOT EXISTS (SELECT 1 FROM events v WHERE v.tenant_id = e.tenant_id AND v.stripe_id = e.cause_id);

CREATE VIEW v_processing_without_attempt AS -- I-12
SELECT o.tenant_id, o.id AS subject, 'I-12: the order is processing, but none of its attempts is' AS fault
FROM orders o
WHERE o.state = 'processing'
  AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.tenant_id = o.tenant_id AND a.order_id = o.id AND a.state = 'processing');

CREATE VIEW v_refund_over_capture AS -- I-15
SELECT p.tenant_id, p.id AS subject,
       'I-15: refunds of ' || CAST(SUM(r.amount_minor) AS TEXT) || ' exceed the payment of ' || CAST(p.amount_minor AS TEXT) || ' ' || p.currency AS fault
FROM payments p JOIN refunds r ON r.tenant_id = p.tenant_id AND r.payment_id = p.id
WHERE r.state NOT IN ('failed', 'canceled')
GROUP BY p.tenant_id, p.id, p.amount_minor, p.currency
HAVING SUM(r.amount_minor) > p.amount_minor;

CREATE VIEW v_refund_drift AS -- I-15
SELECT p.tenant_id, p.id AS subject,
       'I-15: the payment says that ' || CAST(p.refunded_minor AS TEXT) || ' was refunded, its refunds say ' || CAST(COALESCE(SUM(r.amount_minor), 0) AS TEXT) AS fault
FROM payments p LEFT JOIN refunds r ON r.tenant_id = p.tenant_id AND r.payment_id = p.id AND r.state NOT IN ('failed', 'canceled')
GROUP BY p.tenant_id, p.id, p.refunded_minor
HAVING p.refunded_minor <> COALESCE(SUM(r.amount_minor), 0);

CREATE VIEW v_refund_differs AS -- I-15, I-19
SELECT r.tenant_id, r.id AS subject, 'I-15: the refund is in ' || r.currency || ' for order ' || r.order_id || ', its payment in ' || p.currency || ' for order ' || p.order_id AS fault
FROM refunds r JOIN payments p ON p.tenant_id = r.tenant_id AND p.id = r.payment_id
WHERE r.currency <> p.currency OR r.order_id <> p.order_id;

CREATE VIEW v_refund_without_entry AS -- I-15
SELECT r.tenant_id, r.id AS subject, 'I-15: the refund has no ledger entry' AS fault
FROM refunds r
WHERE r.state NOT IN ('failed', 'canceled')
  AND NOT EXISTS (SELECT 1 FROM ledger_entries e WHERE e.tenant_id = r.tenant_id AND e.fact = r.stripe_refund_id || ':refunded');

CREATE VIEW v_two_open_attempts AS -- I-21
SELECT a.tenant_id, a.order_id AS subject, 'I-21: the order has ' || CAST(COUNT(*) AS TEXT) || ' attempts that can be paid at once' AS fault
FROM attempts a
WHERE a.state IN ('open', 'processing')
GROUP BY a.tenant_id, a.order_id
HAVING COUNT(*) > 1;

CREATE VIEW v_waiting_without_attempt AS -- I-12, I-28
SELECT o.tenant_id, o.id AS subject, 'I-12: the order is ' || o.state || ', but it has no attempt that could still pay it or end it' AS fault
FROM orders o
WHERE o.state IN ('draft', 'open')
  AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.tenant_id = o.tenant_id AND a.order_id = o.id AND a.state IN ('created', 'open', 'processing'));

CREATE VIEW v_refund_requested_over_capture AS -- I-15; what others give back at Stripe while we ask is refused there
SELECT p.tenant_id, p.id AS subject,
       'I-15: we asked for refunds of ' || CAST(SUM(q.amount_minor) AS TEXT) || ' of a payment of ' || CAST(p.amount_minor AS TEXT) || ' ' || p.currency AS fault
FROM payments p JOIN refund_requests q ON q.tenant_id = p.tenant_id AND q.payment_id = p.id
LEFT JOIN refunds r ON r.tenant_id = q.tenant_id AND r.stripe_refund_id = q.stripe_refund_id
WHERE q.state = 'requested' OR (q.state = 'made' AND COALESCE(r.state, 'pending') NOT IN ('failed', 'canceled'))
GROUP BY p.tenant_id, p.id, p.amount_minor, p.currency
HAVING SUM(q.amount_minor) > p.amount_minor;

CREATE VIEW v_dispute_lost_held AS -- I-16
SELECT e.tenant_id, e.order_id AS subject,
       'I-16: all disputes of the order are lost, but the disputes account still holds ' || CAST(SUM(l.amount_minor) AS TEXT) || ' ' || e.currency AS fault
FROM ledger_entries e JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id AND l.account = 'disputes'
WHERE EXISTS (SELECT 1 FROM disputes d WHERE d.tenant_id = e.tenant_id AND d.order_id = e.order_id AND d.state = 'lost')
  AND NOT EXISTS (SELECT 1 FROM disputes d WHERE d.tenant_id = e.tenant_id AND d.order_id = e.order_id AND d.state <> 'lost')
GROUP BY e.tenant_id, e.order_id, e.currency
HAVING SUM(l.amount_minor) <> 0;

CREATE VIEW v_dispute_lost_without_posting AS -- I-25; what is lost from suspense was never told to PortaBilling
SELECT e.tenant_id, e.fact AS subject, 'I-25: the dispute is ' || CASE e.kind WHEN 'dispute_lost' THEN 'lost' ELSE 'won after all' END ||
       ' and the ledger of customer ' || l.customer_id || ' says so, but nobody is asked what PortaBilling is to be told' AS fault
FROM ledger_entries e JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id AND l.account = 'customer'
WHERE e.kind IN ('dispute_lost', 'dispute_reversal')
  AND NOT EXISTS (SELECT 1 FROM postings s WHERE s.tenant_id = e.tenant_id AND s.customer_id = l.customer_id
      AND COALESCE(s.order_id, '') = COALESCE(e.order_id, '') AND s.kind = CASE e.kind WHEN 'dispute_lost' THEN 'dispute' ELSE 'refund_reversal' END);

CREATE VIEW v_payment_without_posting AS -- I-25
SELECT p.tenant_id, p.id AS subject, 'I-25: nothing tells PortaBilling of the payment' AS fault
FROM payments p
WHERE NOT EXISTS (SELECT 1 FROM postings s WHERE s.kind = 'payment' AND s.subject_id = p.id AND s.tenant_id = p.tenant_id);

CREATE VIEW v_posting_differs AS -- I-25; of what belongs to a case, v_posting_drift has the sum
SELECT s.tenant_id, s.id AS subject,
       'I-25: the posting is ' || CAST(s.amount_minor AS TEXT) || ' ' || s.currency || ' of ' || COALESCE(s.customer_id, 'nobody') || ' and ' || COALESCE(s.order_id, 'no order') ||
       ', the payment ' || CAST(p.amount_minor AS TEXT) || ' ' || p.currency || ' of ' || p.customer_id || ' and ' || p.order_id AS fault
FROM postings s JOIN payments p ON p.tenant_id = s.tenant_id AND p.id = s.subject_id
WHERE s.kind = 'payment'
  AND (s.amount_minor <> p.amount_minor OR s.currency <> p.currency OR COALESCE(s.customer_id, '') <> p.customer_id OR COALESCE(s.order_id, '') <> p.order_id)
UNION ALL
SELECT s.tenant_id, s.id,
       'I-25: the posting is ' || CAST(s.amount_minor AS TEXT) || ' ' || s.currency || ' of ' || COALESCE(s.customer_id, 'nobody') || ' and ' || COALESCE(s.order_id, 'no order') ||
       ', the refund ' || CAST(r.amount_minor AS TEXT) || ' ' || r.currency || ' of ' || p.customer_id || ' and ' || r.order_id
FROM refunds r JOIN postings s ON s.tenant_id = r.tenant_id AND s.kind IN ('refund', 'refund_reversal') AND s.subject_id = r.id
JOIN payments p ON p.tenant_id = r.tenant_id AND p.id = r.payment_id
WHERE s.amount_minor <> r.amount_minor OR s.currency <> r.currency OR COALESCE(s.customer_id, '') <> p.customer_id OR COALESCE(s.order_id, '') <> r.order_id
UNION ALL
SELECT s.tenant_id, s.id,
       'I-25: the posting is ' || CAST(s.amount_minor AS TEXT) || ' ' || s.currency || ' of ' || COALESCE(s.customer_id, 'nobody') || ' and ' || COALESCE(s.order_id, 'no order') ||
       ', the ledger moves ' || CAST(l.amount_minor AS TEXT) || ' ' || e.currency || ' of ' || l.customer_id || ' for the dispute of ' || d.order_id
FROM disputes d JOIN postings s ON s.tenant_id = d.tenant_id AND s.kind IN ('dispute', 'refund_reversal') AND s.subject_id = d.id
JOIN ledger_entries e ON e.tenant_id = d.tenant_id AND e.fact = d.stripe_dispute_id || CASE s.kind WHEN 'dispute' THEN ':lost' ELSE ':lost_reversed' END
JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id AND l.account = 'customer'
WHERE s.amount_minor <> ABS(l.amount_minor) OR s.currency <> e.currency OR COALESCE(s.customer_id, '') <> l.customer_id OR COALESCE(s.order_id, '') <> d.order_id
UNION ALL
SELECT s.tenant_id, s.id,
       'I-25: the posting is ' || CAST(s.amount_minor AS TEXT) || ' ' || s.currency || ' of ' || COALESCE(s.customer_id, 'nobody') || ' and ' || COALESCE(s.order_id, 'no order') ||
       ', the case ' || CAST(u.assigned_minor AS TEXT) || ' ' || u.currency || ' of ' || COALESCE(u.customer_id, 'nobody') || ' and ' || COALESCE(u.order_id, 'no order')
FROM unclaimed u JOIN postings s ON s.tenant_id = u.tenant_id AND s.kind = 'payment' AND s.subject_id = u.id
WHERE s.amount_minor <> u.assigned_minor OR s.currency <> u.currency OR COALESCE(s.customer_id, '') <> COALESCE(u.customer_id, '') OR COALESCE(s.order_id, '') <> COALESCE(u.order_id, '');

CREATE VIEW v_payment_without_delivery AS -- I-26
SELECT p.tenant_id, p.id AS subject, 'I-26: there is no notice for the portal about the payment' AS fault
FROM payments p
WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.tenant_id = p.tenant_id AND d.order_id = p.order_id);

CREATE VIEW v_suspense_differs AS -- I-10
SELECT d.tenant_id, d.currency AS subject,
       'I-10: the cases of unclaimed money hold ' || CAST(SUM(d.shown) AS TEXT) || ', the suspense account has ' || CAST(SUM(d.booked) AS TEXT) AS fault
FROM (
    SELECT tenant_id, currency, held_minor AS shown, 0 AS booked FROM unclaimed
    UNION ALL
    SELECT e.tenant_id, e.currency, 0, -l.amount_minor
    FROM ledger_lines l JOIN ledger_entries e ON e.tenant_id = l.tenant_id AND e.id = l.entry_id
    WHERE l.account = 'suspense'
) d
GROUP BY d.tenant_id, d.currency
HAVING SUM(d.shown) <> SUM(d.booked);

CREATE VIEW v_assignment_differs AS -- I-10
SELECT d.tenant_id, d.fact AS subject,
       'I-10: ' || CAST(SUM(d.shown) AS TEXT) || ' ' || d.currency || ' is assigned to ' || d.customer_id || ', the ledger says ' || CAST(SUM(d.booked) AS TEXT) AS fault
FROM (
    SELECT tenant_id, id || ':assigned' AS fact, currency, customer_id, assigned_minor AS shown, 0 AS booked FROM unclaimed WHERE state = 'assigned'
    UNION ALL
    SELECT e.tenant_id, e.fact, e.currency, l.customer_id, 0, -l.amount_minor
    FROM ledger_entries e JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id AND l.account = 'customer'
    WHERE e.kind = 'assignment'
) d
GROUP BY d.tenant_id, d.fact, d.currency, d.customer_id
HAVING SUM(d.shown) <> SUM(d.booked);

CREATE VIEW v_assignment_without_posting AS -- I-25
SELECT u.tenant_id, u.id AS subject, 'I-25: nothing tells PortaBilling of the ' || CAST(u.assigned_minor AS TEXT) || ' ' || u.currency || ' that ' || u.customer_id || ' was given' AS fault
FROM unclaimed u
WHERE u.state = 'assigned'
  AND NOT EXISTS (SELECT 1 FROM postings s WHERE s.tenant_id = u.tenant_id AND s.kind = 'payment' AND s.subject_id = u.id AND s.customer_id = u.customer_id
      AND s.currency = u.currency AND s.amount_minor = u.assigned_minor);

CREATE VIEW v_payout_differs AS -- I-10
SELECT p.tenant_id, p.id AS subject,
       'I-10: the payout is ' || CAST(p.amount_minor AS TEXT) || ' ' || p.currency || ', but what it contains sums to ' || CAST(p.foreign_minor + COALESCE(SUM(b.amount_minor - b.fee_minor), 0) AS TEXT) AS fault
FROM payouts p LEFT JOIN balance_transactions b ON b.tenant_id = p.tenant_id AND b.payout_id = p.id AND b.source_id <> p.id
WHERE p.matched_at IS NOT NULL
GROUP BY p.tenant_id, p.id, p.amount_minor, p.currency, p.foreign_minor
HAVING p.amount_minor <> p.foreign_minor + COALESCE(SUM(b.amount_minor - b.fee_minor), 0);

CREATE VIEW v_conversion_alone AS -- I-19
SELECT b.tenant_id, b.id AS subject, 'I-19: Stripe converted ' || b.source_currency || ' into ' || b.currency || ', but the ledger has ' || CAST(COUNT(e.id) AS TEXT) || ' of the two entries of it' AS fault
FROM balance_transactions b LEFT JOIN ledger_entries e ON e.tenant_id = b.tenant_id AND e.fact IN (b.id || ':converted_from', b.id || ':converted_to')
WHERE b.currency <> b.source_currency AND b.source_minor <> 0 AND b.amount_minor <> 0
GROUP BY b.tenant_id, b.id, b.source_currency, b.currency
HAVING COUNT(e.id) <> 2;

CREATE VIEW v_case_of_suspense AS -- I-10
SELECT e.tenant_id, e.fact AS subject, 'I-10: ledger entry ' || e.id || ' moves suspense, but names no case of unclaimed money' AS fault
FROM ledger_entries e JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id AND l.account = 'suspense'
WHERE e.unclaimed_id IS NULL;

-- What `books` leaves to `books --verify`: rows of the same form, that VerifyMore reads.

CREATE VIEW v_captured_twice AS -- I-06; two tenants may have one Stripe account, now or at another time
SELECT MIN(e.tenant_id) AS tenant_id, e.fact AS subject, 'I-06: ' || CAST(COUNT(*) AS TEXT) || ' tenants have booked the same money' AS fault
FROM ledger_entries e
WHERE e.kind IN ('payment', 'suspense', 'fee', 'payout', 'payout_return')
GROUP BY e.fact
HAVING COUNT(*) > 1;

CREATE VIEW v_evidence_differs AS -- I-09
SELECT o.tenant_id, o.id AS subject, 'I-09: the order was paid by ' || o.evidence || ', its payment is of ' || p.intent_id AS fault
FROM orders o JOIN payments p ON p.tenant_id = o.tenant_id AND p.order_id = o.id
WHERE o.evidence <> p.intent_id;

CREATE VIEW v_payment_unlike_attempt AS -- I-09, I-19
SELECT p.tenant_id, p.id AS subject,
       'I-09: the payment is ' || CAST(p.amount_minor AS TEXT) || ' ' || p.currency || ' of ' || p.intent_id || ', its attempt ' || CAST(a.amount_minor AS TEXT) || ' ' || a.currency || ' of ' || COALESCE(a.intent_id, 'no intent') AS fault
FROM payments p JOIN attempts a ON a.tenant_id = p.tenant_id AND a.id = p.attempt_id
WHERE a.state = 'succeeded'
  AND (COALESCE(a.intent_id, '') <> p.intent_id OR a.amount_minor <> p.amount_minor OR a.currency <> p.currency
      OR (a.stripe_account <> '' AND a.stripe_account <> p.stripe_account));

CREATE VIEW v_attempt_unlike_order AS -- I-09, I-19
SELECT a.tenant_id, a.id AS subject,
       'I-09: the attempt is for ' || CAST(a.amount_minor AS TEXT) || ' ' || a.currency || ', its order for ' || CAST(o.total_minor AS TEXT) || ' ' || o.currency AS fault
FROM attempts a JOIN orders o ON o.tenant_id = a.tenant_id AND o.id = a.order_id
WHERE o.kind = 'payment' AND (a.amount_minor <> o.total_minor OR a.currency <> o.currency);

CREATE VIEW v_case_refunded_held AS -- I-10
SELECT u.tenant_id, u.id AS subject, 'I-10: the case is closed as refunded, but ' || CAST(u.held_minor AS TEXT) || ' ' || u.currency || ' of it is held' AS fault
FROM unclaimed u
WHERE u.state = 'refunded' AND u.held_minor > 0;

CREATE VIEW v_state_untold AS -- I-12
SELECT o.tenant_id, o.id AS subject, 'I-12: the order is ' || o.state || ', but its story does not tell how it came to be' AS fault
FROM orders o
WHERE o.kind = 'payment' AND o.state IN ('paid', 'processing', 'mismatch')
  AND NOT EXISTS (SELECT 1 FROM story s WHERE s.tenant_id = o.tenant_id AND s.order_id = o.id AND s.what = o.state);

CREATE VIEW v_paid_once_told AS -- I-12; nothing leads from paid to anything but mismatch
SELECT s.tenant_id, s.order_id AS subject, 'I-12: the story tells that the order was paid, but it is ' || o.state AS fault
FROM story s JOIN orders o ON o.tenant_id = s.tenant_id AND o.id = s.order_id
WHERE s.what = 'paid' AND o.state NOT IN ('paid', 'mismatch');

CREATE VIEW v_success_of_unpaid AS -- I-12, I-14
SELECT a.tenant_id, a.id AS subject, 'I-14: the attempt is ' || a.state || ', but its order ' || o.id || ' is ' || o.state AS fault
FROM attempts a JOIN orders o ON o.tenant_id = a.tenant_id AND o.id = a.order_id
WHERE a.state IN ('succeeded', 'overpaid') AND o.state NOT IN ('paid', 'mismatch');

CREATE VIEW v_captured_of_ended AS -- I-14
SELECT a.tenant_id, a.id AS subject, 'I-14: money of the attempt is booked (' || e.fact || '), but the attempt is ' || a.state AS fault
FROM attempts a JOIN ledger_entries e ON e.tenant_id = a.tenant_id AND e.fact = a.intent_id || ':captured'
WHERE a.state IN ('created', 'open', 'processing', 'failed', 'expired');

CREATE VIEW v_refund_unlike_entry AS -- I-15, I-19
SELECT r.tenant_id, r.id AS subject,
       'I-15: the refund is ' || CAST(r.amount_minor AS TEXT) || ' ' || r.currency || ', but its ledger entry takes ' || CAST(-SUM(l.amount_minor) AS TEXT) || ' ' || e.currency AS fault
FROM refunds r
JOIN ledger_entries e ON e.tenant_id = r.tenant_id AND e.fact = r.stripe_refund_id || ':refunded'
JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id AND l.account = 'stripe_balance'
GROUP BY r.tenant_id, r.id, r.amount_minor, r.currency, e.currency
HAVING -SUM(l.amount_minor) <> r.amount_minor OR e.currency <> r.currency;

CREATE VIEW v_refund_back AS -- I-15
SELECT r.tenant_id, r.id AS subject, 'I-15: the refund is ' || r.state || CASE WHEN e.id IS NULL THEN ', but its money was not booked back' ELSE ', but its money was booked back' END AS fault
FROM refunds r LEFT JOIN ledger_entries e ON e.tenant_id = r.tenant_id AND e.fact = r.stripe_refund_id || ':reversed'
WHERE (r.state IN ('failed', 'canceled')) <> (e.id IS NOT NULL);

CREATE VIEW v_refund_entry_alone AS -- I-15
SELECT e.tenant_id, e.fact AS subject, 'I-15: ledger entry ' || e.id || ' gives back money of an order, but there is no such refund' AS fault
FROM ledger_entries e
WHERE e.kind = 'refund' AND e.unclaimed_id IS NULL
  AND NOT EXISTS (SELECT 1 FROM refunds r WHERE r.tenant_id = e.tenant_id AND r.stripe_refund_id = substr(e.fact, 1, length(e.fact) - 9));

CREATE VIEW v_dispute_differs AS -- I-16, I-19
SELECT d.tenant_id, d.id AS subject, 'I-16: the dispute is in ' || d.currency || ' about order ' || d.order_id || ', its payment in ' || p.currency || ' of order ' || p.order_id AS fault
FROM disputes d JOIN payments p ON p.tenant_id = d.tenant_id AND p.id = d.payment_id
WHERE d.currency <> p.currency OR d.order_id <> p.order_id;

CREATE VIEW v_dispute_lost_unbooked AS -- I-16
SELECT d.tenant_id, d.id AS subject, 'I-16: the dispute is lost and its money left the balance, but the customer is still credited' AS fault
FROM disputes d JOIN ledger_entries w ON w.tenant_id = d.tenant_id AND w.fact = d.stripe_dispute_id || ':withdrawn'
WHERE d.state = 'lost'
  AND NOT EXISTS (SELECT 1 FROM ledger_entries e WHERE e.tenant_id = d.tenant_id AND e.fact = d.stripe_dispute_id || ':lost');

CREATE VIEW v_dispute_won_debited AS -- I-16
SELECT e.tenant_id, e.fact AS subject, 'I-16: the bank gave the money back, but whoever had it is still debited by ledger entry ' || e.id AS fault
FROM ledger_entries e
WHERE e.kind = 'dispute_lost'
  AND EXISTS (SELECT 1 FROM ledger_entries r WHERE r.tenant_id = e.tenant_id AND r.fact = substr(e.fact, 1, length(e.fact) - 5) || ':reinstated')
  AND NOT EXISTS (SELECT 1 FROM ledger_entries r WHERE r.tenant_id = e.tenant_id AND r.fact = e.fact || '_reversed');

CREATE VIEW v_amount_out_of_range AS -- I-18; docs.stripe.com/currencies: eight digits, and a last digit of 0 where there are three decimals
SELECT d.tenant_id, d.id AS subject, 'I-18: ' || CAST(d.amount_minor AS TEXT) || ' ' || d.currency || ' is nothing that Stripe charges' AS fault
FROM (
    SELECT tenant_id, id, currency, total_minor AS amount_minor FROM orders WHERE kind = 'payment'
    UNION ALL
    SELECT tenant_id, id, currency, amount_minor FROM attempts
    UNION ALL
    SELECT tenant_id, id, currency, amount_minor FROM payments
) d
WHERE d.amount_minor > 99999999 OR (d.amount_minor % 10 <> 0 AND d.currency IN ('BHD', 'JOD', 'KWD', 'OMR', 'TND'));

CREATE VIEW v_licence_of_another AS -- I-23
SELECT o.tenant_id, o.id AS subject, 'I-23: the order came with licence ' || o.license_id || ', which is not its tenant''s' AS fault
FROM orders o
WHERE o.license_id <> ''
  AND NOT EXISTS (SELECT 1 FROM licenses l WHERE l.tenant_id = o.tenant_id AND l.id = o.license_id);

CREATE VIEW v_refund_without_posting AS -- I-25
SELECT r.tenant_id, r.id AS subject, 'I-25: nothing tells PortaBilling of the refund' AS fault
FROM refunds r
WHERE r.state NOT IN ('failed', 'canceled')
  AND NOT EXISTS (SELECT 1 FROM postings s WHERE s.kind = 'refund' AND s.subject_id = r.id AND s.tenant_id = r.tenant_id);

CREATE VIEW v_posting_alone AS -- I-25; what is about a case of unclaimed money begins with the case
SELECT s.tenant_id, s.id AS subject, 'I-25: PortaBilling is told of the ' || s.kind || ' ' || s.subject_id || ', which is not in the books' AS fault
FROM postings s
WHERE substr(s.subject_id, 1, 4) <> 'unc_'
  AND NOT EXISTS (SELECT 1 FROM payments p WHERE s.kind = 'payment' AND p.tenant_id = s.tenant_id AND p.id = s.subject_id)
  AND NOT EXISTS (SELECT 1 FROM refunds r WHERE s.kind IN ('refund', 'refund_reversal') AND r.tenant_id = s.tenant_id AND r.id = s.subject_id)
  AND NOT EXISTS (SELECT 1 FROM disputes d WHERE s.kind IN ('dispute', 'refund_reversal') AND d.tenant_id = s.tenant_id AND d.id = s.subject_id);

CREATE VIEW v_state_unnoticed AS -- I-26
SELECT o.tenant_id, o.id AS subject, 'I-26: the order is ' || o.state || ', but there is no notice of it for the portal' AS fault
FROM orders o
WHERE o.kind = 'payment' AND o.total_minor > 0 AND o.state IN ('paid', 'processing', 'mismatch')
  AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.tenant_id = o.tenant_id AND d.fact = o.id || ':' || o.state);

CREATE VIEW v_attempt_unwatched AS -- I-28
SELECT a.tenant_id, a.id AS subject, 'I-28: the attempt is ' || a.state || ', but the sweep will never ask about it' AS fault
FROM attempts a
WHERE a.state IN ('created', 'open', 'processing') AND a.check_at IS NULL;

CREATE VIEW v_posting_drift AS -- I-25
SELECT d.tenant_id, d.customer_id AS subject,
       'I-25: PortaBilling is to be told of ' || CAST(SUM(d.told) AS TEXT) || ' ' || d.currency || ' of the customer, the ledger credits ' || CAST(SUM(d.booked) AS TEXT) AS fault
FROM (
    SELECT tenant_id, COALESCE(customer_id, 'nobody') AS customer_id, currency,
           CASE WHEN kind IN ('refund', 'dispute') THEN -amount_minor ELSE amount_minor END AS told, 0 AS booked FROM postings
    UNION ALL
    SELECT tenant_id, customer_id, currency, 0, credit_minor FROM customer_balances
) d
GROUP BY d.tenant_id, d.customer_id, d.currency
HAVING SUM(d.told) <> SUM(d.booked);

CREATE VIEW v_refund_untold AS -- I-15; a refund that failed is v_refund_back's
SELECT r.tenant_id, r.id AS subject, 'I-15: the refund is ' || r.state || ', which no notice tells, or a notice tells that it went on from there' AS fault
FROM refunds r
WHERE r.state IN ('pending', 'requires_action', 'succeeded')
  AND (NOT EXISTS (SELECT 1 FROM deliveries n WHERE n.tenant_id = r.tenant_id AND n.fact = r.stripe_refund_id || ':' || r.state)
      OR (r.state <> 'succeeded' AND EXISTS (SELECT 1 FROM deliveries n WHERE n.tenant_id = r.tenant_id AND n.fact = r.stripe_refund_id || ':succeeded')));

CREATE VIEW v_refund_request_gone AS -- I-15; of a case that has no order there is no story
SELECT d.tenant_id, d.order_id AS subject,
       'I-15: the story tells that ' || CAST(SUM(d.told) AS TEXT) || ' refunds were asked for, ' || CAST(SUM(d.stored) AS TEXT) || ' requests are stored' AS fault
FROM (
    SELECT tenant_id, order_id, 1 AS told, 0 AS stored FROM story WHERE what = 'refund.requested'
    UNION ALL
    SELECT tenant_id, order_id, 0, 1 FROM refund_requests WHERE order_id IS NOT NULL
) d
GROUP BY d.tenant_id, d.order_id
HAVING SUM(d.told) <> SUM(d.stored);

CREATE VIEW v_dispute_untold AS -- I-16; what is decided does not become undecided, and what is won stays won
SELECT d.tenant_id, d.id AS subject, 'I-16: the dispute is ' || d.state || ', which no notice tells, or a notice tells that it went on from there' AS fault
FROM disputes d
WHERE NOT EXISTS (SELECT 1 FROM deliveries n WHERE n.tenant_id = d.tenant_id AND n.fact = d.stripe_dispute_id || ':' || d.state)
   OR (d.state <> 'won' AND EXISTS (SELECT 1 FROM deliveries n WHERE n.tenant_id = d.tenant_id AND n.fact = d.stripe_dispute_id || ':won'))
   OR (d.state NOT IN ('won', 'lost', 'warning_closed', 'prevented') AND EXISTS (SELECT 1 FROM deliveries n WHERE n.tenant_id = d.tenant_id
      AND n.fact IN (d.stripe_dispute_id || ':lost', d.stripe_dispute_id || ':warning_closed', d.stripe_dispute_id || ':prevented')));

CREATE VIEW v_dispute_undecided_booked AS -- I-16
SELECT d.tenant_id, d.id AS subject, 'I-16: the dispute is ' || d.state || ', but the ledger has it as lost by entry ' || e.id AS fault
FROM disputes d JOIN ledger_entries e ON e.tenant_id = d.tenant_id AND e.fact = d.stripe_dispute_id || ':lost'
WHERE d.state NOT IN ('won', 'lost', 'warning_closed', 'prevented');

CREATE VIEW v_dispute_unlike_entry AS -- I-16, I-19
SELECT d.tenant_id, d.id AS subject,
       'I-16: the dispute is over ' || CAST(d.amount_minor AS TEXT) || ' ' || d.currency || ', but the ledger says that the bank took ' || CAST(l.amount_minor AS TEXT) || ' ' || e.currency AS fault
FROM disputes d JOIN ledger_entries e ON e.tenant_id = d.tenant_id AND e.fact = d.stripe_dispute_id || ':withdrawn'
JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id AND l.account = 'disputes'
WHERE l.amount_minor <> d.amount_minor OR e.currency <> d.currency;

CREATE VIEW v_payment_unlike_balance AS -- I-10
SELECT p.tenant_id, p.id AS subject,
       'I-10: the payment is charge ' || p.charge_id || ', fee ' || CAST(p.fee_minor AS TEXT) || ' ' || p.fee_currency || ' of ' || p.balance_transaction ||
       ', Stripe''s balance transaction ' || b.id || ' is of ' || b.source_id || ', fee ' || CAST(b.fee_minor AS TEXT) || ' ' || b.currency AS fault
FROM payments p JOIN balance_transactions b ON b.tenant_id = p.tenant_id AND b.fact = p.intent_id || ':captured'
WHERE (p.charge_id <> '' AND p.charge_id <> b.source_id)
   OR (p.balance_transaction <> '' AND (p.balance_transaction <> b.id OR p.fee_minor <> b.fee_minor OR p.fee_currency <> b.currency));

CREATE VIEW v_payout_unlike_entry AS -- I-10; a listing that began an hour after one was learnt has the other
SELECT p.tenant_id, p.id AS subject, 'I-10: the payout is ' || p.status || ', but the ledger does not say that its money came back' AS fault
FROM payouts p JOIN ledger_entries e ON e.tenant_id = p.tenant_id AND e.fact = p.id || ':paid'
JOIN sweep_marks m ON m.tenant_id = p.tenant_id AND m.kind = 'balance_transaction'
WHERE p.status IN ('failed', 'canceled') AND m.through_at > p.updated_at + 3600000000
  AND NOT EXISTS (SELECT 1 FROM ledger_entries r WHERE r.tenant_id = p.tenant_id AND r.fact = p.id || ':returned')
UNION ALL -- payouts are listed again for 35 days
SELECT p.tenant_id, p.id, 'I-10: the payout is ' || p.status || ', but the ledger says that its money came back'
FROM payouts p JOIN ledger_entries e ON e.tenant_id = p.tenant_id AND e.fact = p.id || ':returned'
JOIN sweep_marks m ON m.tenant_id = p.tenant_id AND m.kind = 'payout'
WHERE p.status NOT IN ('failed', 'canceled') AND m.deep_at > e.at + 3600000000 AND p.created_at > m.deep_at - 2592000000000;

CREATE VIEW v_payout_gone AS -- I-10
SELECT b.tenant_id, b.payout_id AS subject, 'I-10: balance transaction ' || b.id || ' is in this payout, which is not stored' AS fault
FROM balance_transactions b
WHERE b.payout_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM payouts p WHERE p.tenant_id = b.tenant_id AND p.id = b.payout_id)
UNION ALL
SELECT e.tenant_id, e.fact, 'I-10: ledger entry ' || e.id || ' is a payout, but there is no such payout'
FROM ledger_entries e JOIN balance_transactions b ON b.tenant_id = e.tenant_id AND b.fact = e.fact
JOIN sweep_marks m ON m.tenant_id = e.tenant_id AND m.kind = 'payout'
WHERE e.kind = 'payout' AND m.deep_at > e.at + 3600000000 AND b.created_at > m.deep_at - 2592000000000
  AND NOT EXISTS (SELECT 1 FROM payouts p WHERE p.tenant_id = e.tenant_id AND p.id = b.source_id);

CREATE VIEW v_case_unlike_entry AS -- I-10, I-19
SELECT u.tenant_id, u.id AS subject,
       'I-10: the case is ' || CAST(u.amount_minor AS TEXT) || ' ' || u.currency || ', but its ledger entry took in ' || CAST(-l.amount_minor AS TEXT) || ' ' || e.currency AS fault
FROM unclaimed u JOIN ledger_entries e ON e.tenant_id = u.tenant_id AND e.fact = u.object_id || ':captured' AND e.kind = 'suspense'
JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id AND l.account = 'suspense'
WHERE -l.amount_minor <> u.amount_minor OR e.currency <> u.currency
UNION ALL
SELECT u.tenant_id, u.id, 'I-10: the case is ' || CAST(u.amount_minor AS TEXT) || ' ' || u.currency || ', but no ledger entry of it moves that'
FROM unclaimed u
WHERE u.reason = 'other_movement' AND u.amount_minor <> 0
  AND NOT EXISTS (SELECT 1 FROM ledger_entries e JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id AND l.account = 'stripe_balance'
      WHERE e.tenant_id = u.tenant_id AND e.unclaimed_id = u.id AND e.currency = u.currency AND ABS(l.amount_minor) = u.amount_minor);

CREATE VIEW v_case_held_differs AS -- I-10
SELECT d.tenant_id, d.id AS subject, 'I-10: the case holds ' || CAST(SUM(d.shown) AS TEXT) || ' ' || d.currency || ', its ledger entries say ' || CAST(SUM(d.booked) AS TEXT) AS fault
FROM (
    SELECT tenant_id, id, currency, held_minor AS shown, 0 AS booked FROM unclaimed
    UNION ALL
    SELECT e.tenant_id, e.unclaimed_id, e.currency, 0, -l.amount_minor
    FROM ledger_entries e JOIN ledger_lines l ON l.tenant_id = e.tenant_id AND l.entry_id = e.id AND l.account = 'suspense'
    WHERE e.unclaimed_id IS NOT NULL
) d
GROUP BY d.tenant_id, d.id, d.currency
HAVING SUM(d.shown) <> SUM(d.booked);

CREATE VIEW v_case_reason AS -- I-10
SELECT u.tenant_id, u.id AS subject, 'I-10: the reason of the case is ' || u.reason || ', but nothing of ' || u.object_id || ' is' AS fault
FROM unclaimed u
WHERE (u.reason IN ('overpaid', 'mismatch')
      AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.tenant_id = u.tenant_id AND a.order_id = u.order_id AND a.state = u.reason))
   OR (u.reason = 'refunded_and_disputed')
      <> EXISTS (SELECT 1 FROM disputes d WHERE d.tenant_id = u.tenant_id AND d.stripe_dispute_id = u.object_id)
   OR (u.reason = 'other_movement' AND substr(u.object_id, 1, 3) IN ('pi_', 'cs_'));

-- +goose Down
-- There is no way down: the ledger is append-only, and a restored backup is the
-- way to an older release.
