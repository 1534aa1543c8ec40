-- The brokerage's database. Money is integer yen, quantities are shares, *_ns are CLOCK_MONOTONIC of the host.
-- Locks are always taken in the order account, position, order: then there are no deadlocks.

CREATE TABLE instruments (
    code text PRIMARY KEY,
    base integer NOT NULL,
    tick integer NOT NULL,
    low  integer NOT NULL,
    high integer NOT NULL
);

CREATE TABLE calendar (
    day         date PRIMARY KEY,
    opens_at    text NOT NULL,
    compression integer NOT NULL
);

CREATE TABLE accounts (
    id       text PRIMARY KEY,
    opening  bigint NOT NULL,           -- cash at the start of the world; no posting stands for it
    cash     bigint NOT NULL,           -- opening + sum of the account's postings
    reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0)  -- for open buy orders, the unknown ones included
);

CREATE TABLE positions (
    account  text NOT NULL REFERENCES accounts,
    code     text NOT NULL REFERENCES instruments,
    quantity bigint NOT NULL,
    reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0), -- for open sell orders
    PRIMARY KEY (account, code)
);

CREATE SEQUENCE order_number;

CREATE TABLE orders (
    id                text PRIMARY KEY,
    key               text NOT NULL,            -- the customer's idempotency key
    account           text NOT NULL REFERENCES accounts,
    code              text NOT NULL REFERENCES instruments,
    side              text NOT NULL CHECK (side IN ('buy', 'sell')),
    quantity          integer NOT NULL CHECK (quantity > 0),
    price             integer NOT NULL CHECK (price > 0),
    state             text NOT NULL CHECK (state IN ('pending-new', 'new', 'partially-filled', 'filled',
                                                     'pending-cancel', 'cancelled', 'rejected', 'unknown')),
    filled            integer NOT NULL DEFAULT 0,
    reserved_quantity integer NOT NULL,         -- what cash or shares are still reserved for
    cl_ord_id         text NOT NULL,            -- what it was last sent to the exchange as
    reason            text NOT NULL DEFAULT '',
    created_ns        bigint NOT NULL,
    unknown_ns        bigint,                   -- when it first became unknown
    UNIQUE (account, key)
);
CREATE INDEX orders_unsettled ON orders (state) WHERE state IN ('pending-new', 'unknown', 'pending-cancel');

CREATE TABLE order_ids (                        -- every ClOrdID an order was ever sent as
    cl_ord_id text PRIMARY KEY,
    order_id  text NOT NULL REFERENCES orders
);

CREATE TABLE executions (
    exec_id     text PRIMARY KEY,
    order_id    text REFERENCES orders,         -- null: an execution of an order we do not know
    cl_ord_id   text NOT NULL,
    account     text NOT NULL REFERENCES accounts,
    code        text NOT NULL,
    side        text NOT NULL,
    quantity    integer NOT NULL,
    price       integer NOT NULL,
    poss_dup    boolean NOT NULL,               -- came by retransmission, so it is late
    received_ns bigint NOT NULL,
    mono_ns     bigint NOT NULL                 -- just before commit
);
CREATE INDEX executions_late ON executions (mono_ns) WHERE poss_dup;

CREATE TABLE ledger (                           -- double entry: the legs of one reference sum to zero
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference text NOT NULL,
    account   text NOT NULL,                    -- HOUSE is the contra account; it has no balance row to fight over
    yen       bigint NOT NULL,
    mono_ns   bigint NOT NULL
);

CREATE TABLE outbox (                           -- execution notices on their way to the customer
    exec_id    text PRIMARY KEY REFERENCES executions,
    account    text NOT NULL,
    state      text NOT NULL CHECK (state IN ('pending', 'held', 'sent')),
    created_ns bigint NOT NULL
);
CREATE INDEX outbox_unsent ON outbox (state, created_ns) WHERE state <> 'sent';

CREATE TABLE session (                          -- the member's side of the exchange session
    identity text PRIMARY KEY,
    next_in  bigint NOT NULL DEFAULT 1,         -- moves in the transaction that posts what was received
    next_out bigint NOT NULL DEFAULT 1,         -- no number below this is used again after a restart
    link     text NOT NULL DEFAULT 'A'
);

CREATE TABLE operations (                       -- what operators have decided
    name       text PRIMARY KEY,
    value      text NOT NULL,
    changed_ns bigint NOT NULL
);
INSERT INTO operations VALUES ('inquiry', 'open', 0), ('orders', 'open', 0), ('balances', 'current', 0);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
