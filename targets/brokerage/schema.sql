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
    compression integer NOT NULL,
    next        date NOT NULL,          -- the business day after it, which the night prepares
    settles     date NOT NULL           -- when trades of the day are settled
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

CREATE SEQUENCE order_id;                       -- our own name of an order, and of what is sent of it
-- An order's number at the exchange, a field of seven digits there. It runs on from day to day: low ones are taken.
CREATE SEQUENCE order_number MAXVALUE 9999999 START 1001;
CREATE SEQUENCE order_number_2 MAXVALUE 999999; -- the second range: a letter and six digits

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
    number            numeric(7) NOT NULL,      -- at the exchange, within its series
    series            text NOT NULL DEFAULT '', -- what the numbers of its range begin with
    created_ns        bigint NOT NULL,
    unknown_ns        bigint,                   -- when it first became unknown
    passing_at        timestamptz,              -- when it last came back into a passing state; null: as created
    settled_at        timestamptz,              -- when it came out of it; null: not since
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
    mono_ns   bigint NOT NULL,
    why       text NOT NULL DEFAULT '' CHECK (why IN ('', 'trade', 'variation', 'repayment', 'withdrawal', 'adjustment')),
    day       date                      -- the business date a variation belongs to
);
CREATE INDEX ledger_variations ON ledger (account, day) WHERE why = 'variation';

CREATE TABLE outbox (                           -- execution notices on their way to the customer
    exec_id    text PRIMARY KEY REFERENCES executions,
    account    text NOT NULL,
    state      text NOT NULL CHECK (state IN ('pending', 'held', 'sent')),
    created_ns bigint NOT NULL,
    attempt    integer NOT NULL DEFAULT 1       -- sent anew it is another message, with a name of its own
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
INSERT INTO operations VALUES
    ('inquiry', 'open', 0), ('repayment', 'open', 0), ('orders', 'open', 0), ('withdrawal', 'open', 0),
    ('pages', 'open', 0), ('order-checks', 'on', 0),
    ('balances', 'current', 0), ('withdrawals-told', 'being-confirmed', 0),
    ('order-number-range', '1', 0), ('order-number-gateway', '7', 0), ('order-number-exchange', '7', 0),
    ('order-number-overflow', 'refuse', 0), ('mail-spool', 'mail-spool', 0);

CREATE TABLE closes (                           -- prices lots are marked at, by business date
    code  text NOT NULL REFERENCES instruments,
    day   date NOT NULL,
    close integer NOT NULL,
    PRIMARY KEY (code, day)
);

CREATE TABLE lots (                             -- margin positions, lot by lot; they come in bulk, so no foreign keys
    id       text PRIMARY KEY,
    account  text NOT NULL,
    code     text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    source   text NOT NULL DEFAULT '',          -- where a lot came from, if not from a trade here
    mark     bigint,                            -- its last valuation in yen
    marked   date                               -- the business date of that valuation
);
CREATE INDEX lots_of_account ON lots (account, id);

CREATE TABLE loans (
    id        text PRIMARY KEY,
    account   text NOT NULL UNIQUE REFERENCES accounts,
    principal bigint NOT NULL CHECK (principal >= 0)
);

CREATE SEQUENCE repayment_number;

CREATE TABLE repayments (
    id         text PRIMARY KEY,                -- also the reference the bank is asked under
    key        text NOT NULL,
    account    text NOT NULL REFERENCES accounts,
    yen        bigint NOT NULL CHECK (yen > 0),
    state      text NOT NULL CHECK (state IN ('pending', 'completed', 'unknown', 'rejected')),
    created_ns bigint NOT NULL,
    settled_ns bigint,                          -- when the bank's answer was written down
    UNIQUE (account, key)
);

CREATE SEQUENCE withdrawal_number;

CREATE TABLE withdrawals (
    id         text PRIMARY KEY,
    key        text NOT NULL,
    account    text NOT NULL REFERENCES accounts,
    yen        bigint NOT NULL CHECK (yen > 0),
    state      text NOT NULL CHECK (state IN ('pending', 'completed', 'rejected', 'unknown', 'reversed')),
    reference  text NOT NULL DEFAULT '',        -- the link's, under which the bank knows it; written with its answer
    how        text NOT NULL DEFAULT '',        -- what settled it: the answer, an inquiry, or an operator
    created_ns bigint NOT NULL,
    unknown_ns bigint,                          -- when it first became unknown
    settled_ns bigint,
    told       text NOT NULL DEFAULT '',        -- what its customer was told afterwards of one that had been unknown
    told_ns    bigint,
    UNIQUE (account, key)
);
CREATE INDEX withdrawals_open ON withdrawals (state) WHERE state IN ('pending', 'unknown');

CREATE TABLE batch_runs (                       -- every attempt at every job, with its counts in and out
    job        text NOT NULL,
    attempt    integer NOT NULL,
    day        date NOT NULL,
    state      text NOT NULL CHECK (state IN ('running', 'done', 'held', 'cancelled', 'failed')),
    started_ns bigint NOT NULL,
    ended_ns   bigint NOT NULL DEFAULT 0,
    taken      integer NOT NULL DEFAULT 0,
    given      integer NOT NULL DEFAULT 0,
    rejected   integer NOT NULL DEFAULT 0,
    says       text NOT NULL DEFAULT '',
    PRIMARY KEY (job, attempt)
);

CREATE TABLE batch_done (                       -- the checkpoint of a job: which accounts it has done for a day
    job     text NOT NULL,
    account text NOT NULL,
    day     date NOT NULL,
    done_ns bigint NOT NULL,
    PRIMARY KEY (job, account, day)
);

CREATE TABLE batch_chunks (                     -- how long each transaction held its accounts
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job         text NOT NULL,
    attempt     integer NOT NULL,
    first       text NOT NULL,
    last        text NOT NULL,
    lots        integer NOT NULL,
    locked_ns   bigint NOT NULL,
    released_ns bigint NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('committed', 'rolled-back'))
);

CREATE TABLE isolated_accounts (                -- taken out of their chunk and marked by themselves, block by block
    account   text PRIMARY KEY REFERENCES accounts,
    day       date NOT NULL,
    since_ns  bigint NOT NULL,
    lots_done integer NOT NULL DEFAULT 0,
    lots      integer NOT NULL DEFAULT 0,
    done_ns   bigint                            -- until then the account's balances are not current
);

CREATE TABLE settlements (                      -- trades and the business date they are due on
    exec_id text PRIMARY KEY REFERENCES executions,
    due     date NOT NULL
);

CREATE TABLE margins (                          -- what an account's equity is, and whether it must add to it
    account text NOT NULL,
    day     date NOT NULL,
    equity  bigint NOT NULL,
    needed  bigint NOT NULL,
    call    boolean NOT NULL,
    PRIMARY KEY (account, day)
);

CREATE TABLE statements (
    account text NOT NULL,
    day     date NOT NULL,
    cash    bigint NOT NULL,
    lots    integer NOT NULL,
    value   bigint NOT NULL,
    PRIMARY KEY (account, day)
);

CREATE TABLE adjustments (                      -- correcting entries: who asked, why, and who else agreed
    reference text PRIMARY KEY,
    account   text NOT NULL REFERENCES accounts,
    yen       bigint NOT NULL,
    reason    text NOT NULL CHECK (reason <> ''),
    request   text NOT NULL CHECK (request <> ''),
    approver  text NOT NULL CHECK (approver <> ''),
    mono_ns   bigint NOT NULL
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
